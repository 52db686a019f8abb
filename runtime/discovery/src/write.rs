//! An observation as a file that others follow: whole or as before, and touched only when it says something else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use compiler::observation::{Observation, text};

/// Writes to one file.
#[derive(Clone, Debug)]
pub struct Writer {
    path: PathBuf,
    /// What stands there.
    written: Option<String>,
}

impl Writer {
    pub fn new(path: PathBuf) -> Self {
        let written = fs::read_to_string(&path).ok();
        Self { path, written }
    }

    /// Whether it had to be written.
    pub fn write(&mut self, observation: &Observation) -> io::Result<bool> {
        let text = text::write(observation);
        if self.written.as_ref() == Some(&text) && self.path.exists() {
            return Ok(false);
        }
        replace(&self.path, &text)?;
        self.written = Some(text);
        Ok(true)
    }
}

/// Beside it first, to the disk, then in its place: who reads it finds the old one or the new one. Only its owner may.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let done = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if done.is_err() {
        drop(fs::remove_file(&beside));
    }
    done?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use compiler::observation::Observation;

    use super::Writer;

    #[test]
    fn a_file_is_replaced_only_when_it_says_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observed.json");
        let mut observation = Observation { region: "eu-central-1".to_owned(), ..Observation::default() };
        let mut writer = Writer::new(path.clone());
        assert!(writer.write(&observation).unwrap());
        assert!(!writer.write(&observation).unwrap());
        assert!(!Writer::new(path.clone()).write(&observation).unwrap(), "after a restart neither");
        observation.region = "eu-west-1".to_owned();
        assert!(writer.write(&observation).unwrap());
        assert!(fs::read_to_string(&path).unwrap().contains("eu-west-1"));
        fs::remove_file(&path).unwrap();
        assert!(writer.write(&observation).unwrap(), "it is written again when somebody removed it");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observed.json");
        Writer::new(path.clone()).write(&Observation::default()).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
