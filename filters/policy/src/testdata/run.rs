//! Cases decided natively, without any engine.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use super::{Case, End, Observed};
use crate::{Counter, Decide, Env, Header, HeaderEdit, LocalReply, Shared, Verdict};

/// Runs a case through a policy.
pub fn run(policy: &mut dyn Decide, case: &Case) -> Observed {
    const A_DAY: u64 = 1_790_000_000;
    let mut world = World {
        draws: case.random.iter().flatten().copied().collect::<Vec<_>>().into_iter(),
        unix_nanos: case.at.unwrap_or(A_DAY).saturating_mul(1_000_000_000),
        monotonic_nanos: 1,
        shared: BTreeMap::new(),
    };
    let mut observed = once(policy, case, &mut world);
    for _ in 1..case.repeat {
        let passed = case.pause_millis.saturating_mul(1_000_000);
        world.unix_nanos = world.unix_nanos.saturating_add(passed);
        world.monotonic_nanos = world.monotonic_nanos.saturating_add(passed);
        observed = once(policy, case, &mut world);
    }
    observed
}

fn once(policy: &mut dyn Decide, case: &Case, world: &mut World) -> Observed {
    let mut request = case.seen();
    let forwarded = |edits: crate::Edits| {
        let mut headers = case.seen().headers().to_vec();
        edits.request.iter().for_each(|edit| apply(edit, &mut headers));
        let mut response = case.upstream.clone();
        edits.response.iter().for_each(|edit| apply(edit, &mut response));
        End::Forwarded { headers, response }
    };
    match policy.on_request(&mut request, world) {
        Verdict::Continue(edits) => Observed { delay_millis: None, end: forwarded(edits) },
        Verdict::Respond(reply) => Observed { delay_millis: None, end: replied(reply) },
        Verdict::Delay { millis, edits, then } => {
            let end = then.map_or_else(|| forwarded(edits), replied);
            Observed { delay_millis: Some(millis), end }
        }
        Verdict::CheckBody { edits, sha256, refused } => {
            let end = if crate::sha256(&case.body) == sha256 { forwarded(edits) } else { replied(refused) };
            Observed { delay_millis: None, end }
        }
    }
}

struct World {
    draws: std::vec::IntoIter<u64>,
    unix_nanos: u64,
    monotonic_nanos: u64,
    shared: BTreeMap<Vec<u8>, Shared>,
}

impl Env for World {
    fn random(&mut self) -> u64 {
        self.draws.next().unwrap_or_default()
    }

    fn unix_nanos(&mut self) -> u64 {
        self.unix_nanos
    }

    fn monotonic_nanos(&mut self) -> u64 {
        self.monotonic_nanos
    }

    fn count(&mut self, _: Counter) {}

    fn held(&mut self) -> u64 {
        0
    }

    fn shared(&mut self, key: &[u8]) -> Option<Shared> {
        self.shared.get(key).cloned()
    }

    fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool {
        let known = self.shared.get(key).map_or(0, |shared| shared.version);
        let stored = known == version;
        if stored {
            let version = known.saturating_add(1);
            self.shared.insert(key.to_vec(), Shared { value: value.to_vec(), version });
        }
        stored
    }
}

fn apply(edit: &HeaderEdit, headers: &mut Vec<Header>) {
    let is = |name: &String| {
        let name = name.clone().into_bytes();
        move |(known, _): &Header| *known == name
    };
    match edit {
        HeaderEdit::Remove { name } => headers.retain(|header| !is(name)(header)),
        HeaderEdit::Replace { name, value } => {
            headers.retain(|header| !is(name)(header));
            headers.push((name.clone().into_bytes(), value.clone()));
        }
        HeaderEdit::Default { name, .. } if headers.iter().any(is(name)) => {}
        HeaderEdit::Add { name, value } | HeaderEdit::Default { name, value } => {
            headers.push((name.clone().into_bytes(), value.clone()));
        }
    }
}

fn replied(reply: LocalReply) -> End {
    let headers = reply.headers.into_iter();
    End::Replied {
        status: reply.status,
        headers: headers.map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect(),
        body: reply.body.as_bytes().to_vec(),
        details: reply.details.into(),
    }
}
