//! Lists the manual's pages on diagnostics, so that the command carries them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../spec/reference/diagnostics");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut list = "/// Slug and text of each page, by slug.\nconst PAGES: &[(&str, &str)] = &[\n".to_owned();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let slug = path.file_stem().unwrap_or_default().to_string_lossy();
        if slug != "index" {
            writeln!(list, "    ({slug:?}, include_str!({:?})),", path.canonicalize()?)?;
        }
    }
    list.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("pages.rs"), list)?;
    Ok(())
}
