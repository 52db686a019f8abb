//! How the mesh knows its own health checks.

/// What sidecars send with their health checks, and take from everything else that leaves through them or enters
/// through a gateway.
pub const HEALTH_CHECK_HEADER: &str = "x-meshwright-health-check";

/// What a health check of gRPC calls.
pub const GRPC_HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";
