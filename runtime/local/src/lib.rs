//! Runs a mesh on this machine: real Envoys on loopback addresses, echo workloads in place of services.
