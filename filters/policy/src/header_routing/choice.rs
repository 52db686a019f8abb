//! Whether a rule takes a request, and which of its destinations gets it.

use alloc::string::String;
use alloc::vec::Vec;

use super::visitor::Visitors;
use super::{RouteShare, Sticky, StickyBy};
use crate::chance::{MILLION, fate, happens};
use crate::condition::{Values, View};
use crate::{Env, HeaderEdit, client};

/// How a rule decides about the requests that meet its conditions.
#[derive(Debug)]
pub(super) struct Chooser {
    per_million: u32,
    by: By,
    destinations: Vec<RouteShare>,
}

#[derive(Debug)]
enum By {
    /// Each request for itself.
    Chance,
    /// Equal values alike.
    Hash { seed: String, of: StickyBy },
    /// The first visit of each visitor for all that follow.
    Visitors(Visitors),
}

impl Chooser {
    pub(super) fn new(per_million: u32, sticky: Option<Sticky>, destinations: Vec<RouteShare>) -> Chooser {
        let by = match sticky {
            None => By::Chance,
            Some(Sticky { by: StickyBy::Visitor(cookie), seed }) => {
                By::Visitors(Visitors::new(&cookie, &seed, &destinations))
            }
            Some(Sticky { by: of, seed }) => By::Hash { seed, of },
        };
        Chooser { per_million, by, destinations }
    }

    /// The route; `None` if the rule does not take the request. What the client must remember is added to the response.
    pub(super) fn choose(
        &self,
        view: &mut View<'_>,
        env: &mut dyn Env,
        response: &mut Vec<HeaderEdit>,
    ) -> Option<&str> {
        let destination = match &self.by {
            By::Chance => self.draw(&mut |_| env.random()),
            By::Hash { seed, of } => {
                let value = value(of, view)?;
                self.draw(&mut |what| fate(seed, what, &value))
            }
            // Once the share is nothing, nobody is remembered.
            By::Visitors(_) if self.per_million == 0 => None,
            By::Visitors(visitors) => {
                let remembered = visitors.recall(view, |place| self.may_be_remembered(place));
                remembered.unwrap_or_else(|| {
                    let place = self.draw(&mut |_| env.random());
                    response.extend(visitors.remember(place));
                    place
                })
            }
        };
        Some(&self.destinations.get(destination?)?.route)
    }

    /// The place of a destination, by draws for the things decided.
    fn draw(&self, draw: &mut dyn FnMut(&'static str) -> u64) -> Option<usize> {
        if !happens(self.per_million, || draw("share")) {
            return None;
        }
        let weighty = || self.destinations.iter().enumerate().filter(|(_, destination)| destination.weight > 0);
        let mut candidates = weighty();
        let (first, second) = (candidates.next()?, candidates.next());
        if second.is_none() {
            return Some(first.0);
        }
        let total = weighty().map(|(_, destination)| u64::from(destination.weight)).fold(0, u64::saturating_add);
        let mut rest = draw("destination").checked_rem(total)?;
        for (place, destination) in weighty() {
            match rest.checked_sub(u64::from(destination.weight)) {
                Some(less) => rest = less,
                None => return Some(place),
            }
        }
        None
    }

    /// Whether today's rule could still decide so.
    fn may_be_remembered(&self, place: Option<usize>) -> bool {
        match place {
            Some(place) => self.destinations.get(place).is_some_and(|destination| destination.weight > 0),
            None => self.per_million < MILLION,
        }
    }
}

/// What equal requests have in common; never empty.
fn value(of: &StickyBy, view: &mut View<'_>) -> Option<Vec<u8>> {
    let only = |values: Values<'_>| match values {
        Values::One(value) if !value.is_empty() => Some(value.to_vec()),
        Values::One(_) | Values::Missing | Values::Several => None,
    };
    match of {
        StickyBy::Header(name) => only(view.header(name.as_bytes())),
        StickyBy::Cookie(name) => view.cookie(name.as_bytes(), only),
        StickyBy::Query(name) => view.query(name.as_bytes(), only),
        StickyBy::SourceAddress => Some(client::address(view.request(), 0)?.customer().bytes().to_vec()),
        StickyBy::Visitor(_) => None,
    }
}
