//! The mesh is put together again and again, until nothing that a task says is refused.

use std::collections::BTreeSet;

use spec::severity::{self, Levels};
use spec::{Diagnostic, Diagnostics, Mesh, Severity, Sources, Span, Spanned, codes};

use super::assemble::{Draft, assemble};
use super::quarantine::{LeftOut, Records};
use super::told::Told;
use super::words::Words;
use super::world::World;
use super::{Options, Quarantined, nightjar, targets};
use crate::import::bent;
use crate::observation::text::Located;
use crate::{annotation, check};

/// So many times it is searched for whoever causes an error; from then on, whoever is trusted less than one of those goes,
/// too.
const MAX_SEARCHES: usize = 4;

/// What everything is made of.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub(crate) mesh: &'r Mesh,
    pub(crate) observed: &'r Located,
    pub(crate) options: &'r Options,
    pub(crate) world: &'r World<'r>,
    pub(crate) told: &'r [Told<'r>],
    pub(crate) records: &'r Records<'r>,
    pub(crate) sources: &'r Sources,
}

/// A mesh without the words of some, annotated.
pub(crate) struct Attempt {
    pub(crate) draft: Draft,
    /// What was found besides what checking finds.
    pub(crate) applied: Diagnostics,
    /// All that was found, as the mesh itself weighs it.
    found: Diagnostics,
}

/// The mesh in which nothing is refused but what it says itself, and how often it was put together.
pub(crate) fn settle(
    reading: &Reading<'_>,
    left_out: &mut LeftOut,
    quarantined: &mut Vec<Spanned<Quarantined>>,
) -> (Attempt, usize) {
    let levels = severity::levels(&reading.mesh.rules.levels, &mut Diagnostics::new());
    let (mut rounds, mut searches, mut own) = (0, 0, None);
    quarantined.extend(reading.records.refuse(left_out));
    loop {
        let mut attempt = attempt(reading, &levels, left_out);
        if reading.records.elsewhere(&attempt.found).next().is_some() {
            // Some mistakes are the mesh's own. Others it would not have, if nothing ran.
            let own = own.get_or_insert_with(|| {
                let alone = self::attempt(reading, &levels, &LeftOut::everything(reading.records));
                errors(reading, &alone.found)
            });
            attempt.found = attempt.found.into_iter().filter(|it| !own.contains(&place(it))).collect();
        }
        let new = reading.records.blame(&attempt.found, &attempt.draft, left_out, rounds);
        rounds += 1;
        if !new.is_empty() {
            quarantined.extend(new);
            continue;
        }
        let Some(error) = reading.records.unexplained(&attempt.found).next() else { return (attempt, rounds) };
        let culprits = search(reading, &levels, left_out, error, &attempt.draft, searches >= MAX_SEARCHES);
        searches += 1;
        if culprits.is_empty() {
            return (attempt, rounds);
        }
        quarantined.extend(culprits.into_iter().filter_map(|it| reading.records.leave_out(it, error, left_out)));
    }
}

/// Whose words make an error in the mesh: of those who could, in the order of trust, the first without whom, and without all
/// that come after, it is not there. With `rest`, those that come after as well.
fn search(
    reading: &Reading<'_>,
    levels: &Levels,
    left_out: &LeftOut,
    error: &Diagnostic,
    draft: &Draft,
    rest: bool,
) -> Vec<u32> {
    let remains = |silent: &[u32]| {
        let attempt = attempt(reading, levels, &left_out.and(silent));
        errors(reading, &attempt.found).contains(&place(error))
    };
    for suspects in reading.records.suspects(error, draft, left_out) {
        if suspects.is_empty() || remains(&suspects) {
            continue;
        }
        let (mut without, mut with) = (0, suspects.len());
        while with - without > 1 {
            let half = without + (with - without) / 2;
            match remains(suspects.get(half..).unwrap_or_default()) {
                true => with = half,
                false => without = half,
            }
        }
        let end = if rest { suspects.len() } else { without + 1 };
        return suspects.get(without..end).unwrap_or_default().to_vec();
    }
    Vec::new()
}

type Place = (&'static str, Option<Span>);

fn place(error: &Diagnostic) -> Place {
    (error.code.slug, error.span())
}

fn errors(reading: &Reading<'_>, found: &Diagnostics) -> BTreeSet<Place> {
    reading.records.elsewhere(found).map(place).collect()
}

fn attempt(reading: &Reading<'_>, levels: &Levels, left_out: &LeftOut) -> Attempt {
    let Reading { mesh, observed, options, world, told, records, sources } = *reading;
    let silence = Words::default();
    let mut draft = assemble(mesh, told, records.standings(), &silence, observed, options, left_out);
    let mut applied = Diagnostics::new();
    nightjar::add(&nightjar::Input::of(mesh, world, options, left_out), &mut draft, &mut applied);
    annotation::apply(&mut draft.mesh, &mut applied);
    if let Some(file) = records.file() {
        targets::add_missing(&mut draft.mesh, file);
    }
    let is_of_bent = |service: &&mut spec::mesh::Service| draft.of_bent.contains(&service.name.value.key());
    draft.mesh.services.iter_mut().filter(is_of_bent).for_each(bent::write_defaults);
    let mut found = Diagnostics::new();
    let (_, absent) = check::with_absent(&draft.mesh, sources, &mut found);
    if !absent.is_empty() {
        // Of a service that nothing says any more, callers get 503; they do not lose all others for it.
        let unknown = found.into_iter().filter(|it| it.code == codes::UNKNOWN_SERVICE);
        applied.extend(unknown.map(|it| Diagnostic { severity: Severity::Warning, ..it }.help(NOTHING_RUNS)));
        targets::add(&mut draft.mesh, absent);
        found = Diagnostics::new();
        check::with_absent(&draft.mesh, sources, &mut found);
    }
    found.extend(applied.clone());
    Attempt { draft, applied, found: severity::apply(levels, found) }
}

const NOTHING_RUNS: &str = "nothing that runs says that it is this service: its callers get 503 until something does";
