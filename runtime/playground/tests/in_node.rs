//! Every case of every table, decided by the policies as wasm32 code in Node.

#[path = "in_node/build.rs"]
mod build;
#[path = "in_node/node.rs"]
mod node;

use std::sync::LazyLock;

use node::Node;
use policy::Header;
use policy::testdata::{Case, End, Observed, Table, tables};
use serde_json::{Value, json};

static NODE: LazyLock<Node> = LazyLock::new(|| Node::find().unwrap_or_else(|problem| panic!("{problem}")));

#[test]
fn every_case_is_decided_as_its_table_says() {
    let tables = tables().expect("the tables are well-formed");
    let questions: Vec<Value> = tables.iter().flat_map(questions).collect();
    let answers = NODE.ask(&questions);
    assert_eq!(answers.len(), questions.len());

    let mut answers = answers.iter();
    let mut wrong = Vec::new();
    for table in &tables {
        for case in &table.cases {
            let answer = answers.next().expect("an answer to each question");
            let checked = observed(answer).and_then(|observed| case.check(&observed));
            wrong.extend(checked.err().map(|problem| format!("{}: {problem}", table.root_id)));
        }
        println!("wasm32 in Node: {}: {} cases", table.root_id, table.cases.len());
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mistakes_are_errors_in_javascript_too() {
    let question = |root_id: &str, config: &str, request: &str| -> Value {
        json!({ "filter": "x", "root_id": root_id, "config": config, "request": request })
    };
    for (question, problem) in [
        (question("nothing", "{}", "{}"), "no filter has the root id `nothing`"),
        (question("header-routing", "{\"rules\":\"hunter2\"}", "{}"), "rules: a list is expected"),
        (question("no-op", "{}", "[]"), "invalid length 0, expected struct RequestText with 9 elements"),
        (question("no-op", "{}", "{\"headers\":[[\"a\",\"\u{100}\"]]}"), "`\u{100}` is not one byte"),
    ] {
        let answers = NODE.ask(&[question]);
        let said = answers[0]["error"].as_str().expect("an error");
        assert!(said.starts_with(problem), "`{said}` instead of `{problem}`");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

/// The cases of a configuration are decided by one filter, as its requests are.
fn questions(table: &Table) -> Vec<Value> {
    let question = |case: &Case| {
        json!({
            "filter": format!("{}/{}", table.root_id, case.config),
            "root_id": table.root_id,
            "config": table.configs[&case.config],
            "request": request(case).to_string(),
        })
    };
    table.cases.iter().map(question).collect()
}

fn request(case: &Case) -> Value {
    let mut request = json!({
        "headers": pairs(&case.request),
        "body": text(&case.body),
        "upstream": pairs(&case.upstream),
        "repeat": case.repeat,
        "pause_millis": case.pause_millis,
        "at": case.at,
        "random": case.random,
    });
    for (property, value) in &case.properties {
        let name = match property {
            policy::Property::SourceAddress => "source",
            policy::Property::PeerUri => "peer",
        };
        request[name] = value.as_str().into();
    }
    request
}

fn observed(answer: &Value) -> Result<Observed, String> {
    if let Some(error) = answer.get("error") {
        return Err(error.to_string());
    }
    let end = match (answer.get("forwarded"), answer.get("replied")) {
        (Some(forwarded), None) => {
            End::Forwarded { headers: headers(&forwarded["headers"]), response: headers(&forwarded["response"]) }
        }
        (None, Some(replied)) => End::Replied {
            status: replied["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
            headers: headers(&replied["headers"]),
            body: bytes(&replied["body"]),
            details: replied["details"].as_str().expect("details").to_owned(),
        },
        _ => return Err(format!("neither forwarded nor replied: {answer}")),
    };
    let delay = answer.get("delay_millis").and_then(Value::as_u64);
    Ok(Observed { delay_millis: delay.map(|delay| delay.try_into().expect("a short delay")), end })
}

fn pairs(headers: &[Header]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn headers(pairs: &Value) -> Vec<Header> {
    let pairs = pairs.as_array().expect("a list of headers");
    pairs.iter().map(|pair| (bytes(&pair[0]), bytes(&pair[1]))).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes(text: &Value) -> Vec<u8> {
    let byte = |character| u8::try_from(character).expect("one byte");
    text.as_str().expect("a text").chars().map(byte).collect()
}
