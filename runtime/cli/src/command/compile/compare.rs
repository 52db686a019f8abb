//! `compile --check`: whether a folder holds what would be written, for CI.

use std::path::Path;

use serde_json::json;

use crate::exit::{Exit, ExitStatus};
use crate::report::Format;
use crate::write;

/// Names what is missing or differs.
pub(super) fn with(folder: &Path, files: &[(String, Vec<u8>)], format: Format) -> Result<ExitStatus, Exit> {
    let mut differing = Vec::new();
    for (path, bytes) in files {
        match std::fs::read(folder.join(path)) {
            Ok(there) if there == *bytes => {}
            Ok(_) => differing.push((path, "differs")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => differing.push((path, "missing")),
            Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot read {path}")).into()),
        }
    }
    let same = files.len() - differing.len();
    let text = match format {
        Format::Json => {
            let list: Vec<_> = differing.iter().map(|(path, how)| json!({"path": path, "state": how})).collect();
            format!("{}\n", json!({"version": 1, "same": same, "differing": list}))
        }
        _ => {
            let lines: String =
                differing.iter().map(|(path, how)| format!("{how}  {}\n", folder.join(path).display())).collect();
            format!("{lines}{same} of {} files are as compiled\n", files.len())
        }
    };
    write::to_stdout(&text)?;
    Ok(if differing.is_empty() { ExitStatus::Ok } else { ExitStatus::Changed })
}
