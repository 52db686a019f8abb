//! So many conversations without libFuzzer, which are faster for not being watched: `hammer COUNT [SEED] [slow]`.
//!
//! Each is a case of the tables, changed a few times; what is decided must be what the laws say.

use std::collections::BTreeMap;
use std::time::Instant;
use std::{env, io};

use meshwright_policy::find;
use meshwright_policy::testdata::tables;
use meshwright_policy_fuzz::{decide, htpasswd, mutate, pairs, root_id, seed};

const LONGEST: usize = 8192;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).ok_or(io::Error::other("hammer COUNT"))?;
    let start: u32 = arguments.next().and_then(|start| start.parse().ok()).unwrap_or(1);
    let slow = arguments.next().is_some();
    let mut seeds = Vec::new();
    for table in tables().map_err(io::Error::other)? {
        for case in &table.cases {
            let config = table.configs.get(&case.config).map_or("", String::as_str);
            seeds.push(seed(table.root_id, config, case));
        }
    }
    let mut executed: BTreeMap<String, u64> = BTreeMap::new();
    let mut place = Place(start);
    let started = Instant::now();
    let mut buffer = vec![0; LONGEST];
    for _ in 0..count {
        let Some(case) = seeds.get(place.below(seeds.len())) else { break };
        let mut size = case.len().min(LONGEST);
        if let (Some(to), Some(from)) = (buffer.get_mut(..size), case.get(..size)) {
            to.copy_from_slice(from);
        }
        for _ in 0..place.below(5) {
            size = mutate(&mut buffer, size, LONGEST, place.next(), bytewise);
        }
        let input = buffer.get(..size).unwrap_or_default();
        match place.below(16) {
            0 => {
                htpasswd(input);
                *executed.entry("(htpasswd)".to_owned()).or_default() += 1;
            }
            1 => {
                pairs(input);
                *executed.entry("(pairs)".to_owned()).or_default() += 1;
            }
            _ => {
                decide(input, slow);
                *executed.entry(root_id(input)).or_default() += 1;
            }
        }
    }
    // A root id that nothing has is no filter's.
    for (name, count) in executed.iter().filter(|(name, _)| name.starts_with('(') || find(name).is_some()) {
        println!("{name}: {count}");
    }
    println!("{count} conversations in {:.0?}: no panic, every law held", started.elapsed());
    Ok(())
}

/// Changes a few bytes anywhere.
fn bytewise(data: &mut [u8], size: usize, _: usize) -> usize {
    let mut place = Place(data.iter().take(size).fold(size as u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte)));
    for _ in 0..=place.below(4) {
        let at = place.below(size.max(1));
        let byte = place.next().to_le_bytes()[0];
        data.iter_mut().take(size).skip(at).take(1).for_each(|old| *old = byte);
    }
    size
}

/// xorshift32.
struct Place(u32);

impl Place {
    fn next(&mut self) -> u32 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound.max(1)
    }
}
