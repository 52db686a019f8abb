//! `meshwright discover` as a person runs it: credentials and end point of the environment, a table, a record.

use std::path::Path;
use std::process::Output;

use fake::Fake;
use fake::faults::{Fault, Kind};
use fake::signature::Credentials;
use fake::world::Run;
use tokio::process::Command;
use trials::tasks::definitions::{ORDERS, json};

async fn with_orders() -> Fake {
    let fake = Fake::start().await.unwrap();
    let token = Some("a session".to_owned());
    fake.demand(Credentials { access_key: "nobody".to_owned(), secret_key: "nothing".to_owned(), token });
    fake.change(|world| {
        world.create_cluster("production");
        let orders = world.register(&json(ORDERS).unwrap()).unwrap();
        for last in 1..=3_u8 {
            world.run_task(Run::at("production", &orders, [127, 9, 0, last].into())).unwrap();
        }
    });
    fake
}

async fn discover(fake: &Fake, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
    let variables = [
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("AWS_SESSION_TOKEN", "a session"),
        ("AWS_REGION", "eu-central-1"),
    ];
    command.env_clear().envs(variables).env("AWS_ENDPOINT_URL", fake.url());
    command.arg("discover").args(arguments).output().await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn what_runs_is_shown_and_recorded() {
    let (fake, folder) = (with_orders().await, tempfile::tempdir().unwrap());
    let record = folder.path().join("observed.json");
    let output = discover(&fake, &["--cluster", "production", "--record", record.to_str().unwrap()]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(
        shown.contains("3/3") && shown.contains("3 of 3 tasks run in production of eu-central-1; 4 calls"),
        "{shown}"
    );
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert_eq!(recorded.matches("\"lastStatus\":\"RUNNING\",\"desiredStatus\"").count(), 3, "{recorded}");
}

#[tokio::test]
async fn machines_read_it_as_json() {
    let output = discover(&with_orders().await, &["--cluster", "production", "--format", "json"]).await;
    let whole: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&whole["services"][0]["running"], &whole["calls"]), (&3.into(), &4.into()));
}

#[tokio::test]
async fn nothing_is_recorded_of_what_cannot_be_read_whole() {
    let (fake, folder) = (with_orders().await, tempfile::tempdir().unwrap());
    fake.fail([Fault::of("DescribeTasks", Kind::Denied)]);
    let record = folder.path().join("observed.json");
    let output = discover(&fake, &["--cluster", "production", "--record", record.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(74));
    let said = text(&output.stderr);
    assert!(said.contains("nothing is recorded") && said.contains("DescribeTasks: AccessDeniedException"), "{said}");
    assert!(!Path::new(&record).exists());
}
