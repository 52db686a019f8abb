//! Tasks of ECS on this machine: what AWS says of them comes from the fake, what runs in them is real.

pub mod process;
