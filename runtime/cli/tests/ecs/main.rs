//! `meshwright serve --ecs` as a person runs it, real Envoys and workloads in place of tasks, and an AWS that does what the
//! test says. Requests go on all the time, and each is counted.

mod comes_and_goes;
mod discover;
mod hostile;
mod outages;
mod shop;
mod sidecar;
