//! Editing only the share of a fault: the listener stays, a connection that is open obeys, nothing fails. And a file that
//! is only touched tells nobody anything.

use std::path::Path;
use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use tokio::time::sleep;

use crate::load::{Plan, Tally};
use crate::mesh::{Places, compile};
use crate::proxy::{Proxy, Setup, module};
use crate::serve::{Serve, replace};
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(20);
/// What the fault answers.
const STATUS: u16 = 418;
const INGRESS: u16 = 4100;
const LISTENERS: [&str; 3] = [
    "listener_manager.listener_modified",
    "listener_manager.listener_added",
    "listener_manager.listener_in_place_updated",
];
/// For so long a touched file is watched.
const TOUCHED: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub struct Edited {
    pub tally: Tally,
    /// From each write to the first answer since which all obey it.
    pub obeyed: Vec<Duration>,
    /// Listeners that were changed.
    pub listeners: u64,
    /// Updates of any kind that Envoy got because the file was touched.
    pub touched: u64,
}

/// `edits` times from none to all and back.
pub async fn fault(binary: &EnvoyBinary, program: &Path, variant: Variant, edits: usize) -> anyhow::Result<Edited> {
    let stage = Stage::set(binary, 1).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mesh.kdl");
    replace(&file, &mesh(&stage.places, 0))?;
    let serve = Serve::start(&crate::serve::Setup {
        program: program.to_owned(),
        mesh: Some(file.clone()),
        ecs: None,
        listen: stage.server(0)?,
        admin: stage.admin(0)?,
        state: None,
        log: folder.path().join("serve.log"),
    })
    .await?;
    let address = *stage.places.edges.first().unwrap_or(&stage.server(0)?.ip());
    let setup =
        Setup { binary: binary.clone(), variant, id: "beta".to_owned(), address, servers: vec![stage.server(0)?] };
    let proxy = Proxy::start(&setup, &compile(&mesh(&stage.places, 0), &module())?).await?;
    let at = std::net::SocketAddr::new(address, INGRESS);
    let load = Plan { host: "beta.svc".to_owned(), also: Some(STATUS), connections: 4, ..Plan::steady(at) }.start();
    anyhow::ensure!(load.wait_for("200", PATIENCE).await.is_some(), "Envoy does not answer: {:?}", load.tally());
    let before = listeners(&proxy).await?;
    let mut obeyed = Vec::new();
    for edit in 0..edits {
        let (percent, status) = if edit % 2 == 0 { (100, STATUS.to_string()) } else { (0, "200".to_owned()) };
        replace(&file, &mesh(&stage.places, percent))?;
        let from = std::time::Instant::now();
        let since = load.wait_for(&status, PATIENCE).await;
        let since = since.ok_or_else(|| anyhow::anyhow!("the fault of {percent} % is not obeyed"))?;
        obeyed.push(since.saturating_duration_since(from));
    }
    let listeners = listeners(&proxy).await? - before;
    let told = proxy.updates().await?;
    let text = std::fs::read(&file)?;
    std::fs::write(&file, text)?;
    std::fs::File::options().append(true).open(&file)?.set_modified(std::time::SystemTime::now())?;
    sleep(TOUCHED).await;
    let touched = proxy.updates().await? - told;
    let tally = load.stop().await;
    proxy.stop().await;
    serve.kill().await?;
    Ok(Edited { tally, obeyed, listeners, touched })
}

async fn listeners(proxy: &Proxy) -> anyhow::Result<u64> {
    let mut changed = 0;
    for counter in LISTENERS {
        changed += proxy.counter(counter).await?;
    }
    Ok(changed)
}

fn mesh(places: &Places, percent: u8) -> String {
    let (Some(edge), Some(backend)) = (places.edges.first(), places.backends.first()) else { return String::new() };
    format!(
        r#"mesh "trial" {{
    service "beta.svc" {{
        endpoint "{edge}:3000" node="beta"
        fault {{ abort {STATUS} percent={percent} }}
    }}
    node "beta" {{
        bind "{edge}"
        serves "beta.svc" {{ upstream "{backend}" }}
    }}
}}
"#
    )
}
