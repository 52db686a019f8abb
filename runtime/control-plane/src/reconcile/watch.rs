//! The file system's reports about the folders of the sources.

use std::collections::BTreeSet;
use std::path::PathBuf;

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tracing::warn;

use super::rest::Signal;

/// Watches until it is dropped.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// Why not everything is watched.
    trouble: Option<String>,
}

impl Watch {
    /// Signals come from another thread.
    pub(super) fn start(on_signal: impl Fn(Signal) + Send + 'static) -> Self {
        let handler = move |event: Result<Event, notify::Error>| match event {
            Ok(event) => signals(event).for_each(&on_signal),
            Err(_) => on_signal(Signal::Changed),
        };
        let (watcher, trouble) = match notify::recommended_watcher(handler) {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let watch = Self { watcher, watched: BTreeSet::new(), trouble };
        watch.warn();
        watch
    }

    /// Watches these folders and no others. All are asked for again: one that was deleted and made again is another.
    pub(super) fn folders(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let before = self.trouble.take();
        for gone in self.watched.difference(folders) {
            // It may be gone in every sense.
            let _ = watcher.unwatch(gone);
        }
        for folder in folders {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                self.trouble = Some(format!("{}: {error}", folder.display()));
            }
        }
        self.watched.clone_from(folders);
        if self.trouble.is_some() && self.trouble != before {
            self.warn();
        }
    }

    /// Of the same trouble once.
    fn warn(&self) {
        if let Some(trouble) = &self.trouble {
            warn!("changes of some files are not reported ({trouble}): they are found by looking now and then");
        }
    }
}

/// Reading is no change; attributes are none either, but links and permissions may have become others.
fn signals(event: Event) -> impl Iterator<Item = Signal> {
    let Event { kind, paths, .. } = event;
    let of_path: fn(PathBuf) -> Signal = match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Signal::Closed,
        EventKind::Modify(ModifyKind::Data(_)) => Signal::Written,
        EventKind::Create(CreateKind::File) => created,
        EventKind::Modify(ModifyKind::Name(_)) | EventKind::Create(_) | EventKind::Remove(_) => Signal::Replaced,
        _ => |_| Signal::Changed,
    };
    let nothing = matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write));
    let all = paths.is_empty() && !nothing;
    let paths = if nothing { Vec::new() } else { paths };
    paths.into_iter().map(of_path).chain(all.then_some(Signal::Changed))
}

/// Whoever makes a file is about to write it, but links are complete from the beginning.
fn created(path: PathBuf) -> Signal {
    let whole = |metadata: std::fs::Metadata| !metadata.is_file() || has_other_names(&metadata);
    if std::fs::symlink_metadata(&path).is_ok_and(whole) { Signal::Replaced(path) } else { Signal::Written(path) }
}

#[cfg(unix)]
fn has_other_names(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.nlink() > 1
}
