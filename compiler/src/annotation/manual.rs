//! The manual's chapter on annotations, written from the table.

use spec::annotate::{self, Key};

use super::{DEFINITIONS, find};

/// The whole chapter, in Markdown; always the same bytes.
pub fn manual() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("| key | takes | default | speaks of | meaning |\n|---|---|---|---|---|\n");
    for definition in DEFINITIONS {
        let (key, level, doc) = (definition.key, definition.level, definition.doc);
        let (accepts, default) = (definition.accepts(), definition.default);
        text.push_str(&format!("| `{key}` | {accepts} | {default} | {level} | {doc} |\n"));
    }
    text.push_str(FIELDS);
    for (level, keys) in [("service", annotate::service_keys()), ("endpoint", annotate::endpoint_keys())] {
        for Key { pattern, target } in keys.iter().filter(|key| find(&key.pattern).is_none()) {
            let doc = target.field.doc.replace("\n\n", " ").replace('|', "\\|");
            let default = target.field.default.unwrap_or("absent");
            text.push_str(&format!("| `{pattern}` | {} | {default} | {level} | {doc} |\n", target.accepts()));
        }
    }
    text.push_str(RULES);
    text
}

const INTRODUCTION: &str = "\
# Annotations

Annotations say as plain `key = value` text what the language says with fields of its own: container labels \
can hold nothing else. Every key of bent works unchanged; the others are Meshwright's. Values are text, case \
matters in keys, and a value that is not accepted is an error, never a silent default.

";

const FIELDS: &str = "
## Fields of the language

Every other field of a service or an endpoint is said by its way from there, joined by dots: `retry.attempts`, \
`outlier-detection.interval`. `N` is a number: what can be said again and again is put in the order of its numbers, after \
what the mesh itself says (`route.1.path-prefix`, `route.1.to.1.service`). `NAME` is the name of a named thing, without \
dots; `KEY` is a key of your own. Values are written as in YAML, without quotes; where commas \
stand between several, one with a comma in it is said in the mesh itself.

| key | takes | default | speaks of | meaning |
|---|---|---|---|---|
";

const RULES: &str = "
## Where they are written, and what they speak of

Annotations stand on a service, on a service of a node (`serves`), or on one endpoint of either.

- **service**: holds for the whole service, wherever it is written. Two places that say different things are \
an error that shows both.
- **node**: written on a service, it holds on every node that serves it; written on a node's service or on an \
endpoint, on that node only, where it replaces what the service says as a whole.
- **endpoint**: written on an endpoint, it is that endpoint's; written on a node's service, it is that of every \
endpoint the service has on the node; written on a service, of all its endpoints. The narrower place wins. \
Where the sidecar finds the application under the address that callers were given, or under its only address on \
the node, both carry the same weight.

An annotation and a field that say different things of one service are an error too.

## What needs what

- bent's `fault.*` has no effect without `fault.inject` in the same place. Where another field of `fault` stands beside it \
and no `fault.inject`, it is a field of that fault: `fault.delay.duration` needs a unit then.
- `fault.delay.duration` has no effect without `fault.delay.percent`, `fault.abort.code` none without \
`fault.abort.percent`.
- `basic-auth.realm` has no effect without `basic-auth.htpasswd-file`.
- `num-retries` alone turns retries on.

Each of these is a warning or a note, with its place.
";
