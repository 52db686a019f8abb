//! The command speaks AWS's protocol: it serves what runs on moto, an emulator that nobody here wrote.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;
use fake::moto;
use local::Subnet;
use trials::serve::{Ecs, Serve, Setup};
use trials::tasks::definitions::{self, ALL};
use trials::tasks::{CLUSTER, INTERVAL};

use crate::say;

pub(crate) async fn show(program: &Path) -> anyhow::Result<()> {
    say("starting moto, registering the task definitions there, running those that need no EC2 instance");
    let moto = moto::start().await?;
    moto.create_cluster(CLUSTER).await?;
    let mut running = 0;
    for text in ALL {
        let definition = definitions::json(text)?;
        let arn = moto.register(&definition).await?;
        if definition["networkMode"] == "awsvpc" {
            running += moto.run(CLUSTER, &arn, 1).await?.len();
        }
    }
    let claim = Subnet::claim()?;
    let address = IpAddr::from(claim.subnet().addresses().next().context("a range has addresses")?);
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("serve.log");
    let arguments = ["--cluster", CLUSTER].map(str::to_owned).to_vec();
    let setup = Setup {
        program: program.to_owned(),
        mesh: None,
        ecs: Some(Ecs { endpoint: moto.url(), interval: INTERVAL, arguments }),
        listen: SocketAddr::new(address, 18000),
        admin: SocketAddr::new(address, 18001),
        state: None,
        log: log.clone(),
    };
    let serve = Serve::start(&setup).await?;
    let told = |status: &serde_json::Value| status["serving"]["proxies"].as_u64() == u64::try_from(running).ok();
    let told = serve.wait_for("every task that runs has a sidecar that is served", told).await;
    told.with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
    say(&format!("meshwright serve --ecs read {running} tasks from moto, and serves their sidecars"));
    serve.stop().await
}
