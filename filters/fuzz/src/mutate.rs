//! Changes a conversation so that it stays one: mostly its requests, sometimes its configuration.

use std::sync::LazyLock;

use meshwright_policy::testdata::{Case, Table, tables};
use serde_json::Value;

use crate::conversation::Conversation;

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| tables().expect("the tables are well-formed"));

/// Changes `data[..size]`, to at most `max_size` bytes; what its new size is. `bytewise` is libFuzzer's own.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    bytewise: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut chance = Chance(u64::from(seed));
    let text = data.get(..size).unwrap_or_default();
    let mut parts = text.splitn(3, |byte| *byte == b'\n');
    let root_id = parts.next().unwrap_or_default().to_vec();
    let config = parts.next().unwrap_or_default().to_vec();
    let requests = parts.next().unwrap_or_default().to_vec();
    let known = TABLES.iter().find(|table| table.root_id.as_bytes() == root_id);
    let changed = match (chance.below(32), known) {
        (0, _) | (_, None) => {
            let table = chance.choose(&TABLES);
            let configs: Vec<&String> = table.configs.values().collect();
            [table.root_id.as_bytes(), b"\n", chance.choose(&configs).as_bytes(), b"\n", &requests].concat()
        }
        (1..=2, Some(table)) => {
            let configs: Vec<&String> = table.configs.values().collect();
            [&root_id, b"\n".as_slice(), chance.choose(&configs).as_bytes(), b"\n", &requests].concat()
        }
        (3..=5, _) => [&root_id, b"\n".as_slice(), &configuration(&config, &mut chance), b"\n", &requests].concat(),
        (6..=15, Some(table)) => {
            [&root_id, b"\n".as_slice(), &config, b"\n", &lines(&requests, table, &mut chance)].concat()
        }
        (16..=19, Some(table)) => {
            let case = chance.choose(&table.cases);
            [&root_id, b"\n".as_slice(), &config, b"\n", &requests, b"\n", &case_lines(case)].concat()
        }
        _ => {
            let head = root_id.len() + config.len() + 2;
            let Some(tail) = data.get_mut(head..) else { return size };
            return head + bytewise(tail, size.saturating_sub(head), max_size.saturating_sub(head));
        }
    };
    let size = changed.len().min(max_size).min(data.len());
    if let (Some(to), Some(from)) = (data.get_mut(..size), changed.get(..size)) {
        to.copy_from_slice(from);
    }
    size
}

/// Doubles, drops, swaps or adds lines.
fn lines(requests: &[u8], table: &Table, chance: &mut Chance) -> Vec<u8> {
    const SAID: [&str; 13] = [
        "@at 0",
        "@at 18446744073709551615",
        "@at 1700000000000000000",
        "@monotonic 0",
        "@monotonic 1000000000",
        "@monotonic 18446744073709551615",
        "@random 0",
        "@random 18446744073709551615",
        "@held 18446744073709551615",
        "@shared ",
        "@shared 12345678",
        "@source [::ffff:10.0.0.1]:1",
        "@source ",
    ];
    let mut lines: Vec<Vec<u8>> = requests.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let place = chance.below(lines.len());
    match chance.below(6) {
        0 => lines.insert(place, lines.get(place).cloned().unwrap_or_default()),
        1 => drop(lines.remove(place)),
        2 => {
            let other = chance.below(lines.len());
            lines.swap(place, other);
        }
        3 => lines.insert(place, chance.choose(&SAID).as_bytes().to_vec()),
        4 => lines.insert(place, Vec::new()),
        _ => {
            let case = chance.choose(&table.cases);
            if let Some((name, value)) = case.request.get(chance.below(case.request.len().max(1))) {
                lines.insert(place, [name.as_slice(), b": ", value].concat());
            }
        }
    }
    lines.join(&b'\n')
}

fn case_lines(case: &Case) -> Vec<u8> {
    let seed = Conversation::seed("", "", case);
    seed.get(2..).unwrap_or_default().to_vec()
}

/// Changes one value of a configuration, anywhere in it.
fn configuration(config: &[u8], chance: &mut Chance) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(config) else { return config.to_vec() };
    change_within(&mut value, chance);
    serde_json::to_vec(&value).unwrap_or_default()
}

fn change_within(value: &mut Value, chance: &mut Chance) {
    if chance.below(5) != 0 {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let place = chance.below(items.len());
                return items.iter_mut().skip(place).take(1).for_each(|item| change_within(item, chance));
            }
            Value::Object(fields) if !fields.is_empty() => {
                let place = chance.below(fields.len());
                return fields.values_mut().skip(place).take(1).for_each(|field| change_within(field, chance));
            }
            _ => {}
        }
    }
    *value = changed(value.take(), chance);
}

fn changed(value: Value, chance: &mut Chance) -> Value {
    const NUMBERS: [u64; 9] = [0, 1, 255, 256, 65_535, 65_536, 1 << 32, 1 << 63, u64::MAX];
    const TEXTS: [&str; 7] = ["", "*", "/", "\n", "\u{e9}", "::ffff:1.2.3.4", "X-UPPER"];
    match (chance.below(9), value) {
        (0, _) => Value::Null,
        (1, _) => Value::from(*chance.choose(&NUMBERS)),
        (2, _) => Value::from(*chance.choose(&TEXTS)),
        (3, _) => Value::from("x".repeat(300)),
        (4, _) => Value::from(chance.below(2) == 0),
        (5, Value::Array(mut items)) => {
            items.extend(items.first().cloned());
            Value::Array(items)
        }
        (_, Value::Array(mut items)) => {
            items.pop();
            Value::Array(items)
        }
        (_, Value::Object(mut fields)) => {
            let name = fields.keys().nth(chance.below(fields.len())).cloned();
            name.and_then(|name| fields.remove(&name));
            Value::Object(fields)
        }
        (_, Value::Number(number)) => Value::from(number.as_u64().unwrap_or_default() ^ (1 << chance.below(64))),
        (_, Value::String(text)) => Value::from(text.chars().skip(1).collect::<String>()),
        (_, kept) => kept,
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or_default()
    }

    fn choose<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}
