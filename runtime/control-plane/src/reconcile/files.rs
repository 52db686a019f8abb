//! What files hold, as digests, and the folders in which changes of them show.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

/// The digest of each file; nothing for one that cannot be read.
pub type Digests = BTreeMap<PathBuf, Option<[u8; 32]>>;

/// More of a file nobody reads.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024 + 1;
/// Time stamps of some file systems are no finer: a younger file is read again.
const YOUNG: Duration = Duration::from_secs(2);
const LINKS: usize = 40;

/// Digests of files that did not change are not computed again.
#[derive(Debug, Default)]
pub struct Reader {
    known: BTreeMap<PathBuf, (Stamp, [u8; 32])>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Reader {
    pub fn digests<'p>(&mut self, files: impl IntoIterator<Item = &'p PathBuf>) -> Digests {
        let digests: Digests = files.into_iter().map(|file| (file.clone(), self.digest(file))).collect();
        self.known.retain(|file, _| digests.contains_key(file));
        digests
    }

    fn digest(&mut self, path: &Path) -> Option<[u8; 32]> {
        // Not opened before it is known to be a file: a pipe would wait for a writer.
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let stamp = stamp(&metadata);
        if let Some((known, digest)) = self.known.get(path)
            && *known == stamp
        {
            return Some(*digest);
        }
        let mut hasher = Sha256::new();
        let mut file = File::open(path).ok()?.take(MAX_BYTES);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => hasher.update(buffer.get(..length)?),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let digest = hasher.finalize().into();
        if is_old(&metadata) {
            self.known.insert(path.to_owned(), (stamp, digest));
        } else {
            self.known.remove(path);
        }
        Some(digest)
    }
}

fn is_old(metadata: &Metadata) -> bool {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    SystemTime::now().duration_since(modified.max(changed(metadata))).is_ok_and(|age| age > YOUNG)
}

/// What copies the time of a file's content does not copy this one.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt as _;
    let since = u64::try_from(metadata.ctime()).unwrap_or_default();
    // A second that has begun counts as over.
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since.saturating_add(1))).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(unix)]
fn stamp(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// Where changes of files show: folders that exist, and under which path each file is reported there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub folders: BTreeSet<PathBuf>,
    pub files: BTreeMap<PathBuf, PathBuf>,
}

/// The folder of each file and of every link on the way to it. In place of a folder that is missing, the one in which it
/// would appear.
pub fn places<'p>(files: impl IntoIterator<Item = &'p PathBuf>) -> Places {
    let mut places = Places::default();
    for file in files {
        if let Ok(path) = std::path::absolute(file) {
            let end = follow(&path, &mut places.folders, LINKS);
            places.files.insert(file.clone(), end);
        }
    }
    places
}

/// Returns the path behind all links.
fn follow(path: &Path, folders: &mut BTreeSet<PathBuf>, links: usize) -> PathBuf {
    let mut walked = PathBuf::new();
    let mut components = path.components();
    while let Some(component) = components.next() {
        match component {
            Component::ParentDir => drop(walked.pop()),
            Component::CurDir => {}
            other => walked.push(other),
        }
        let Ok(metadata) = fs::symlink_metadata(&walked) else {
            // The rest does not exist, or is none of our business.
            let folder = walked.parent().unwrap_or(Path::new("/"));
            folders.insert(folder.to_owned());
            return walked.join(components.as_path());
        };
        if metadata.is_symlink() && links > 0 {
            let folder = walked.parent().unwrap_or(Path::new("/")).to_owned();
            let Ok(target) = fs::read_link(&walked) else { continue };
            let target = folder.join(target).join(components.as_path());
            folders.insert(folder);
            return follow(&target, folders, links - 1);
        }
    }
    if let Some(folder) = walked.parent() {
        folders.insert(folder.to_owned());
    }
    walked
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn the_folders_of_all_links_are_watched() {
        let (_folder, root) = folder();
        fs::create_dir(root.join("..2024")).unwrap();
        fs::write(root.join("..2024/mesh.kdl"), "").unwrap();
        symlink("..2024", root.join("..data")).unwrap();
        symlink("..data/mesh.kdl", root.join("mesh.kdl")).unwrap();
        let places = places([&root.join("mesh.kdl")]);
        assert_eq!(places.folders, [root.clone(), root.join("..2024")].into());
        assert_eq!(places.files.into_values().collect::<Vec<_>>(), [root.join("..2024/mesh.kdl")]);
    }

    #[test]
    fn of_what_is_missing_the_folder_in_which_it_would_appear_is_watched() {
        let (_folder, root) = folder();
        assert_eq!(places([&root.join("a/b/mesh.kdl")]).folders, [root].into());
    }

    #[test]
    fn links_that_lead_in_circles_end() {
        let (_folder, root) = folder();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(places([&root.join("a")]).folders, [root.clone()].into());
        assert_eq!(Reader::default().digests([&root.join("a")]), [(root.join("a"), None)].into());
    }

    #[test]
    fn the_digest_is_of_the_content_alone() {
        let (_folder, root) = folder();
        let file = root.join("mesh.kdl");
        let mut reader = Reader::default();
        fs::write(&file, "mesh").unwrap();
        let first = reader.digests([&file]);
        fs::write(&file, "mesh").unwrap();
        assert_eq!(reader.digests([&file]), first);
        fs::write(&file, "mess").unwrap();
        assert_ne!(reader.digests([&file]), first);
    }

    #[test]
    fn a_file_with_an_old_time_stamp_that_changes_is_read_again() {
        let (_folder, root) = folder();
        let file = root.join("mesh.kdl");
        let old = SystemTime::now() - Duration::from_secs(3600);
        let mut reader = Reader::default();
        let mut seen = BTreeSet::new();
        for text in ["one", "two", "six"] {
            fs::write(&file, text).unwrap();
            File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
            seen.insert(reader.digests([&file]));
        }
        assert_eq!(seen.len(), 3);
    }
}
