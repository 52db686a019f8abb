//! The last good state in memory and on disk: replaced in one step, never half of it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::last_good::{Damage, LastGood};
use crate::metrics::Metrics;

/// States that follow each other quickly are written once.
const WRITE_AFTER: Duration = Duration::from_secs(1);
/// A larger file is not ours.
const LARGEST: u64 = 1 << 30;

/// What is known to be good. Clones are of the same record.
#[derive(Clone)]
pub(crate) struct Record {
    state: watch::Sender<Option<Arc<LastGood>>>,
    metrics: Arc<Metrics>,
}

/// Why a file does not help.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read `{path}`: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is of no use: {damage}")]
    Damaged { path: PathBuf, damage: Damage },
    #[error("`{path}` is of no use: it is for `{found}`, not for `{wanted}`")]
    OfAnother { path: PathBuf, found: String, wanted: String },
}

impl Record {
    pub(crate) fn new(state: Option<LastGood>, metrics: Arc<Metrics>) -> Self {
        let record = Self { state: watch::Sender::new(None), metrics };
        if let Some(state) = state {
            record.set(state);
        }
        record
    }

    pub(crate) fn current(&self) -> Option<Arc<LastGood>> {
        self.state.borrow().clone()
    }

    /// Envoy has all of it.
    pub(crate) fn acknowledged(&self, mut state: LastGood) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        state.acknowledged = Some(now.as_secs());
        let same = self.state.borrow().as_ref().is_some_and(|known| {
            // A bundle that turns out to be what Envoy has becomes a record.
            known.acknowledged.is_some() && known.says_what(&state)
        });
        if !same {
            self.set(state);
        }
    }

    fn set(&self, state: LastGood) {
        self.metrics.record_resources.set(i64::try_from(state.len()).unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        self.metrics.record_acknowledged.set(state.acknowledged.unwrap_or_default() as f64);
        self.state.send_replace(Some(Arc::new(state)));
    }
}

/// Writes what is acknowledged from now on. [`Keeper::finish`] writes what has not been.
pub(crate) struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(record: &Record, path: PathBuf) -> Self {
        let (stop, stopped) = oneshot::channel();
        let known = record.current();
        let task = tokio::spawn(keep(record.clone(), known, path, stopped));
        Self { stop, task }
    }

    /// A write that is under way is waited for: two at a time would write into each other's file.
    pub(crate) async fn finish(self) {
        let _ = self.stop.send(());
        drop(self.task.await);
    }
}

/// `written` need not be.
async fn keep(record: Record, mut written: Option<Arc<LastGood>>, path: PathBuf, mut stop: oneshot::Receiver<()>) {
    let mut changes = record.state.subscribe();
    // What came before that is no change any more.
    changes.mark_changed();
    loop {
        let change = async {
            if changes.changed().await.is_ok() {
                tokio::time::sleep(WRITE_AFTER).await;
            }
        };
        let stopping = tokio::select! {
            () = change => false,
            _ = &mut stop => true,
        };
        if let Some(state) = record.current()
            && !written.as_ref().is_some_and(|written| Arc::ptr_eq(written, &state))
            && write_now(&record, Arc::clone(&state), &path).await
        {
            written = Some(state);
        }
        if stopping {
            return;
        }
    }
}

/// Whether it is written.
async fn write_now(record: &Record, state: Arc<LastGood>, path: &Path) -> bool {
    let target = path.to_owned();
    let written = tokio::task::spawn_blocking(move || save(&state, &target)).await;
    match written {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            tracing::warn!(path = %path.display(), %error, "the last good state cannot be written");
        }
        Err(_) => {}
    }
    record.metrics.write_failures.inc();
    false
}

/// Puts a state in the place of the file. Whoever reads it finds the old one or the new one.
pub fn save(state: &LastGood, path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // It holds hashes of passwords and keys.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&state.encode())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// `None` where there is no file.
pub fn load(path: &Path, proxy: Option<&str>) -> Result<Option<LastGood>, LoadError> {
    let unreadable = |source| LoadError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let damaged = |damage| LoadError::Damaged { path: path.to_owned(), damage };
    let state = LastGood::decode(Bytes::from(bytes)).map_err(damaged)?;
    match proxy {
        Some(wanted) if wanted != state.proxy => {
            Err(LoadError::OfAnother { path: path.to_owned(), found: state.proxy, wanted: wanted.to_owned() })
        }
        _ => Ok(Some(state)),
    }
}

#[cfg(test)]
mod tests {
    use compiler::snapshot::ResourceKind;
    use control_plane::Served;

    use super::*;

    fn state(acknowledged: u64) -> LastGood {
        LastGood { proxy: "beta".to_owned(), acknowledged: Some(acknowledged), ..LastGood::default() }
    }

    #[test]
    fn a_state_is_read_back_and_is_its_owners_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/beta.last-good");
        save(&state(1), &path).unwrap();
        save(&state(2), &path).unwrap();
        assert_eq!(load(&path, Some("beta")).unwrap(), Some(state(2)));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn the_newest_state_is_on_disk_when_the_keeper_has_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let record = Record::new(Some(LastGood { acknowledged: None, ..state(0) }), Arc::new(Metrics::new()));
        let keeper = Keeper::start(&record, path.clone());
        keeper.finish().await;
        assert!(!path.exists(), "a bundle is on disk already");
        // Writes that take their time, and newer states meanwhile.
        for round in 0..20 {
            let keeper = Keeper::start(&record, path.clone());
            let mut last = LastGood::default();
            for version in 0..3 {
                let content = Bytes::from(vec![0; if version == 1 { 4 << 20 } else { 10 }]);
                let version = format!("{round} {version}");
                let cluster = Arc::new(Served::new(ResourceKind::Cluster, "a", &version, content));
                last = state(1);
                last.types.entry(ResourceKind::Cluster).or_default().insert("a".into(), cluster);
                record.acknowledged(last.clone());
                tokio::task::yield_now().await;
            }
            keeper.finish().await;
            let kept = load(&path, Some("beta")).unwrap().unwrap();
            assert!(kept.says_what(&last), "round {round}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_proxys_state_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        save(&state(1), &path).unwrap();
        let error = load(&path, Some("gamma")).unwrap_err().to_string();
        assert!(error.ends_with("is of no use: it is for `beta`, not for `gamma`"), "{error}");
    }
}
