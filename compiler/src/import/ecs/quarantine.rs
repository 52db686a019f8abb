//! Whose words are left out: of every error that a task's words cause, one task definition, or one task, is to blame.

use std::collections::{BTreeMap, BTreeSet};

use spec::{Code, Diagnostic, Diagnostics, FileId, Severity, Span, Spanned, codes};

use super::Quarantined;
use super::assemble::Draft;
use super::standing::{Standing, Standings};
use super::told::Told;
use super::words::Claim;
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
/// Rounds in which one is not to blame for what another one says: tasks by the thousand may say the same.
const ALONE: usize = 2;
/// A reason is one line, and a short one.
const MAX_REASON: usize = 300;

/// The records of an observation, by where they begin.
pub(crate) struct Records<'o> {
    file: Option<FileId>,
    by_start: BTreeMap<u32, (Record<'o>, Span)>,
    /// Where definitions begin, by ARN.
    definitions: BTreeMap<&'o str, u32>,
    /// What they say that they are, by key: where the records begin whose words those are.
    said: BTreeMap<u32, BTreeSet<String>>,
    /// One of the tasks that say it.
    told: BTreeMap<u32, &'o Told<'o>>,
    /// Families that say which service, and since when.
    standings: Standings<'o>,
}

#[derive(Clone, Copy)]
enum Record<'o> {
    Definition(&'o TaskDefinition),
    Task(&'o Task),
    CloudMap(&'o CloudMapService),
}

/// Less is trusted more: whom the mesh itself names; then who was there first; then by name, and older revisions.
type Trust<'o> = (bool, Standing, &'o str, u32, &'o str);

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

    /// As if nothing ran.
    pub(crate) fn everything(records: &Records<'_>) -> Self {
        let all: BTreeSet<u32> = records.by_start.keys().copied().collect();
        Self { file: records.file, silent: all.clone(), gone: all }
    }

    /// With these records silent, too.
    pub(crate) fn and(&self, records: &[u32]) -> Self {
        let mut more = self.clone();
        more.silent.extend(records);
        more
    }

    fn hears(&self, start: u32) -> bool {
        !self.silent.contains(&start)
    }

    /// Whether that is new.
    fn add(&mut self, start: u32) -> bool {
        self.silent.insert(start) || self.gone.insert(start)
    }
}

impl<'o> Records<'o> {
    pub(crate) fn of(observed: &'o Located, told: &'o [Told<'o>]) -> Self {
        let definitions = observed.task_definitions.iter().map(|it| (it.span, Record::Definition(&it.value)));
        let tasks = observed.tasks.iter().map(|it| (it.span, Record::Task(&it.value)));
        let cloud_map = observed.cloud_map.iter().map(|it| (it.span, Record::CloudMap(&it.value)));
        let all: Vec<(Span, Record<'o>)> = definitions.chain(tasks).chain(cloud_map).collect();
        let file = all.first().map(|(span, _)| span.file);
        let definitions = observed.task_definitions.iter().map(|it| (it.value.arn.as_str(), it.span.start)).collect();
        let mut said: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        let (standings, mut by_record) = (Standings::of(told), BTreeMap::new());
        for it in told {
            by_record.entry(it.record().start).or_insert(it);
            let claims = it.words.claims.iter().map(|claim| claim.service.value.key());
            said.entry(it.record().start).or_default().extend(claims);
        }
        let by_start = all.into_iter().map(|(span, it)| (span.start, (it, span))).collect();
        Self { file, definitions, by_start, said, told: by_record, standings }
    }

    pub(crate) fn standings(&self) -> &Standings<'o> {
        &self.standings
    }

    /// Where the observation is; `None` if it is empty.
    pub(crate) fn file(&self) -> Option<FileId> {
        self.file
    }

    /// Leaves out who says settings that cannot be read, whatever the mesh is: all of them at once.
    pub(crate) fn refuse(&self, left_out: &mut LeftOut) -> Vec<Spanned<Quarantined>> {
        let mut new = Vec::new();
        for (start, told) in &self.told {
            let mut found = Diagnostics::new();
            told.words.claims.iter().for_each(|claim| claim.read_alone(&mut found));
            if let Some(error) = found.iter().find(|it| it.severity == Severity::Error) {
                new.extend(self.leave_out(*start, error, left_out));
            }
        }
        new
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
        // Two mistakes of one are no sign that silence did not help.
        let mut seen = BTreeSet::new();
        for error in found.iter().filter(|it| it.severity == Severity::Error) {
            let mut involved = self.involved(error);
            let culprit = self.culprit(error, &mut involved, draft);
            let alike = culprit.filter(|_| round >= ALONE).map(|it| self.alike(it)).unwrap_or_default();
            // Who hides behind errors of others is found at last.
            let culprits: Vec<u32> = if round < MAX_ROUNDS { culprit.into_iter().collect() } else { involved.clone() };
            let culprits = culprits.into_iter().chain(alike.into_iter().filter(|it| left_out.hears(*it)));
            for culprit in culprits.collect::<Vec<_>>() {
                if seen.insert(culprit) && left_out.add(culprit) {
                    new.extend(self.quarantined(culprit, error, &involved));
                }
            }
        }
        new
    }

    /// Errors whose place is in the mesh.
    pub(crate) fn elsewhere<'d>(&self, found: &'d Diagnostics) -> impl Iterator<Item = &'d Diagnostic> {
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        errors.filter(|error| error.span().is_none_or(|span| Some(span.file) != self.file))
    }

    /// Errors that are nobody's, as far as their places say.
    pub(crate) fn unexplained<'d>(&self, found: &'d Diagnostics) -> impl Iterator<Item = &'d Diagnostic> {
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        errors.filter(|error| self.involved(error).is_empty())
    }

    /// Whose words could have to do with an error whose place is in the mesh, in the order of trust: first of those who say
    /// a service that it names, then of all.
    pub(crate) fn suspects(&self, error: &Diagnostic, draft: &Draft, left_out: &LeftOut) -> [Vec<u32>; 2] {
        let named = self.named(error);
        let in_order = |mut suspects: Vec<u32>| {
            suspects.sort_by_cached_key(|start| self.trust(*start, &named, draft));
            suspects
        };
        let heard = || self.said.iter().filter(|(start, _)| left_out.hears(**start));
        let by_name = heard().filter(|(_, services)| !services.is_disjoint(&named));
        [in_order(by_name.map(|(start, _)| *start).collect()), in_order(heard().map(|(start, _)| *start).collect())]
    }

    /// Leaves out a record's words for an error.
    pub(crate) fn leave_out(
        &self,
        culprit: u32,
        error: &Diagnostic,
        left_out: &mut LeftOut,
    ) -> Option<Spanned<Quarantined>> {
        left_out.silent.insert(culprit).then(|| self.quarantined(culprit, error, &[culprit])).flatten()
    }

    fn quarantined(&self, culprit: u32, error: &Diagnostic, involved: &[u32]) -> Option<Spanned<Quarantined>> {
        let (record, span) = self.by_start.get(&culprit)?;
        let who = match record {
            Record::Definition(definition) => definition.name(),
            Record::Task(task) => task.arn.clone(),
            Record::CloudMap(it) => format!("{}/{}", it.namespace, it.service),
        };
        let reason = format!("{}: {}", error.code.slug, self.without_values(&error.message, involved));
        Some(Spanned::new(Quarantined { who, reason }, *span))
    }

    /// Who would be the next: whoever says just that of the same service, and other tasks of its family that speak for
    /// themselves.
    fn alike(&self, culprit: u32) -> Vec<u32> {
        let Some(one) = self.told.get(&culprit) else { return Vec::new() };
        let same = |claim: &Claim, other: &&Told<'_>| {
            let family =
                one.is_special && other.is_special && other.task.definition.family == one.task.definition.family;
            other
                .words
                .claims
                .iter()
                .any(|it| it.service.value.key() == claim.service.value.key() && (family || it.says(claim)))
        };
        let is_alike = |other: &&Told<'_>| one.words.claims.iter().any(|claim| same(claim, other));
        self.told.iter().filter(|(_, other)| is_alike(other)).map(|(start, _)| *start).collect()
    }

    /// Services that records say, and that an error names, by key.
    fn named(&self, error: &Diagnostic) -> BTreeSet<String> {
        let labels = error.labels.iter().map(|label| &label.text);
        let texts = [&error.message].into_iter().chain(labels).chain(&error.help);
        let quoted = texts.flat_map(|text| text.split('`').skip(1).step_by(2));
        let words = quoted.flat_map(|text| text.split([' ', '"', ',', '=', ':']));
        let known: BTreeSet<&String> = self.said.values().flatten().collect();
        words.map(str::to_ascii_lowercase).filter(|word| known.contains(word)).collect()
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
        let named = self.named(error);
        involved.sort_by_cached_key(|start| self.trust(*start, &named, draft));
        involved.last().copied()
    }

    /// In a dispute about services; about none in particular, if none is `named`.
    fn trust(&self, start: u32, named: &BTreeSet<String>, draft: &Draft) -> Trust<'_> {
        let own = self.said.get(&start);
        let task = match self.by_start.get(&start) {
            Some((Record::Task(task), _)) => Some(*task),
            _ => None,
        };
        // A task is trusted as its definition is.
        let start = task.and_then(|task| self.definitions.get(task.task_definition.as_str())).copied().unwrap_or(start);
        let strange = !draft.trusted.contains(&start);
        let arn = task.map_or("", |task| task.arn.as_str());
        let (family, revision) = match self.by_start.get(&start) {
            Some((Record::Definition(definition), _)) => (definition.family.as_str(), definition.revision),
            _ => ("", 0),
        };
        let own = || own.or_else(|| self.said.get(&start)).into_iter().flatten();
        let disputed = own().filter(|service| named.contains(*service)).map(String::as_str);
        let standing = match disputed.clone().next() {
            Some(_) => self.standings.of_services(disputed, family),
            None => self.standings.of_services(own().map(String::as_str), family),
        };
        (strange, standing, family, revision, arn)
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
