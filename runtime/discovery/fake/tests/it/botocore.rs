//! Every answer has the shape of AWS's own model, as botocore has it, and every request is signed.

use std::process::Stdio;

use fake::python;
use fake::signature::Credentials;
use tokio::process::Command;

use crate::client::with_orders;

#[tokio::test]
async fn every_answer_has_the_shape_of_the_model() {
    let fake = with_orders().await;
    let (access_key, secret_key) = ("test".to_owned(), "secret".to_owned());
    fake.demand(Credentials { access_key, secret_key, token: Some("temporary".to_owned()) });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/shapes.py");
    let output = Command::new(python::find().unwrap())
        .args([script, &fake.url()])
        .env_clear()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.credentials_url())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    assert_eq!(said.trim(), "22 actions, every field in the model");
    assert!(fake.calls().with("GetCredentials", "ok") > 0);
}
