//! Turns a mesh into exact Envoy v3 configuration, one bootstrap per node, as a pure function.
