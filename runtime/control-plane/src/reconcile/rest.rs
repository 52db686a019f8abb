//! When to look at the files: once they are at rest.
//!
//! An event only means that something may have changed. A burst of events is one look, and no file is looked at while
//! somebody is writing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Nothing must happen for so long.
    pub quiet: Duration,
    /// After so long a look is taken although something keeps happening, if only no file is being written.
    pub most: Duration,
    /// A file that was written and not closed is taken for finished so long after the last write.
    pub writer: Duration,
}

/// What a file system reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something of a folder, or all of it, may be different.
    Changed,
    /// Bytes of this file changed; the writer has it open.
    Written(PathBuf),
    /// A writer of this file is done.
    Closed(PathBuf),
    /// This path is another file now, or none.
    Replaced(PathBuf),
}

/// What was reported since the last look.
#[derive(Debug)]
pub struct Rest {
    patience: Patience,
    /// The first and the last event.
    pending: Option<(Duration, Duration)>,
    writes: BTreeMap<PathBuf, Write>,
    /// Since the last look, whether somebody else replaced them afterwards or not.
    written: BTreeSet<PathBuf>,
    /// Files that matter. The others in the same folders may be logs that never rest.
    files: BTreeSet<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    last: Duration,
    open: bool,
}

/// Files that are remembered as being written although they may not matter: one of them may turn out to be included.
const STRANGERS: usize = 1000;

impl Rest {
    pub fn new(patience: Patience) -> Self {
        Self { patience, pending: None, writes: BTreeMap::new(), written: BTreeSet::new(), files: BTreeSet::new() }
    }

    /// Whose being written counts.
    pub fn watch(&mut self, files: BTreeSet<PathBuf>) {
        self.files = files;
    }

    pub fn on_signal(&mut self, signal: Signal, now: Duration) {
        let (first, last) = self.pending.unwrap_or((now, now));
        self.pending = Some((first.min(now), last.max(now)));
        match signal {
            Signal::Changed => {}
            Signal::Written(path) => {
                let known = self.written.contains(&path) || self.files.contains(&path);
                if known || self.written.len() < STRANGERS {
                    self.written.insert(path.clone());
                    self.writes.insert(path, Write { last: now, open: true });
                }
            }
            Signal::Closed(path) => {
                if let Some(write) = self.writes.get_mut(&path) {
                    *write = Write { last: now, open: false };
                }
            }
            Signal::Replaced(path) => drop(self.writes.remove(&path)),
        }
    }

    /// When to look, if nothing else is reported before.
    pub fn due(&self) -> Option<Duration> {
        let (first, last) = self.pending?;
        let calm = last.saturating_add(self.patience.quiet).min(first.saturating_add(self.patience.most));
        let written =
            self.files.iter().filter_map(|file| self.writes.get(file)).map(|write| self.finished(*write)).max();
        Some(written.map_or(calm, |written| written.max(calm)))
    }

    /// A look is taken: what is reported from now on is for the next one.
    pub fn looked(&mut self, now: Duration) {
        self.pending = None;
        self.written.clear();
        let patience = self.patience;
        self.writes.retain(|_, write| write.open && write.last.saturating_add(patience.writer) > now);
    }

    /// The file that is being written, if any of these is.
    pub fn being_written<'p>(&self, mut files: impl Iterator<Item = &'p Path>, now: Duration) -> Option<&'p Path> {
        files.find(|file| self.writes.get(*file).is_some_and(|write| self.finished(*write) > now))
    }

    /// Whether one of these files was written in place since the last look.
    pub fn written<'p>(&self, mut files: impl Iterator<Item = &'p Path>) -> bool {
        files.any(|file| self.written.contains(file))
    }

    fn finished(&self, write: Write) -> Duration {
        let wait = if write.open { self.patience.writer } else { self.patience.quiet };
        write.last.saturating_add(wait)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(100), most: Duration::from_secs(1), writer: Duration::from_secs(10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESH: &str = "/m/mesh.kdl";

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn rest() -> Rest {
        let mut rest = Rest::new(Patience::default());
        rest.watch([PathBuf::from(MESH)].into());
        rest
    }

    fn after(signals: &[(u64, Signal)]) -> Option<u128> {
        let mut rest = rest();
        for (milliseconds, signal) in signals {
            rest.on_signal(signal.clone(), at(*milliseconds));
        }
        rest.due().map(|due| due.as_millis())
    }

    #[test]
    fn nothing_is_due_before_something_happens() {
        assert_eq!(after(&[]), None);
    }

    #[test]
    fn a_look_is_taken_when_it_was_quiet_for_a_while() {
        assert_eq!(after(&[(0, Signal::Changed), (40, Signal::Changed)]), Some(140));
    }

    #[test]
    fn a_look_is_taken_although_files_keep_being_renamed() {
        let storm: Vec<_> = (0..2000).map(|at| (at, Signal::Replaced(MESH.into()))).collect();
        assert_eq!(after(&storm), Some(1000));
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let written = Signal::Written(MESH.into());
        assert_eq!(after(&[(0, written.clone())]), Some(10_000));
        assert_eq!(after(&[(0, written.clone()), (2000, written.clone())]), Some(12_000));
        assert_eq!(after(&[(0, written), (2000, Signal::Closed(MESH.into()))]), Some(2100));
    }

    #[test]
    fn a_file_that_is_written_in_place_again_and_again_is_read_in_the_first_pause() {
        let storm = |at| [(at, Signal::Written(MESH.into())), (at, Signal::Closed(MESH.into()))];
        let storm: Vec<_> = (0..3000).flat_map(storm).collect();
        assert_eq!(after(&storm), Some(3099));
    }

    #[test]
    fn others_that_are_written_beside_the_mesh_hold_nothing_up() {
        assert_eq!(after(&[(0, Signal::Written("/m/log".into()))]), Some(100));
    }

    #[test]
    fn a_file_that_was_replaced_is_not_being_written() {
        assert_eq!(after(&[(0, Signal::Written(MESH.into())), (5, Signal::Replaced(MESH.into()))]), Some(105));
    }

    #[test]
    fn a_look_forgets_what_was_before_but_not_who_is_writing() {
        let mut rest = rest();
        rest.on_signal(Signal::Written("/m/new.kdl".into()), at(0));
        rest.on_signal(Signal::Written("/m/old.kdl".into()), at(0));
        rest.on_signal(Signal::Closed("/m/old.kdl".into()), at(0));
        rest.looked(at(100));
        assert_eq!(rest.due(), None);
        let files = [Path::new("/m/old.kdl"), Path::new("/m/new.kdl")];
        assert_eq!(rest.being_written(files.into_iter(), at(100)), Some(Path::new("/m/new.kdl")));
    }
}
