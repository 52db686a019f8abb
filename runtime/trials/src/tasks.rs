//! Tasks of ECS on this machine: what AWS says of them is the fake's, what runs in them is real.
//!
//! A task goes the way that it goes on ECS. Its address is known before anything runs in it; its application starts when
//! its Envoy is ready, as `dependsOn HEALTHY` has it, and then it is RUNNING; and when it is to stop, AWS says so before
//! anything in it ends.

pub mod crowd;
pub mod definitions;
pub mod event;
pub mod process;
pub mod scenes;
pub(crate) mod sidecar;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use compiler::lower::{EGRESS_PORT, INGRESS_PORT};
use fake::Fake;
use fake::faults::{Fault, Kind};
use fake::world::{Health, Pace, Run, Status, World};
use local::subnet::Claim;
use local::{Client, EnvoyBinary, Request, Subnet};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::load::{Load, Plan};
use crate::serve::{Ecs, Serve, Setup};
use event::Mark;
use process::Processes;

pub const CLUSTER: &str = "production";
/// Between two reads of AWS: as often as may be asked.
pub const INTERVAL: Duration = Duration::from_secs(1);
/// What does not grow for this long, at a hundred requests a second and more, has ended.
const QUIET: Duration = Duration::from_millis(1500);
const XDS_PORT: u16 = 18000;
const ADMIN_PORT: u16 = 18001;
const POLL: Duration = Duration::from_millis(5);

/// An account with tasks that run. Everything in it ends when it is dropped.
pub struct Tasks {
    pub fake: Fake,
    /// Files of the control plane.
    pub folder: TempDir,
    program: PathBuf,
    binary: EnvoyBinary,
    addresses: Vec<IpAddr>,
    control: IpAddr,
    running: BTreeMap<String, Task>,
    _claim: Claim,
}

/// A count when it had grown for the last time, all since a [`Mark`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Still {
    pub count: u64,
    /// All requests until then.
    pub requests: u64,
    pub after: Duration,
    /// How often AWS had been asked by then.
    pub polls: u64,
}

struct Task {
    revision: String,
    address: IpAddr,
    ports: Vec<u16>,
    processes: Processes,
}

impl Tasks {
    /// An account with an empty cluster.
    pub async fn new(program: PathBuf, binary: &EnvoyBinary) -> anyhow::Result<Self> {
        let claim = Subnet::claim()?;
        let mut addresses: Vec<IpAddr> = claim.subnet().addresses().map(IpAddr::from).collect();
        addresses.reverse();
        let control = addresses.pop().context("a range has addresses")?;
        let fake = Fake::start().await?;
        fake.change(|world| {
            world.pace = Pace::ByHand;
            world.create_cluster(CLUSTER);
        });
        Ok(Self {
            fake,
            folder: tempfile::tempdir()?,
            program,
            binary: binary.clone(),
            addresses,
            control,
            running: BTreeMap::new(),
            _claim: claim,
        })
    }

    /// How `meshwright serve --ecs` is run for these tasks.
    pub fn serve(&self, mesh: Option<&str>) -> anyhow::Result<Setup> {
        let file = self.folder.path().join("mesh.kdl");
        if let Some(mesh) = mesh {
            std::fs::write(&file, mesh)?;
        }
        Ok(Setup {
            program: self.program.clone(),
            mesh: mesh.map(|_| file),
            ecs: Some(Ecs {
                endpoint: self.fake.url(),
                interval: INTERVAL,
                arguments: ["--tasks-here", "--cluster", CLUSTER].map(str::to_owned).to_vec(),
            }),
            listen: SocketAddr::new(self.control, XDS_PORT),
            admin: SocketAddr::new(self.control, ADMIN_PORT),
            state: Some(self.folder.path().join("state")),
            log: self.folder.path().join("serve.log"),
        })
    }

    /// Starts the control plane, and returns when it serves what runs.
    pub async fn control(&self, mesh: Option<&str>) -> anyhow::Result<Serve> {
        Serve::start(&self.serve(mesh)?).await
    }

    /// What the control plane said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("serve.log")).unwrap_or_default()
    }

    /// A new revision of a task definition, as `FAMILY:REVISION`.
    pub fn register(&self, definition: &Value) -> anyhow::Result<String> {
        let arn = self.fake.change(|world| world.register(definition))?;
        Ok(arn.rsplit('/').next().unwrap_or(&arn).to_owned())
    }

    /// An address that no task has had.
    pub fn address(&mut self) -> anyhow::Result<IpAddr> {
        self.addresses.pop().context("every address is in use")
    }

    /// A host of the cluster, at an address of its own; its id.
    pub fn host(&mut self) -> anyhow::Result<String> {
        let address = self.address()?;
        Ok(self.fake.change(|world| world.add_instance(CLUSTER, &[address]))?)
    }

    /// Starts a task; its id. When this returns, AWS says that it is RUNNING, and it is.
    pub async fn run(&mut self, definition: &str) -> anyhow::Result<String> {
        let address = self.address()?;
        self.run_as(Run::at(CLUSTER, definition, address)).await
    }

    /// The same of a task of which more is said.
    pub async fn run_as(&mut self, run: Run) -> anyhow::Result<String> {
        let id = self.begin(run).await?;
        self.ready(&id).await?;
        self.runs(&id)?;
        Ok(id)
    }

    /// The task is PENDING: it has its address, and what it runs is starting.
    pub async fn begin(&mut self, run: Run) -> anyhow::Result<String> {
        self.start(run, false).await
    }

    /// The same with `meshwright sidecar` beside the application, which finds out itself what it is.
    pub async fn begin_with_sidecar(&mut self, run: Run) -> anyhow::Result<String> {
        self.start(run, true).await
    }

    async fn start(&mut self, run: Run, sidecar: bool) -> anyhow::Result<String> {
        let id = self.fake.change(|world| {
            let id = world.run_task(run)?;
            world.advance(&id)?;
            Ok::<_, fake::failure::Failure>(id)
        })?;
        let mut plan = self.fake.change(|world| plan(world, &id, self.server()))?;
        if sidecar {
            plan.sidecar = Some((self.program.clone(), self.fake.metadata_url(&id)));
        }
        let processes = Processes::start(&plan, &short(&plan.revision, &id), &self.binary).await?;
        let task = Task { revision: plan.revision, address: plan.address, ports: plan.ports, processes };
        self.running.insert(id.clone(), task);
        Ok(id)
    }

    /// Waits until the task's Envoy is ready, and then its application.
    pub async fn ready(&mut self, id: &str) -> anyhow::Result<()> {
        let task = self.running.get_mut(id).context("there is such a task")?;
        let (started, revision) = (task.processes.ready().await, task.revision.clone());
        started.with_context(|| format!("{revision}: the control plane says\n{}", self.log()))
    }

    /// From now on AWS says that the task is RUNNING, and HEALTHY where it asks.
    pub fn runs(&self, id: &str) -> anyhow::Result<()> {
        self.fake.change(|world| {
            world.set_status(id, Status::Running)?;
            world.set_health(id, None, Health::Healthy)
        })?;
        Ok(())
    }

    /// AWS is to stop a task: it says so, its Envoy drains, and nothing in it has ended when this returns.
    pub async fn begin_stop(&mut self, id: &str) -> anyhow::Result<()> {
        self.fake.change(|world| world.stop_task(id, "Scaling activity initiated by deployment"))?;
        let task = self.running.get_mut(id).context("there is such a task")?;
        task.processes.drain().await
    }

    /// What runs in the task ends, and AWS says STOPPED. Its address may be another's from now on.
    pub async fn end_stop(&mut self, id: &str) -> anyhow::Result<IpAddr> {
        let task = self.running.remove(id).context("there is such a task")?;
        task.processes.end().await;
        self.fake.change(|world| world.set_status(id, Status::Stopped))?;
        Ok(task.address)
    }

    /// What is beside the application of a task does nothing until it is let go on: a slow start, at its worst.
    pub fn hold(&self, id: &str) -> anyhow::Result<()> {
        self.signal(id, Signal::STOP)
    }

    pub fn let_go(&self, id: &str) -> anyhow::Result<()> {
        self.signal(id, Signal::CONT)
    }

    fn signal(&self, id: &str, signal: Signal) -> anyhow::Result<()> {
        let pid = self.envoy(id)?.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("it runs")?;
        Ok(kill_process(pid, signal)?)
    }

    /// What answers of the task say.
    pub fn who(&self, id: &str) -> String {
        self.running.get(id).map_or_else(String::new, |task| short(&task.revision, id))
    }

    pub fn address_of(&self, id: &str) -> Option<IpAddr> {
        self.running.get(id).map(|task| task.address)
    }

    /// Where the application of a task answers itself.
    pub fn application(&self, id: &str) -> Option<SocketAddr> {
        let task = self.running.get(id)?;
        Some(SocketAddr::new(task.address, *task.ports.first()?))
    }

    /// The Envoy of a task.
    pub fn envoy(&self, id: &str) -> anyhow::Result<&crate::proxy::Proxy> {
        let task = self.running.get(id).context("there is such a task")?;
        task.processes.envoy().context("the task has an Envoy that is ready")
    }

    /// Requests for a service through the egress of a task, some hundred a second.
    pub fn plan(&self, from: &str, service: &str) -> anyhow::Result<Plan> {
        let address = self.address_of(from).context("there is such a task")?;
        Ok(Plan {
            host: service.to_owned(),
            // Which nightjar's routes are for.
            path: "/catalog".to_owned(),
            connections: 4,
            pause: Duration::from_millis(20),
            ..Plan::full(SocketAddr::new(address, EGRESS_PORT))
        })
    }

    /// Waits until the Envoy of a task knows so many endpoints of a service.
    pub async fn has_endpoints(&self, id: &str, service: &str, count: u64, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        let stat = format!("cluster.{}.membership_total", service.replace('.', "_"));
        while self.envoy(id)?.counter(&stat).await? != count {
            anyhow::ensure!(Instant::now() < deadline, "{stat} is not {count}: {}", self.log());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until requests of the plan are answered.
    pub async fn is_routed(&self, plan: &Plan, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        let request = Request::get(&plan.path).host(&plan.host);
        loop {
            let answer = Client::new(plan.address).send(&request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            let answer = answer.map(|answer| format!("{} {}", answer.status, answer.text()));
            anyhow::ensure!(
                Instant::now() < deadline,
                "{} is not answered: {answer:?}; the control plane says\n{}",
                plan.host,
                self.log()
            );
            sleep(POLL).await;
        }
    }

    /// How often AWS said which tasks there are.
    pub fn polls(&self) -> u64 {
        self.fake.calls().with("ListTasks", "ok")
    }

    /// Waits until all of these answer. How long that took.
    pub async fn all_answer(&self, load: &Load, who: &[String], within: Duration) -> anyhow::Result<Duration> {
        let from = std::time::Instant::now();
        let deadline = Instant::now() + within;
        loop {
            let answers = load.answers();
            if let Some(firsts) = who.iter().map(|who| answers.get(who)).collect::<Option<Vec<_>>>() {
                let last = firsts.into_iter().map(|answers| answers.first).max().unwrap_or(from);
                return Ok(last.saturating_duration_since(from));
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "within {within:?} not all of {who:?} answered, but {:?}; the control plane says\n{}",
                answers.keys(),
                self.log()
            );
            sleep(POLL).await;
        }
    }

    /// Waits until this one answers a request that is sent from now on. How long that took.
    pub async fn answers_again(&self, load: &Load, who: &str, within: Duration) -> anyhow::Result<Duration> {
        let from = std::time::Instant::now();
        let deadline = Instant::now() + within;
        while load.answers().get(who).is_none_or(|answers| answers.asked_last < from) {
            anyhow::ensure!(Instant::now() < deadline, "{who} does not answer again: {}", self.log());
            sleep(POLL).await;
        }
        Ok(from.elapsed())
    }

    /// Waits until AWS was asked so many more times.
    pub async fn wait_for_polls(&self, more: u64, within: Duration) -> anyhow::Result<()> {
        let (target, deadline) = (self.polls() + more, Instant::now() + within);
        while self.polls() < target {
            anyhow::ensure!(Instant::now() < deadline, "AWS is not asked: {}", self.log());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits for the end of a read: whatever happens then is not read for an interval.
    pub async fn wait_for_read(&self, within: Duration) -> anyhow::Result<()> {
        self.wait_for_polls(1, within).await?;
        let described = || self.fake.calls().with("DescribeTasks", "ok");
        let (before, deadline) = (described(), Instant::now() + within);
        while described() == before {
            anyhow::ensure!(Instant::now() < deadline, "AWS is not asked for tasks: {}", self.log());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// AWS can be asked so many more times, and then no more: whatever is so later was learned by then, however long it took
    /// to be served on a busy machine.
    pub async fn last_polls(&self, more: u64, within: Duration) -> anyhow::Result<()> {
        self.wait_for_polls(more, within).await?;
        self.fake.fail([Fault::of("ListTasks", Kind::Reset)]);
        Ok(())
    }

    /// Waits until this one is not asked any more.
    pub async fn is_left(&self, load: &Load, who: &str, since: &Mark, within: Duration) -> anyhow::Result<Still> {
        self.stands_still(load, since, |load| since.answered(load, who), within).await
    }

    /// Waits until something that is counted of the load does not grow for a while, though requests go on.
    pub async fn stands_still(
        &self,
        load: &Load,
        since: &Mark,
        counted: impl Fn(&Load) -> u64,
        within: Duration,
    ) -> anyhow::Result<Still> {
        let (from, mut grew) = (Instant::now(), Instant::now());
        let mut still = Still::default();
        loop {
            let (count, requests) = (counted(load), since.requests(load));
            if count > still.count {
                grew = Instant::now();
                let (after, polls) = (grew - from, since.polls(self.polls()));
                still = Still { count, requests, after, polls };
            }
            if grew.elapsed() >= QUIET && requests >= still.requests + event::AT_LEAST {
                return Ok(still);
            }
            anyhow::ensure!(from.elapsed() < within, "after {within:?} it grows: {still:?}: {}", self.log());
            sleep(POLL).await;
        }
    }

    /// Ends all that runs.
    pub async fn end(self) {
        for task in self.running.into_values() {
            task.processes.end().await;
        }
    }

    fn server(&self) -> SocketAddr {
        SocketAddr::new(self.control, XDS_PORT)
    }
}

/// `orders/7 3fa9c2`.
fn short(revision: &str, id: &str) -> String {
    format!("{revision} {}", id.get(..6).unwrap_or(id))
}

/// What AWS knows of a task is all there is to start it.
fn plan(world: &World, id: &str, server: SocketAddr) -> anyhow::Result<process::Plan> {
    let task = world.task(id)?;
    let definition = world.definition(&task.definition)?;
    let revision = format!("{}/{}", definition.family, definition.revision);
    let containers = definition.containers();
    let ports = containers.iter().flat_map(|container| &container.ports);
    let asks = ports.clone().any(|port| port.container == INGRESS_PORT).then_some(server);
    let at_host = task.containers.iter().flat_map(|container| &container.bindings);
    let at_host = at_host.filter(|binding| binding.container_port != INGRESS_PORT).map(|binding| binding.host_port);
    let own = ports.map(|port| port.container).filter(|port| *port != INGRESS_PORT);
    let instance = task.instance.as_deref().and_then(|id| world.clusters.get(&task.cluster)?.instances.get(id));
    let address = task.address.or_else(|| instance?.addresses.first().copied()).context("a task has an address")?;
    Ok(process::Plan {
        revision,
        id: format!("{}/{id}", task.cluster),
        address,
        ports: if task.network_mode == "bridge" { at_host.collect() } else { own.collect() },
        asks,
        sidecar: None,
    })
}
