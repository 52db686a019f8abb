//! The small AWS for scripts: serves until it is stopped. Its only argument is where, such as `127.0.0.1:4566`.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use fake::Fake;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let address = match std::env::args().nth(1).map(|text| text.parse::<SocketAddr>()) {
        None => (Ipv4Addr::LOCALHOST, 0).into(),
        Some(Ok(address)) => address,
        Some(Err(error)) => return fail(&error.to_string()),
    };
    match Fake::start_at(address).await {
        Ok(fake) => {
            println!("AWS_ENDPOINT_URL={}", fake.url());
            std::future::pending().await
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}
