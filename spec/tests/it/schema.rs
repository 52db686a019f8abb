//! The JSON Schema accepts what the decoder accepts, and refuses what is plainly wrong, as the decoder does.

use expect_test::expect_file;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use meshwright_spec::{Diagnostics, SourceFile, Sources, Syntax, parse, print, schema};
use proptest::prelude::*;
use serde_json::Value;

use crate::generate;
use crate::round_trip::read;

fn validator() -> Validator {
    jsonschema::draft7::options().build(&schema::json_schema()).expect("a schema")
}

fn mistakes(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).flat_map(|error| leaves(&error)).collect()
}

/// What is wrong in the form that comes nearest: the one whose first mistake lies deepest.
fn leaves(error: &ValidationError<'_>) -> Vec<String> {
    let forms = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => context,
        _ => return vec![format!("{}: {error}", error.instance_path())],
    };
    let depth = |errors: &Vec<String>| errors.iter().map(|error| error.matches('/').count()).max();
    forms.iter().map(|errors| errors.iter().flat_map(leaves).collect()).max_by_key(depth).unwrap_or_default()
}

fn has_errors(text: &str) -> bool {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.yaml", text));
    let mut diagnostics = Diagnostics::new();
    parse(file, Syntax::Yaml, &sources, &mut diagnostics);
    diagnostics.has_errors()
}

#[test]
fn the_committed_schema_is_that_of_the_language() {
    expect_file!["../../reference/mesh.schema.json"].assert_eq(&schema::json_schema_text());
}

#[test]
fn the_committed_page_is_that_of_the_language() {
    expect_file!["../../reference/schema-kdl.md"].assert_eq(&schema::page());
}

#[test]
fn the_schema_is_one_by_its_own_draft() {
    let errors = jsonschema::meta::validate(&schema::json_schema()).map_err(|error| error.to_string());
    assert_eq!(errors, Ok(()));
}

#[test]
fn whatever_can_be_said_is_valid_as_written_and_as_printed() {
    let validator = validator();
    for seed in 0..2_000 {
        let document = generate::document_of(&generate::bytes_of(seed, 400));
        assert!(validator.is_valid(&document), "{:#?}\n{document:#}", mistakes(&validator, &document));
        let mesh = read(&generate::yaml(&document), Syntax::Yaml).unwrap_or_else(|report| panic!("{report}"));
        let printed = print(&mesh, Syntax::Yaml);
        let document: Value = serde_yaml::from_str(&printed).expect("what is printed is YAML");
        assert!(validator.is_valid(&document), "{:#?}\n{printed}", mistakes(&validator, &document));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn what_the_schema_refuses_the_decoder_refuses_too(document in generate::changed_document()) {
        let text = generate::yaml(&document);
        let mistakes = VALIDATOR.with(|validator| mistakes(validator, &document));
        prop_assert!(mistakes.is_empty() || has_errors(&text), "{mistakes:#?}\n{text}");
    }
}

thread_local! {
    static VALIDATOR: Validator = validator();
}

#[test]
fn the_manuals_examples_are_valid() {
    let validator = validator();
    let mut blocks = 0;
    for folder in ["reference", "reference/diagnostics"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("the manual") {
            let path = entry.expect("a page").path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let page = std::fs::read_to_string(&path).expect("a page");
            for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
                if has_errors(block) {
                    continue;
                }
                let document: Value = serde_yaml::from_str(block).expect("YAML");
                assert!(validator.is_valid(&document), "{path:?}: {:#?}\n{block}", mistakes(&validator, &document));
                blocks += 1;
            }
        }
    }
    assert!(blocks >= 5, "only {blocks} examples were found");
}

#[test]
fn variables_may_stand_for_any_value() {
    let text = "{mesh: m, variables: {p: 80, t: 5s, on: true, w: http}, \
                service: {a: {port: '${p}', timeout: '${t}', protocol: '${w}', route: {to: b, websocket: '${on}'}}}}";
    let document: Value = serde_yaml::from_str(text).expect("YAML");
    assert_eq!(mistakes(&validator(), &document), Vec::<String>::new());
}

/// What both refuse.
const WRONG: &[&str] = &[
    "{}",
    "{service: {a: {}}}",
    "{mesh: [a]}",
    "{mesh: -a}",
    "{mesh: 7}",
    "{mesh: m, services: {}}",
    "{mesh: m, service: {a: {colour: red}}}",
    "{mesh: m, service: {a: {port: 0}}}",
    "{mesh: m, service: {a: {port: 65536}}}",
    "{mesh: m, service: {a: {port: '80'}}}",
    "{mesh: m, service: {a: {timeout: 15}}}",
    "{mesh: m, service: {a: {timeout: 15 s}}}",
    "{mesh: m, service: {a: {timeout: [15s]}}}",
    "{mesh: m, service: {a: {protocol: ftp}}}",
    "{mesh: m, service: {-a: {}}}",
    "{mesh: m, service: [{port: 80}]}",
    "{mesh: m, service: {a: 7}}",
    "{mesh: m, service: {a: {name: b}}}",
    "{mesh: m, service: {a: {endpoint: {weight: 1}}}}",
    "{mesh: m, service: {a: {endpoint: {address: '10.0.0.1:80', weight: 129}}}}",
    "{mesh: m, service: {a: {endpoint: '10.0.0.1'}}}",
    "{mesh: m, service: {a: {fault: {}}}}",
    "{mesh: m, service: {a: {fault: {max-active: 1}}}}",
    "{mesh: m, service: {a: {fault: {abort: 503}}}}",
    "{mesh: m, service: {a: {fault: {abort: {status: 503, percent: 1}, grpc-abort: {status: 1, percent: 1}}}}}",
    "{mesh: m, service: {a: {fault: {delay: {duration: 50ms, percent: 101}}}}}",
    "{mesh: m, service: {a: {retry: {}}}}",
    "{mesh: m, service: {a: {retry: {attempts: 1, on: often}}}}",
    "{mesh: m, service: {a: {retry: {attempts: 1, on: 'reset,often'}}}}",
    "{mesh: m, service: {a: {retry: {attempts: 1, status: ['503']}}}}",
    "{mesh: m, service: {a: {circuit-breaker: {}}}}",
    "{mesh: m, service: {a: {circuit-breaker: {max-retries: -1}}}}",
    "{mesh: m, service: {a: {route: {path: /}}}}",
    "{mesh: m, service: {a: {route: {to: b, respond: 200}}}}",
    "{mesh: m, service: {a: {route: {to: [], path: /}}}}",
    "{mesh: m, service: {a: {route: {to: b, path: /, path-prefix: /}}}}",
    "{mesh: m, service: {a: {route: {to: b, path: 'no'}}}}",
    "{mesh: m, service: {a: {route: {to: b, header: {name: x}}}}}",
    "{mesh: m, service: {a: {route: {to: b, header: {name: x, present: false}}}}}",
    "{mesh: m, service: {a: {route: {to: b, header: {name: x, exact: a, prefix: b}}}}}",
    "{mesh: m, service: {a: {route: {to: b, method: get}}}}",
    "{mesh: m, service: {a: {annotations: {a: null}}}}",
    "{mesh: m, service: {a: {annotations: {a: {b: c}}}}}",
    "{mesh: m, service: {a: {header-routing: {rule: {to: b}}}}}",
    "{mesh: m, service: {a: {cors: {allow-credentials: 'yes'}}}}",
    "{mesh: m, node: {a/: {}}}",
    "{mesh: m, gateway: {a: {}}}",
    "{mesh: m, gateway: {a: {listen: []}}}",
    "{mesh: m, gateway: {a: {listen: 8080, trusted-hops: 17}}}",
    "{mesh: m, jwt-provider: {a: {issuer: b}}}",
    "{mesh: m, test: {a: {request: {from: a, url: 'http://a/'}}}}",
];

#[test]
fn what_is_plainly_wrong_is_refused_by_both() {
    let validator = validator();
    for text in WRONG {
        let document: Value = serde_yaml::from_str(text).expect("YAML");
        assert!(has_errors(text), "the decoder accepts {text}");
        assert!(!validator.is_valid(&document), "the schema accepts {text}");
    }
}

/// What the decoder alone refuses: the schema counts keys.
#[test]
fn a_block_of_empty_lists_says_nothing() {
    for block in ["request-headers: {set: []}", "cors: {allow-origin: []}", "defaults: {stats: {tags: {}}}"] {
        let text = match block.starts_with("defaults") {
            true => format!("{{mesh: m, {block}}}"),
            false => format!("{{mesh: m, service: {{a: {{{block}}}}}}}"),
        };
        assert!(has_errors(&text), "{text}");
    }
}
