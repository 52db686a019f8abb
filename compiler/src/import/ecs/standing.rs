//! Who was there first: of several families that say one thing, the one that has said it for longest is believed.

use std::collections::BTreeMap;

use super::told::Told;

/// How long tasks of a family have said something. What may get requests comes first, then what started first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    is_absent: bool,
    /// When the first of the tasks started, in milliseconds.
    since: u64,
}

/// Of families, and of their services.
#[derive(Debug, Default)]
pub(crate) struct Standings<'w> {
    families: BTreeMap<&'w str, Standing>,
    /// By key of the service, then by family: who begins to say it today has not said it yesterday.
    services: BTreeMap<String, BTreeMap<&'w str, Standing>>,
}

impl Standing {
    const NONE: Self = Self { is_absent: true, since: u64::MAX };

    fn of(told: &Told<'_>) -> Self {
        Self { is_absent: !told.is_routable, since: told.task.task.started_at.unwrap_or(u64::MAX) }
    }
}

impl<'w> Standings<'w> {
    pub(crate) fn of(told: &'w [Told<'w>]) -> Self {
        let mut standings = Self::default();
        for it in told {
            let (family, own) = (it.task.definition.family.as_str(), Standing::of(it));
            let earliest = |known: &mut Standing| *known = own.min(*known);
            standings.families.entry(family).and_modify(earliest).or_insert(own);
            for claim in &it.words.claims {
                let families = standings.services.entry(claim.service.value.key()).or_default();
                families.entry(family).and_modify(earliest).or_insert(own);
            }
        }
        standings
    }

    /// Of a family that says it is a service.
    pub(crate) fn of_service(&self, service: &str, family: &str) -> Option<Standing> {
        self.services.get(service).and_then(|families| families.get(family)).copied()
    }

    /// Of a family where services are in dispute: as long as it says all of them that it says at all.
    pub(crate) fn of_services<'s>(&self, services: impl Iterator<Item = &'s str>, family: &str) -> Standing {
        let said = services.filter_map(|service| self.of_service(service, family)).max();
        said.or_else(|| self.families.get(family).copied()).unwrap_or(Standing::NONE)
    }
}
