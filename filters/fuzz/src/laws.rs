//! What holds of every input, whatever its bytes: nothing here panics.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use meshwright_policy::testdata::tables;
use meshwright_policy::{HeaderEdit, LocalReply, Verdict, find, parse_htpasswd};
use serde_json::Value;

use crate::conversation::Conversation;
use crate::world::{Asked, World};

/// A conversation with a filter. It decides the same when asked again, and what it decides can be carried out. With
/// `slow` also those that check slow password hashes.
pub(crate) fn decide(bytes: &[u8], slow: bool) {
    let conversation = Conversation::read(bytes);
    if is_slow(&conversation.config) && !slow {
        return;
    }
    let Some(filter) = find(&conversation.root_id) else { return };
    let said = |config: &[u8]| match (filter.configure)(config) {
        Ok(mut policy) => {
            let mut world = World::new();
            let decide = |moment| {
                world.meet(moment);
                policy.on_request(&mut Asked::of(moment), &mut world)
            };
            Some(conversation.requests.iter().map(decide).collect::<Vec<_>>())
        }
        Err(invalid) => {
            keeps_secrets(config, &invalid.to_string());
            None
        }
    };
    let Some(verdicts) = said(&conversation.config) else { return };
    let is_known = CONFIGS.contains(&(conversation.root_id.clone(), conversation.config.clone()));
    for (moment, verdict) in conversation.requests.iter().zip(&verdicts) {
        let is_clean = moment.headers.iter().all(|(_, value)| !has_control_bytes(value))
            && moment.properties.iter().all(|(_, value)| !has_control_bytes(value));
        is_sane(verdict, is_known, is_known && is_clean);
    }
    assert_eq!(said(&conversation.config).as_ref(), Some(&verdicts), "decided otherwise when asked again");
}

/// A file of users. Each good one is written as it can be read again.
pub(crate) fn htpasswd(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (users, errors) = parse_htpasswd(&text);
    let lines = text.lines().count();
    for error in &errors {
        assert!(error.line >= 1 && error.line <= lines.max(1), "line {} of {lines}", error.line);
        assert!(!error.to_string().contains(['\r', '\n']));
    }
    for user in users {
        let line = format!("{}:{}", user.name, user.hash.to_htpasswd());
        let (again, errors) = parse_htpasswd(&line);
        assert!(errors.is_empty() && again == [user], "{line:?} is read otherwise");
    }
}

/// A header map of proxy-wasm: either it is whole, and written as it was, or it is empty.
pub(crate) fn pairs(bytes: &[u8]) {
    use meshwright_policy::{Headers, pairs};
    let headers = Headers::from_pairs(bytes.to_vec());
    if !pairs::are_whole(bytes) {
        assert!(headers.is_empty());
        return;
    }
    let list: Vec<_> = headers.iter().collect();
    assert_eq!(pairs::write(&list), bytes);
    for (name, _) in &list {
        assert!(headers.values(name).next().is_some());
    }
}

/// Every configuration of the tables: of these filters know only good names and texts.
static CONFIGS: LazyLock<BTreeSet<(String, Vec<u8>)>> = LazyLock::new(|| {
    let tables = tables().expect("the tables are well-formed");
    let config = |root_id: &str, config: &String| (root_id.to_owned(), config.clone().into_bytes());
    tables.iter().flat_map(|table| table.configs.values().map(move |text| config(table.root_id, text))).collect()
});

/// Of a configuration nobody knows, names and texts may be anything.
fn is_sane(verdict: &Verdict, names_are_good: bool, texts_are_good: bool) {
    let edit = |edit: &HeaderEdit| {
        let (name, value) = match edit {
            HeaderEdit::Remove { name } => (name, &b""[..]),
            HeaderEdit::Replace { name, value }
            | HeaderEdit::Add { name, value }
            | HeaderEdit::Default { name, value } => (name, value.as_slice()),
        };
        assert!(!names_are_good || is_name(name.strip_prefix(':').unwrap_or(name)), "a header `{name}`");
        assert!(!texts_are_good || !has_control_bytes(value), "{name}: {}", value.escape_ascii());
    };
    let reply = |reply: &LocalReply| {
        assert!((200..=599).contains(&reply.status), "status {}", reply.status);
        let is_grpc_status = reply.grpc_status.is_none_or(|status| status <= 16);
        assert!(!texts_are_good || is_grpc_status, "gRPC status {:?}", reply.grpc_status);
        assert!(reply.details.starts_with("meshwright_"), "details `{}`", reply.details);
        for (name, value) in &reply.headers {
            assert!(!names_are_good || is_name(name), "a header `{name}`");
            assert!(!texts_are_good || !has_control_bytes(value.as_bytes()), "{name}: {value:?}");
        }
    };
    let edits = match verdict {
        Verdict::Continue(edits) => edits,
        Verdict::Respond(answer) => return reply(answer),
        Verdict::Delay { millis, edits, then } => {
            assert!(*millis > 0, "a delay of nothing");
            then.iter().for_each(reply);
            edits
        }
        Verdict::CheckBody { edits, refused, .. } => {
            reply(refused);
            edits
        }
    };
    edits.request.iter().chain(&edits.response).for_each(edit);
}

/// A message about a configuration repeats none of its texts.
fn keeps_secrets(config: &[u8], message: &str) {
    const SHORTEST_SECRET: usize = 8;
    fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    assert!(message.len() <= 200 + config.len());
    let Ok(value) = serde_json::from_slice(config) else { return };
    let mut found = Vec::new();
    texts(&value, &mut found);
    // Between backticks are the examples of what is expected.
    let message: String = message.split('`').step_by(2).collect();
    for text in found.iter().filter(|text| text.len() >= SHORTEST_SECRET && !is_name(text)) {
        assert!(!message.contains(*text), "{message:?} repeats {text:?}");
    }
}

/// Milliseconds for each request: hashes that are slow on purpose.
fn is_slow(config: &[u8]) -> bool {
    const KINDS: [&[u8]; 7] = [b"2a", b"2b", b"2y", b"5", b"6", b"argon2id", b"pbkdf2-sha256"];
    config.split(|byte| *byte == b'$').any(|part| KINDS.contains(&part))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte)
}

/// Lower-case, and a token of RFC 9110.
fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn has_control_bytes(value: &[u8]) -> bool {
    value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f)
}
