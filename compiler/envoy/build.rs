//! Generates Rust types, and tables of their fields, from the descriptors that Envoy itself carries.

#[path = "build/tables.rs"]
mod tables;

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;

const DESCRIPTORS: &str = "descriptors/envoy-1.40.fds";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DESCRIPTORS}");
    println!("cargo::rerun-if-changed=build");
    let bytes = std::fs::read(Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join(DESCRIPTORS))?;
    let files = prost_types::FileDescriptorSet::decode(bytes.as_slice())?;
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("tables.rs"), tables::of(&files)?)?;

    let mut config = tonic_prost_build::Config::new();
    config.btree_map(["."]);
    config.enable_type_names();
    // Without the domain, Envoy refuses the type URLs.
    config.type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .include_file("modules.rs")
        .compile_fds_with_config(files, config)?;
    Ok(())
}
