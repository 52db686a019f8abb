//! The fake as a plain HTTP client, and as botocore, sees it.

mod agent;
mod botocore;
mod client;
mod definitions;
mod door;
mod examples;
mod faults;
mod life;
mod lists;
mod moto;
