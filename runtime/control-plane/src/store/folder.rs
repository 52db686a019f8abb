//! A folder of states: each under the digest of its content, and a pointer to the newest.
//!
//! A file is written beside its place, made durable, and renamed; then the pointer likewise. Whatever moment the process
//! dies at, the pointer leads to a whole state or the folder has an older whole one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::{Loaded, Store, StoreError, decode, encode};
use crate::published::{State, hexadecimal};

const POINTER: &str = "current";
const LOCK: &str = "lock";
const EXTENSION: &str = "state";
const TEMPORARY: &str = ".tmp";
/// States that are kept: the newest, and others to fall back on.
const KEPT: usize = 3;

/// States in one folder, which this process alone writes.
#[derive(Debug)]
pub struct FolderStore {
    folder: PathBuf,
    /// Held while this value lives; nothing as long as another process holds it.
    lock: Mutex<Option<File>>,
}

impl FolderStore {
    /// Makes the folder where there is none: private, for states hold hashes of passwords.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder).map_err(|error| write_error(folder, error))?;
        let store = Self { folder: folder.to_owned(), lock: Mutex::default() };
        store.is_ours()?;
        Ok(store)
    }

    /// Whether nobody else writes here.
    pub fn is_ours(&self) -> Result<bool, StoreError> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            let path = self.folder.join(LOCK);
            let file = private_file(&path).map_err(|error| write_error(&path, error))?;
            *lock = file.try_lock().is_ok().then_some(file);
        }
        Ok(lock.is_some())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        let temporary = self.folder.join(format!("{name}{TEMPORARY}"));
        let written = (|| {
            let mut file = private_file(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.folder)?.sync_all()
        })();
        written.map_err(|error| {
            // Half a file on a full disk only makes it fuller.
            let _ = fs::remove_file(&temporary);
            write_error(&path, error)
        })
    }

    /// The names of states, the newest first.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut names: Vec<(SystemTime, String)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let is_state = Path::new(&name).extension().is_some_and(|extension| extension == EXTENSION);
                let modified = entry.metadata().and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                is_state.then_some((modified, name))
            })
            .collect();
        names.sort_by(|a, b| b.cmp(a));
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Also halves of files that a process left which was killed.
    fn forget_old(&self, newest: &str) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().ends_with(TEMPORARY.as_bytes()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let old = self.names().into_iter().filter(|name| name != newest).skip(KEPT.saturating_sub(1));
        for name in old {
            // Another try follows with the next state.
            let _ = fs::remove_file(self.folder.join(name));
        }
    }

    fn pointed(&self) -> Option<String> {
        let name = fs::read_to_string(self.folder.join(POINTER)).ok()?;
        let name = name.trim_end();
        let plain = Path::new(name).file_name().is_some_and(|it| it == name);
        plain.then(|| name.to_owned())
    }
}

impl Store for FolderStore {
    fn load(&self) -> Loaded {
        let mut loaded = Loaded::default();
        let pointed = self.pointed();
        let others = self.names().into_iter().filter(|name| Some(name) != pointed.as_ref());
        let names: Vec<String> = pointed.iter().cloned().chain(others).collect();
        for name in names {
            match read(&self.folder.join(&name)) {
                Ok(state) => {
                    loaded.state = Some(state);
                    break;
                }
                Err(reason) => loaded.skipped.push((name, reason)),
            }
        }
        loaded
    }

    fn save(&self, state: &State) -> Result<(), StoreError> {
        // A folder that was removed meanwhile is made again.
        private_folder(&self.folder).map_err(|error| write_error(&self.folder, error))?;
        if !self.is_ours()? {
            return Err(StoreError::InUse { path: self.place() });
        }
        let bytes = encode(state);
        let name = format!("{}.{EXTENSION}", hexadecimal(&Sha256::digest(&bytes)));
        self.write(&name, &bytes)?;
        self.write(POINTER, format!("{name}\n").as_bytes())?;
        self.forget_old(&name);
        Ok(())
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

/// Only regular files: a pipe would never end.
fn read(path: &Path) -> Result<State, String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    decode(&bytes).map_err(|damage| damage.to_string())
}

fn write_error(path: &Path, error: io::Error) -> StoreError {
    StoreError::Write { path: path.display().to_string(), error }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().create(true).write(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    File::options().create(true).write(true).truncate(true).open(path)
}
