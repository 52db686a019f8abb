//! Each task with what it says: what is the same for all tasks of a definition is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use spec::mesh::{Ecs, Vocabulary};
use spec::{Span, Spanned};

use super::Quarantined;
use super::words::{self, Words};
use super::world::{RunningTask, World};

/// A task and its words.
#[derive(Clone, Debug)]
pub(crate) struct Told<'w> {
    pub(crate) task: &'w RunningTask<'w>,
    pub(crate) words: Rc<Words>,
    /// It may get requests.
    pub(crate) is_routable: bool,
    /// Its own tags say something: it is not like the other tasks of its definition.
    pub(crate) is_special: bool,
}

impl Told<'_> {
    /// Where its words stand: in its own record, where its tags say more, else in that of its definition.
    pub(crate) fn record(&self) -> Span {
        if self.is_special { self.task.span } else { self.task.definition_span }
    }
}

/// Whose words count: everybody's, unless the mesh says otherwise.
pub(crate) fn vocabularies(ecs: Option<&Ecs>) -> BTreeSet<Vocabulary> {
    let said: BTreeSet<Vocabulary> = ecs.iter().flat_map(|ecs| &ecs.read).map(|it| it.value).collect();
    match said.is_empty() {
        true => [Vocabulary::Meshwright, Vocabulary::Bent, Vocabulary::Nightjar, Vocabulary::Nightjar1].into(),
        false => said,
    }
}

/// In the order of the tasks' ARNs; words that are wrong are as if they were not said, and go to `quarantined`.
pub(crate) fn tell<'w>(
    world: &'w World<'w>,
    read: &BTreeSet<Vocabulary>,
    quarantined: &mut Vec<Spanned<Quarantined>>,
) -> Vec<Told<'w>> {
    let mut by_definition: BTreeMap<&str, Rc<Words>> = BTreeMap::new();
    let running = world.tasks.iter().map(|task| (task, true));
    let mut tasks: Vec<_> = running.chain(world.others.iter().map(|task| (task, false))).collect();
    tasks.sort_by(|(one, _), (other, _)| one.task.arn.cmp(&other.task.arn));
    let mut told = Vec::with_capacity(tasks.len());
    for (task, is_routable) in tasks {
        let own = match words::of_task(task, read) {
            None => None,
            Some(Ok(words)) => Some(Rc::new(words)),
            Some(Err(reason)) => {
                let who = Quarantined { who: task.task.arn.clone(), reason };
                quarantined.push(Spanned::new(who, task.span));
                Some(Rc::default())
            }
        };
        let is_special = own.is_some();
        let words = own.unwrap_or_else(|| {
            let known = by_definition.entry(&task.definition.arn);
            Rc::clone(known.or_insert_with(|| of_definition(task, read, quarantined)))
        });
        told.push(Told { task, words, is_routable, is_special });
    }
    told
}

fn of_definition(
    task: &RunningTask<'_>,
    read: &BTreeSet<Vocabulary>,
    quarantined: &mut Vec<Spanned<Quarantined>>,
) -> Rc<Words> {
    let (definition, span) = (task.definition, task.definition_span);
    let mut report = |reason| {
        let who = Quarantined { who: definition.name(), reason };
        quarantined.push(Spanned::new(who, span));
    };
    match words::of_definition(definition, span, read) {
        Ok(words) => {
            words.ignored.iter().for_each(|ignored| report(format!("left out: {}", ignored.value)));
            Rc::new(words)
        }
        Err(reason) => {
            report(reason);
            Rc::default()
        }
    }
}
