//! `compile --check`: whether a folder holds what would be written, for CI.

use std::path::Path;

use serde_json::json;

use crate::exit::{Exit, ExitStatus};
use crate::report::Format;
use crate::write;

/// What is missing or differs so far.
#[derive(Default)]
pub(super) struct Comparison {
    files: usize,
    differing: Vec<(String, &'static str)>,
}

impl Comparison {
    pub(super) fn add(&mut self, folder: &Path, path: &str, bytes: &[u8]) -> Result<(), Exit> {
        self.files += 1;
        match std::fs::read(folder.join(path)) {
            Ok(there) if there == *bytes => {}
            Ok(_) => self.differing.push((path.to_owned(), "differs")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.differing.push((path.to_owned(), "missing"));
            }
            Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot read {path}")).into()),
        }
        Ok(())
    }

    /// Tells it.
    pub(super) fn end(self, folder: &Path, format: Format) -> Result<ExitStatus, Exit> {
        let Self { files, differing } = self;
        let same = files - differing.len();
        let text = match format {
            Format::Json => {
                let list: Vec<_> = differing.iter().map(|(path, how)| json!({"path": path, "state": how})).collect();
                format!("{}\n", json!({"version": 1, "same": same, "differing": list}))
            }
            _ => {
                let lines: String =
                    differing.iter().map(|(path, how)| format!("{how}  {}\n", folder.join(path).display())).collect();
                format!("{lines}{same} of {files} files are as compiled\n")
            }
        };
        write::to_stdout(&text)?;
        Ok(if differing.is_empty() { ExitStatus::Ok } else { ExitStatus::Changed })
    }
}
