//! Whose words are left out: of every error that a task's words cause, one task definition, or one task, is to blame.

use std::collections::{BTreeMap, BTreeSet};

use spec::{Code, Diagnostic, Diagnostics, FileId, Severity, Span, Spanned, codes};

use super::Quarantined;
use super::assemble::Draft;
use crate::observation::text::Located;
use crate::observation::{CloudMapService, Task, TaskDefinition};

/// Records that do not count, by where they begin.
#[derive(Clone, Debug)]
pub(crate) struct LeftOut {
    file: Option<FileId>,
    /// Their words are as if they were not said.
    silent: BTreeSet<u32>,
    /// They are as if they were not there: an error stayed, though their words were left out.
    gone: BTreeSet<u32>,
}

/// Errors in which two things are alike to blame: the one that is trusted less goes.
const EITHER: [Code; 6] = [
    codes::RESERVED_NAME,
    codes::DUPLICATE_NAME,
    codes::SHARED_ADDRESS,
    codes::INDISTINCT_TCP,
    codes::LOCAL_PORT_CONFLICT,
    codes::CONFLICTING_ANNOTATION,
];
/// Rounds in which of each error one is to blame; after them, everybody who has to do with it.
const MAX_ROUNDS: usize = 16;
/// A reason is one line, and a short one.
const MAX_REASON: usize = 300;

/// The records of an observation, by where they begin.
pub(crate) struct Records<'o> {
    file: Option<FileId>,
    by_start: BTreeMap<u32, (Record<'o>, Span)>,
    /// Where definitions begin, by ARN.
    definitions: BTreeMap<&'o str, u32>,
}

#[derive(Clone, Copy)]
enum Record<'o> {
    Definition(&'o TaskDefinition),
    Task(&'o Task),
    CloudMap(&'o CloudMapService),
}

impl LeftOut {
    pub(crate) fn nothing(records: &Records<'_>) -> Self {
        Self { file: records.file, silent: BTreeSet::new(), gone: BTreeSet::new() }
    }

    /// Whether words are not heard.
    pub(crate) fn has(&self, span: Span) -> bool {
        Some(span.file) == self.file && self.silent.contains(&span.start)
    }

    pub(crate) fn is_gone(&self, span: Span) -> bool {
        Some(span.file) == self.file && self.gone.contains(&span.start)
    }

    /// Whether that is new.
    fn add(&mut self, start: u32) -> bool {
        self.silent.insert(start) || self.gone.insert(start)
    }
}

impl<'o> Records<'o> {
    pub(crate) fn of(observed: &'o Located) -> Self {
        let definitions = observed.task_definitions.iter().map(|it| (it.span, Record::Definition(&it.value)));
        let tasks = observed.tasks.iter().map(|it| (it.span, Record::Task(&it.value)));
        let cloud_map = observed.cloud_map.iter().map(|it| (it.span, Record::CloudMap(&it.value)));
        let all: Vec<(Span, Record<'o>)> = definitions.chain(tasks).chain(cloud_map).collect();
        let file = all.first().map(|(span, _)| span.file);
        let definitions = observed.task_definitions.iter().map(|it| (it.value.arn.as_str(), it.span.start)).collect();
        Self { file, definitions, by_start: all.into_iter().map(|(span, it)| (span.start, (it, span))).collect() }
    }

    /// Where the observation is; `None` if it is empty.
    pub(crate) fn file(&self) -> Option<FileId> {
        self.file
    }

    /// Leaves out whoever is to blame for errors; what is new of it.
    pub(crate) fn blame(
        &self,
        found: &Diagnostics,
        draft: &Draft,
        left_out: &mut LeftOut,
        round: usize,
    ) -> Vec<Spanned<Quarantined>> {
        let mut new = Vec::new();
        for error in found.iter().filter(|it| it.severity == Severity::Error) {
            let mut involved = self.involved(error);
            let culprit = self.culprit(error, &mut involved, draft);
            // Who hides behind errors of others is found at last.
            let culprits = if round < MAX_ROUNDS { culprit.into_iter().collect() } else { involved.clone() };
            for culprit in culprits {
                if !left_out.add(culprit) {
                    continue;
                }
                let Some(record) = self.by_start.get(&culprit) else { continue };
                let who = match record.0 {
                    Record::Definition(definition) => definition.name(),
                    Record::Task(task) => task.arn.clone(),
                    Record::CloudMap(it) => format!("{}/{}", it.namespace, it.service),
                };
                let reason = format!("{}: {}", error.code.slug, self.without_values(&error.message, &involved));
                new.push(Spanned::new(Quarantined { who, reason }, record.1));
            }
        }
        new
    }

    /// Where the records begin that an error speaks of: first where it is, then what it points to.
    fn involved(&self, error: &Diagnostic) -> Vec<u32> {
        let related = error.labels.iter().map(|label| label.span);
        let spans = error.span().into_iter().chain(related).filter(|span| Some(span.file) == self.file);
        spans.map(|span| span.start).filter(|start| self.by_start.contains_key(start)).collect()
    }

    fn culprit(&self, error: &Diagnostic, involved: &mut [u32], draft: &Draft) -> Option<u32> {
        let is_own = error.span().is_some_and(|span| Some(span.file) == self.file);
        if is_own && !EITHER.contains(&error.code) {
            return involved.first().copied();
        }
        involved.sort_by_cached_key(|start| self.trust(*start, draft));
        involved.last().copied()
    }

    /// In the order of trust: whom the mesh itself names; then by name, and older revisions.
    fn trust(&self, start: u32, draft: &Draft) -> (bool, &str, u32, &str) {
        let task = match self.by_start.get(&start) {
            Some((Record::Task(task), _)) => Some(*task),
            _ => None,
        };
        // A task is trusted as its definition is.
        let start = task.and_then(|task| self.definitions.get(task.task_definition.as_str())).copied().unwrap_or(start);
        let strange = !draft.trusted.contains(&start);
        let arn = task.map_or("", |task| task.arn.as_str());
        match self.by_start.get(&start) {
            Some((Record::Definition(definition), _)) => (strange, &definition.family, definition.revision, arn),
            _ => (strange, "", 0, arn),
        }
    }

    /// What labels say is nobody's business: of quoted texts only those stay that no record has as a value.
    fn without_values(&self, message: &str, involved: &[u32]) -> String {
        let mut values: Vec<&str> = Vec::new();
        for (record, _) in involved.iter().filter_map(|start| self.by_start.get(start)) {
            match record {
                Record::Definition(it) => {
                    let labels = it.containers.iter().flat_map(|container| container.labels.values());
                    let variables = it.containers.iter().flat_map(|container| container.environment.values());
                    values.extend(labels.chain(variables).chain(it.tags.values()).map(String::as_str));
                }
                Record::CloudMap(it) => {
                    values.extend(it.instances.iter().flat_map(|it| it.attributes.values()).map(String::as_str));
                }
                Record::Task(it) => {
                    let variables = it.environment.values().flat_map(BTreeMap::values);
                    values.extend(variables.chain(it.tags.values()).map(String::as_str));
                }
            }
        }
        let is_plain = |piece: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
            piece.len() <= 100 && piece.bytes().all(plain)
        };
        let shown = |piece: &str| is_plain(piece) && !values.iter().any(|value| value.contains(piece));
        let pieces = message.split('`').enumerate();
        let pieces = pieces.map(|(index, piece)| if index % 2 == 0 || shown(piece) { piece } else { "…" });
        let text: String = pieces.collect::<Vec<_>>().join("`").chars().filter(|it| !it.is_control()).collect();
        text.chars().take(MAX_REASON).collect()
    }
}
