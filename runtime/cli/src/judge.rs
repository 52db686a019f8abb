//! What counts of what was found: after the mesh's comments, its `rules` and the command line had their say.

use spec::suppress::{self, Allowed};
use spec::{Diagnostics, severity};

use crate::input::Loaded;
use crate::levels::Levels;

/// Findings and allowed findings, in the order of the text.
#[derive(Debug, Default)]
pub struct Verdict {
    pub findings: Diagnostics,
    pub allowed: Vec<Allowed>,
}

/// How much of the compiler has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    All,
    /// Others would have found more: a comment that allows nothing so far may still be needed.
    Some,
}

/// Takes the findings out of `loaded`.
pub fn judge(loaded: &mut Loaded, stages: Stages, overrides: &Levels) -> Verdict {
    let mut found = std::mem::take(&mut loaded.diagnostics);
    let mut suppressions = Vec::new();
    for (file, syntax) in &loaded.texts {
        suppressions.extend(suppress::find(*file, *syntax, &loaded.sources, &mut found));
    }
    let rules = loaded.mesh.as_ref().map_or(&[][..], |mesh| &mesh.rules.levels);
    let levels = severity::levels(rules, &mut found);
    found.sort();
    let mut judged = suppress::apply(&suppressions, &loaded.sources, found);
    if stages == Stages::All {
        judged.findings.extend(judged.unused);
    }
    let mut findings = overrides.weigh(levels, judged.findings);
    findings.sort();
    Verdict { findings, allowed: judged.allowed }
}
