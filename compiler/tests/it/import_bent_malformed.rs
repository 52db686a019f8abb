//! Whatever stands in a bent file: every mistake has a place, and nothing panics.

use std::fmt::Write;

use meshwright_compiler::import::bent;
use proptest::prelude::*;
use spec::{Diagnostics, Severity, SourceFile, Sources};

use crate::findings::findings;

fn import(text: &str) -> (Diagnostics, Sources) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("config.yaml", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = bent::import(file, &sources, &mut diagnostics);
    assert!(mesh.is_some() || diagnostics.has_errors(), "nothing came out, and nothing says why");
    (diagnostics, sources)
}

/// The file, the code of one of its findings, and where that finding is.
const MALFORMED: &[(&str, &str, (usize, usize))] = &[
    ("", "missing-field", (1, 1)),
    ("# nothing\n", "missing-field", (1, 1)),
    ("~", "wrong-type", (1, 1)),
    ("text", "wrong-type", (1, 1)),
    ("- nodes", "wrong-type", (1, 1)),
    ("{}", "missing-field", (1, 1)),
    ("node: {}\n", "not-mapped", (1, 1)),
    ("nodes: {a: [}", "syntax", (1, 12)),
    ("nodes:\n\ta: []\n", "syntax", (2, 2)),
    ("nodes: 'open", "syntax", (1, 8)),
    ("nodes: *none", "syntax", (1, 8)),
    ("nodes: &n\n  a: *n\n", "syntax", (2, 6)),
    ("nodes: []", "wrong-type", (1, 8)),
    ("nodes: text", "wrong-type", (1, 8)),
    ("nodes: {a: }\nnodes: {b: }\n", "duplicate-field", (2, 1)),
    ("nodes:\n  a:\n  a:\n", "duplicate-field", (3, 3)),
    ("nodes:\n  a:\n  A:\n", "duplicate-name", (3, 3)),
    ("nodes:\n  a: text\n", "wrong-type", (2, 6)),
    ("nodes:\n  a: {name: x.svc}\n", "wrong-type", (2, 7)),
    ("nodes:\n  a b:\n", "invalid-name", (2, 3)),
    ("nodes:\n  ? [a]\n  : []\n", "wrong-type", (2, 5)),
    ("nodes: {a: [text]}", "wrong-type", (1, 13)),
    ("nodes: {a: [~]}", "wrong-type", (1, 13)),
    ("nodes: {a: [[]]}", "wrong-type", (1, 13)),
    ("nodes: {a: [{endpoints: []}]}", "missing-field", (1, 14)),
    ("nodes: {a: [{name: }]}", "missing-field", (1, 14)),
    ("nodes: {a: [{name: [x]}]}", "wrong-type", (1, 20)),
    ("nodes: {a: [{name: 'x y'}]}", "invalid-name", (1, 20)),
    ("nodes: {a: [{name: '*'}]}", "invalid-name", (1, 20)),
    ("nodes: {a: [{name: x, name: y}]}", "duplicate-field", (1, 23)),
    ("nodes: {a: [{name: x, endpoints: y}]}", "wrong-type", (1, 34)),
    ("nodes: {a: [{name: x, endpoints: {}}]}", "wrong-type", (1, 34)),
    ("nodes: {a: [{name: x, endpoints: [y]}]}", "wrong-type", (1, 35)),
    ("nodes: {a: [{name: x, endpoints: [{port: 1}]}]}", "missing-field", (1, 36)),
    ("nodes: {a: [{name: x, endpoints: [{address: 10.0.0.1}]}]}", "missing-field", (1, 36)),
    ("nodes: {a: [{name: x, endpoints: [{address: db, port: 1}]}]}", "invalid-address", (1, 45)),
    ("nodes: {a: [{name: x, endpoints: [{address: '10.0.0.1:80', port: 1}]}]}", "invalid-address", (1, 45)),
    ("nodes: {a: [{name: x, endpoints: [{address: 10.0.0, port: 1}]}]}", "invalid-address", (1, 45)),
    ("nodes: {a: [{name: x, endpoints: [{address: [1], port: 1}]}]}", "wrong-type", (1, 45)),
    ("nodes: {a: [{name: x, endpoints: [{address: '::1', port: 0}]}]}", "invalid-value", (1, 58)),
    ("nodes: {a: [{name: x, endpoints: [{address: 1.1.1.1, port: 65536}]}]}", "invalid-value", (1, 60)),
    ("nodes: {a: [{name: x, endpoints: [{address: 1.1.1.1, port: -1}]}]}", "wrong-type", (1, 60)),
    ("nodes: {a: [{name: x, endpoints: [{address: 1.1.1.1, port: 1.5}]}]}", "wrong-type", (1, 60)),
    ("nodes: {a: [{name: x, endpoints: [{address: 1.1.1.1, port: http}]}]}", "wrong-type", (1, 60)),
    ("nodes: {a: [{name: x, endpoints: [{address: 1.1.1.1, port: {}}]}]}", "wrong-type", (1, 60)),
    ("nodes: {a: [{name: x, annotations: text}]}", "wrong-type", (1, 36)),
    ("nodes: {a: [{name: x, annotations: [timeout]}]}", "wrong-type", (1, 36)),
    ("nodes: {a: [{name: x, annotations: {timeout: [1]}}]}", "wrong-type", (1, 46)),
    ("nodes: {a: [{name: x, annotations: {timeout: soon}}]}", "invalid-annotation", (1, 46)),
    ("nodes: {a: [{name: x, annotations: {timeout: }}]}", "invalid-annotation", (1, 37)),
    ("nodes: {a: [{name: x, annotations: {timeuot: 1}}]}", "unknown-annotation", (1, 37)),
    ("services: {}", "wrong-type", (1, 11)),
    ("services: [{name: x, endpoints: [{}]}]", "missing-field", (1, 34)),
    ("nodes: !Ref a", "not-mapped", (1, 13)),
    ("nodes: {<<: text}", "wrong-type", (1, 13)),
];

#[test]
fn every_mistake_has_a_code_and_a_place() {
    let mut wrong = String::new();
    for (text, code, (line, column)) in MALFORMED {
        let (diagnostics, sources) = import(text);
        let hit = diagnostics.iter().any(|found| {
            let place = found.span().map(|span| sources.position(span));
            let at = place.map(|place| (place.line, place.column));
            found.code.slug == *code && at == Some((*line, *column))
        });
        if !hit {
            let _ = writeln!(wrong, "{text:?}: no {code} at {line}:{column}\n{}", findings(&diagnostics, &sources));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn bombs_are_refused() {
    let aliases = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        format!("{text}a{0}: &a{0} [*a{level}, *a{level}]\n", level + 1)
    });
    let chain =
        (0..200).fold("a0: &a0 [x]\n".to_owned(), |text, level| format!("{text}a{0}: &a{0} [*a{level}]\n", level + 1));
    let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(1_000_000), "*a,".repeat(1_000));
    let anchors = (0..60).fold(String::new(), |text, level| format!("{text}&b{level} [")) + &"x,".repeat(100_000);
    let bombs = [
        aliases,
        chain,
        long,
        anchors,
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(10_000),
        format!("nodes: '{}'", "x".repeat(5_000_001)),
    ];
    for bomb in bombs {
        let (diagnostics, _) = import(&bomb);
        assert!(diagnostics.has_errors(), "{}", bomb.chars().take(60).collect::<String>());
    }
}

#[test]
fn bombs_of_aliases_are_too_large() {
    let text = "x".repeat(4_000_000);
    let long = format!("a: &a '{text}'\nb: [{}]\n", "*a,".repeat(100_000));
    let chain =
        (0..200).fold("a0: &a0 [x]\n".to_owned(), |text, level| format!("{text}a{0}: &a{0} [*a{level}]\n", level + 1));
    let key = format!("a: &a {{? '{text}' : 1}}\nb: [{}]\n", "*a,".repeat(100_000));
    for bomb in [long, chain, key] {
        let (diagnostics, _) = import(&bomb);
        assert!(diagnostics.iter().any(|found| found.code.slug == "too-large"), "{:.60}", bomb);
    }
}

#[test]
fn spans_are_at_character_boundaries() {
    let text = "nodes: {ä: [{name: ö, ü: é, endpoints: [{address: ß, port: 日本}]}]}";
    let (diagnostics, _) = import(text);
    assert!(diagnostics.count(Severity::Error) >= 3);
    for label in diagnostics.iter().flat_map(|found| &found.labels) {
        assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{label:?}");
    }
}

/// A tree that often has bent's keys in the right places, as YAML in flow style.
fn tree() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => prop::sample::select(vec![
            "nodes", "services", "name", "endpoints", "address", "port", "annotations", "ingress", "fault.inject",
            "fault.abort.percent", "endpoint.weight", "healthcheck.path", "num-retries", "<<", "alpha",
        ]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9.-]{1,8}",
    ];
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "~", "''", "10.0.0.1", "10.0.0.2", "3000", "4100", "0", "-1", "1.5", "true", "x.svc", "y.svc", "/up", "5",
        ])
        .prop_map(str::to_owned),
        "[a-z0-9]{0,6}".prop_map(|text| format!("'{text}'")),
    ];
    let grown = leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    });
    let services = prop::collection::vec(grown.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
    let endpoint = (grown.clone(), grown.clone(), grown.clone())
        .prop_map(|(address, port, notes)| format!("{{address: {address}, port: {port}, annotations: {notes}}}"));
    let service =
        (grown.clone(), prop::collection::vec(endpoint, 0..3), grown.clone()).prop_map(|(name, endpoints, notes)| {
            format!("{{name: {name}, endpoints: [{}], annotations: {notes}}}", endpoints.join(", "))
        });
    let shaped = (services, prop::collection::vec(service, 0..4)).prop_map(|(services, served)| {
        let nodes: Vec<_> = served.iter().enumerate().map(|(id, service)| format!("n{id}: [{service}]")).collect();
        format!("{{services: {services}, nodes: {{{}}}}}", nodes.join(", "))
    });
    prop_oneof![grown, shaped]
}

fn check_spans(text: &str) {
    let (diagnostics, _) = import(text);
    for label in diagnostics.iter().flat_map(|found| &found.labels) {
        assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{label:?} of {text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn trees_never_panic(text in tree()) {
        check_spans(&text);
    }

    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        check_spans(&text);
    }

    #[test]
    fn yaml_like_text_never_panics(text in "[-\\[\\]{}:,&*!|>'\"#%@` \n\ta-c0-9<~?.é]{0,60}") {
        check_spans(&text);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_spans(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_files_never_panic(start in 0_usize..2_000, length in 0_usize..40, insert in "[-\\[\\]{}:,&*'\" \n0a]{0,4}") {
        let whole = include_str!("../../../examples/bent-playground/config.yaml");
        let start = whole.floor_char_boundary(start);
        let end = whole.floor_char_boundary((start + length).max(start));
        let damaged = format!("{}{insert}{}", &whole[..start], &whole[end..]);
        check_spans(&damaged);
    }
}
