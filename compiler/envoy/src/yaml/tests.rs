//! Whatever the text, readers of YAML 1.1 and of YAML 1.2 get it back.

use std::sync::LazyLock;

use expect_test::expect;
use granit_parser::{Event, Parser, ScalarStyle};
use proptest::prelude::*;
use regex::Regex;

use super::{At, Yaml};
use crate::print::Syntax;

/// A value as YAML knows it. Map keys keep their order.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// Texts that some reader of YAML takes for something else when they are not quoted.
static PROBES: LazyLock<Vec<String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tests/probes.json")).expect("a list of texts"));

#[test]
fn probes_read_back_as_themselves() {
    for probe in PROBES.iter() {
        let text = Tree::Text(probe.clone());
        reads_back(&text);
        reads_back(&Tree::Map(vec![("text".to_owned(), text.clone())]));
        reads_back(&Tree::Map(vec![(probe.clone(), text.clone())]));
        reads_back(&Tree::List(vec![text.clone(), Tree::List(vec![text.clone(), text])]));
    }
}

#[test]
fn a_long_key_reads_back() {
    let entries = ["short", "no", "long \"key\""].map(|key| (key.repeat(300), Tree::Text(key.to_owned())));
    reads_back(&Tree::Map(vec![("outer".to_owned(), Tree::List(vec![Tree::Map(entries.to_vec())]))]));
}

#[test]
fn several_lines_become_a_literal_block_when_it_keeps_them() {
    let texts = ["a\nb\n", "a\n\n b", "a\r\nb", "a\n\n", " a\nb"];
    let entries = texts.iter().enumerate().map(|(at, text)| (format!("key{at}"), Tree::Text((*text).to_owned())));
    expect![[r#"
        key0: |
          a
          b
        key1: |-
          a

           b
        key2: "a\r\nb"
        key3: "a\n\n"
        key4: " a\nb"
    "#]]
    .assert_eq(&print(&Tree::Map(entries.collect())));
}

#[test]
fn regular_expressions_stay_readable() {
    let texts = ["^/api/[^/]+$", r"^\d+$", r#"^"it's"$"#, r"[a-z]\.example"];
    expect![[r#"
        - ^/api/[^/]+$
        - ^\d+$
        - ^"it's"$
        - '[a-z]\.example'
    "#]]
    .assert_eq(&print(&Tree::List(texts.map(|text| Tree::Text(text.to_owned())).to_vec())));
}

proptest! {
    #[test]
    fn any_tree_reads_back(tree in trees()) {
        reads_back(&tree);
    }

    #[test]
    fn any_text_reads_back(text in texts()) {
        reads_back(&Tree::Map(vec![(text.clone(), Tree::Text(text))]));
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(PROBES.as_slice()),
        "[0-9a-fxo_.,:+eETZ -]{0,8}",
        "[yYnNoOfFtTrRuUeEsSaAlLiI~=<]{0,5}",
        "[a-c \n\t#:'\"\\\\|>-]{0,12}",
        any::<String>(),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Integer),
        any::<f64>().prop_filter("whole numbers print as integers", |value| value.fract() != 0.0).prop_map(Tree::Float),
        (-300..300i32).prop_map(|power| Tree::Float(10f64.powi(power) * 1.5 + 0.25)),
        texts().prop_map(Tree::Text),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Tree::List),
            prop::collection::btree_map(texts(), inner, 0..5).prop_map(|map| Tree::Map(map.into_iter().collect())),
        ]
    })
}

fn print(tree: &Tree) -> String {
    let mut out = String::new();
    write(tree, &mut Yaml { out: &mut out, indent: 0, at: At::Start });
    out
}

fn write(tree: &Tree, yaml: &mut Yaml<'_>) {
    match tree {
        Tree::Null => yaml.null(),
        Tree::Bool(value) => yaml.bool(*value),
        Tree::Integer(value) => yaml.integer(*value),
        Tree::Float(value) => yaml.float(*value),
        Tree::Text(text) => yaml.text(text),
        Tree::List(items) if items.is_empty() => yaml.empty_list(),
        Tree::List(items) => {
            yaml.open_list();
            for item in items {
                yaml.item();
                write(item, yaml);
            }
            yaml.close_list();
        }
        Tree::Map(entries) if entries.is_empty() => yaml.empty_map(),
        Tree::Map(entries) => {
            yaml.open_map();
            for (key, value) in entries {
                yaml.key(key);
                write(value, yaml);
            }
            yaml.close_map();
        }
    }
}

#[track_caller]
fn reads_back(tree: &Tree) {
    let yaml = print(tree);
    let value: serde_yaml::Value =
        serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}\nfor {tree:?}"));
    assert_eq!(&of_serde(value), tree, "YAML 1.2 in\n{yaml}");
    assert_eq!(&read_1_1(&yaml), tree, "YAML 1.1 in\n{yaml}");
}

fn of_serde(value: serde_yaml::Value) -> Tree {
    match value {
        serde_yaml::Value::Null => Tree::Null,
        serde_yaml::Value::Bool(value) => Tree::Bool(value),
        serde_yaml::Value::Number(number) => match number.as_i64() {
            Some(value) => Tree::Integer(value),
            None => Tree::Float(number.as_f64().expect("a number is an integer or a float")),
        },
        serde_yaml::Value::String(text) => Tree::Text(text),
        serde_yaml::Value::Sequence(items) => Tree::List(items.into_iter().map(of_serde).collect()),
        serde_yaml::Value::Mapping(entries) => {
            Tree::Map(entries.into_iter().map(|(key, value)| (text_of(of_serde(key)), of_serde(value))).collect())
        }
        serde_yaml::Value::Tagged(tagged) => panic!("a tag was never written: {tagged:?}"),
    }
}

/// Syntax by an independent parser, meaning of plain scalars by the YAML 1.1 type repository.
fn read_1_1(yaml: &str) -> Tree {
    let mut events = Parser::new_from_str(yaml)
        .map(|event| event.unwrap_or_else(|error| panic!("{error} in\n{yaml}")).0)
        .filter(|event| !matches!(event, Event::StreamStart | Event::DocumentStart(..)));
    let first = events.next().expect("a document holds a node");
    read_node(first, &mut events)
}

fn read_node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Tree {
    match event {
        Event::Scalar(text, style, ..) => read_scalar(&text, style),
        Event::SequenceStart(..) => {
            let mut items = vec![];
            loop {
                match events.next().expect("a list ends") {
                    Event::SequenceEnd => return Tree::List(items),
                    item => items.push(read_node(item, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = vec![];
            loop {
                match events.next().expect("a map ends") {
                    Event::MappingEnd => return Tree::Map(entries),
                    key => {
                        let key = text_of(read_node(key, events));
                        let value = events.next().expect("a key has a value");
                        entries.push((key, read_node(value, events)));
                    }
                }
            }
        }
        other => panic!("never written: {other:?}"),
    }
}

fn read_scalar(text: &str, style: ScalarStyle) -> Tree {
    static NULL: LazyLock<Regex> = LazyLock::new(|| pattern(r"~|null|Null|NULL|"));
    static BOOL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i:y|yes|n|no|true|false|on|off)"));
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_,]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+",
            r"|[-+]?([0-9][0-9_]*)?\.[0-9._]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*",
            r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+",
        ))
    });
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"<<|=|[0-9]{4}-[0-9]{2}-[0-9]{2}",
            r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?",
        ))
    });
    if style != ScalarStyle::Plain {
        return Tree::Text(text.to_string());
    }
    assert!(!OTHER.is_match(text), "`{text}` is a date or a directive in YAML 1.1");
    if NULL.is_match(text) {
        Tree::Null
    } else if BOOL.is_match(text) {
        Tree::Bool(matches!(text.to_lowercase().as_str(), "y" | "yes" | "true" | "on"))
    } else if NUMBER.is_match(text) {
        match text.parse() {
            Ok(value) => Tree::Integer(value),
            Err(_) => Tree::Float(text.parse().unwrap_or(f64::NAN)),
        }
    } else {
        Tree::Text(text.to_string())
    }
}

fn text_of(key: Tree) -> String {
    match key {
        Tree::Text(text) => text,
        other => panic!("a key is always a text, not {other:?}"),
    }
}

fn pattern(alternatives: &str) -> Regex {
    Regex::new(&format!("^(?:{alternatives})$")).expect("a correct pattern")
}
