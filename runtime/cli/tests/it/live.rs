//! A mesh goes in, real Envoys load what comes out, requests meet what the mesh says.

mod attacks;
mod egress;
mod faults;
mod gateway;
mod header_routing;
mod health;
mod observability;
mod regular_expressions;
mod retries;
mod service_auth;
mod shares;

use std::time::Duration;

use local::{Client, Options, Request, Response};
use meshwright::input::{Input, Reading};
use meshwright::launch::{Addresses, Started, start};
use meshwright::mesh::ready;
use meshwright::report::Format;

/// A mesh on real Envoys, healthy. Ends with the test.
struct Live {
    started: Started,
}

/// `ada:lovelace` and `grace:hopper`.
const HTPASSWD: &str = "ada:{SSHA}fjmVeynsAuHB01NAPYekjlGyptFtZXNod3JpZw==\ngrace:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n";

impl Live {
    /// Runs `mesh "live" { … }`.
    async fn up(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.kdl");
        std::fs::write(&path, format!("mesh \"live\" {{\n{body}\n}}\n")).unwrap();
        std::fs::write(folder.path().join("users.htpasswd"), HTPASSWD).unwrap();
        let input = Input { path: path.to_str().unwrap().to_owned(), reading: Reading::default() };
        let ready = ready(&input, Format::Text).unwrap().expect("the mesh has no mistakes");
        let binary = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        let started = start(&ready, Addresses::claim().unwrap(), Options::new(binary)).await;
        let started = started.unwrap_or_else(|exit| panic!("{:#}", exit.error));
        started.running.wait_healthy(Duration::from_secs(60)).await.unwrap();
        Self { started }
    }

    /// To the egress port of a node, or the port of a gateway.
    fn client(&self, instance: &str) -> Client {
        Client::new(self.started.running.instance(instance).unwrap().instance().entrance())
    }

    async fn send(&self, instance: &str, request: Request) -> Response {
        self.client(instance).send(&request).await.unwrap()
    }

    /// Many requests, 32 at a time.
    async fn send_many(&self, instance: &str, request: Request, count: usize) -> Vec<Response> {
        let address = self.started.running.instance(instance).unwrap().instance().entrance();
        let answers = local::send_all(address, vec![request; count], 32).await;
        answers.into_iter().map(Result::unwrap).collect()
    }

    async fn counter(&self, instance: &str, name: &str) -> u64 {
        self.started.running.instance(instance).unwrap().counter(name).await.unwrap()
    }
}

/// Which service's workload answered; panics when none did.
#[track_caller]
fn service(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()["service"].as_str().unwrap().to_owned()
}

#[track_caller]
fn node(response: &Response) -> String {
    response.json().unwrap()["node"].as_str().unwrap().to_owned()
}

/// The values with which a header reached the workload.
#[track_caller]
fn received(response: &Response, header: &str) -> Vec<String> {
    let body = response.json().unwrap();
    let values = body["headers"].get(header).and_then(|values| values.as_array().cloned()).unwrap_or_default();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
