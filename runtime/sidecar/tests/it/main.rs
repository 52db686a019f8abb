//! The sidecar as a process, beside a real Envoy, with control planes that come and go.

mod certificates;
mod control_planes;
mod draining;
mod in_ecs;
mod last_good;
mod life;
mod readiness;
mod world;
