//! What counts of what was found: after the mesh's comments, its `rules` and the command line had their say.

use spec::suppress::{self, Allowed};
use spec::{Diagnostic, Diagnostics, severity};

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
    // Whatever a task says of itself, the mesh goes on: nobody makes errors of that.
    let is_observed = |it: &Diagnostic| loaded.ecs.file.is_some() && it.span().map(|span| span.file) == loaded.ecs.file;
    let (observed, own): (Vec<_>, Vec<_>) = judged.findings.into_iter().partition(is_observed);
    let mut findings = overrides.weigh(levels.clone(), own.into_iter().collect());
    for finding in observed {
        let most = finding.severity;
        let weighed = overrides.weigh(levels.clone(), [finding].into_iter().collect());
        findings.extend(weighed.into_iter().map(|it| Diagnostic { severity: it.severity.min(most), ..it }));
    }
    findings.sort();
    Verdict { findings, allowed: judged.allowed }
}
