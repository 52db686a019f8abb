//! A5: `meshwright serve` is killed in the middle of keeping what it serves, again and again, and started without its mesh.

use std::path::Path;
use std::time::Duration;

use local::EnvoyBinary;
use tokio::time::{Instant, sleep};

use crate::mesh::state;
use crate::serve::{Serve, Setup, replace};
use crate::stage::Stage;

/// Between two changes of the mesh.
const CHANGES: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub struct Recovered {
    pub kills: usize,
    /// How often it had a whole state to serve without its mesh.
    pub served: usize,
    /// From the start without its mesh to the first moment it served, sorted.
    pub recoveries: Vec<Duration>,
}

pub async fn killed(binary: &EnvoyBinary, program: &Path, kills: usize) -> anyhow::Result<Recovered> {
    let stage = Stage::set(binary, 1).await?;
    let folder = tempfile::tempdir()?;
    let (file, away) = (folder.path().join("mesh.kdl"), folder.path().join("away.kdl"));
    let setup = Setup {
        program: program.to_owned(),
        mesh: Some(file.clone()),
        ecs: None,
        listen: stage.server(0)?,
        admin: stage.admin(0)?,
        state: Some(folder.path().join("state")),
        log: folder.path().join("serve.log"),
    };
    let (mut served, mut recoveries, mut number) = (0, Vec::new(), 0);
    for kill in 0..kills {
        replace(&file, &state(number, &stage.places))?;
        let serve = Serve::start(&setup).await?;
        // Somewhere else in its work every time.
        let end = Instant::now() + Duration::from_millis(150) + Duration::from_micros(1700) * u32::try_from(kill)?;
        while Instant::now() < end {
            number += 1;
            replace(&file, &state(number, &stage.places))?;
            sleep(CHANGES).await;
        }
        serve.kill().await?;
        std::fs::rename(&file, &away)?;
        let begun = Instant::now();
        let again = Serve::start(&setup).await?;
        recoveries.push(begun.elapsed());
        let status = again.status().await?;
        served += usize::from(status["serving"]["proxies"] == 1 && !status["stale"].is_null());
        again.kill().await?;
    }
    recoveries.sort_unstable();
    Ok(Recovered { kills, served, recoveries })
}
