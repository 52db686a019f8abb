//! A caller, a service that it calls, and the control plane of both.

use std::path::PathBuf;
use std::time::Duration;

use fake::world::Run;
use trials::load::Load;
use trials::serve::Serve;
use trials::tasks::definitions::{DIRECT, ORDERS, STOCK, WEB, json};
use trials::tasks::event::{AT_LEAST, Event, Mark};
use trials::tasks::{CLUSTER, Tasks};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Shop {
    pub(crate) tasks: Tasks,
    pub(crate) serve: Serve,
    /// Requests for the service that the shop was opened with.
    pub(crate) load: Load,
    /// The task that sends them.
    pub(crate) web: String,
    /// The definition of those that answer, and their ids.
    pub(crate) definition: String,
    pub(crate) orders: Vec<String>,
}

/// A mesh that says whose name `orders.svc` is.
const OWNED: &str = r#"mesh "shop" { ecs { cluster "production"; owner "orders.svc" family="orders"; }; }"#;

impl Shop {
    /// So many tasks of `orders` answer. What runs is all of the mesh.
    pub(crate) async fn open(orders: usize) -> Self {
        Self::with(None, ORDERS, "orders.svc", orders).await
    }

    /// The same where no other family may be `orders.svc`.
    pub(crate) async fn owned(orders: usize) -> Self {
        Self::with(Some(OWNED), ORDERS, "orders.svc", orders).await
    }

    /// So many tasks answer that no Envoy looks after: no health check, and no retries. What AWS says is all that keeps
    /// requests from where they are lost.
    pub(crate) async fn bare(stock: usize) -> Self {
        Self::with(None, STOCK, "stock.svc", stock).await
    }

    /// The same without sidecars: callers dial the applications.
    pub(crate) async fn direct(direct: usize) -> Self {
        Self::with(None, DIRECT, "direct.svc", direct).await
    }

    async fn with(mesh: Option<&str>, definition: &str, service: &str, orders: usize) -> Self {
        let binary = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        let mut tasks = Tasks::new(PathBuf::from(env!("CARGO_BIN_EXE_meshwright")), &binary).await.unwrap();
        let web = tasks.register(&json(WEB).unwrap()).unwrap();
        let definition = tasks.register(&json(definition).unwrap()).unwrap();
        let mut started = Vec::new();
        for definition in std::iter::once(&web).chain(std::iter::repeat_n(&definition, orders)) {
            let run = Run::at(CLUSTER, definition, tasks.address().unwrap());
            started.push(tasks.begin(run).await.unwrap());
        }
        let serve = tasks.control(mesh).await.unwrap();
        for id in &started {
            tasks.ready(id).await.unwrap();
            tasks.runs(id).unwrap();
        }
        let orders = started.split_off(1);
        let web = started.remove(0);
        let plan = tasks.plan(&web, service).unwrap();
        tasks.is_routed(&plan, PATIENCE).await.unwrap();
        let load = plan.start();
        let who: Vec<String> = orders.iter().map(|id| tasks.who(id)).collect();
        tasks.all_answer(&load, &who, PATIENCE).await.unwrap();
        Self { tasks, serve, load, web, definition, orders }
    }

    /// From now on is counted.
    pub(crate) fn mark(&self) -> Mark {
        Mark::of(&self.load, self.tasks.polls())
    }

    /// Nothing was lost until now, though something was asked.
    #[track_caller]
    pub(crate) fn nothing_was_lost(&self) {
        let tally = self.load.tally();
        assert!(tally.requests >= AT_LEAST, "{tally:?}");
        assert_eq!(tally.lost, 0, "of {}: {:?}\n{}", tally.requests, tally.losses, self.tasks.log());
    }

    pub(crate) async fn close(self) {
        let tally = self.load.stop().await;
        println!("{} requests, {} lost, slowest {:?}", tally.requests, tally.lost, tally.slowest);
        self.serve.stop().await.unwrap();
        self.tasks.end().await;
    }
}

#[track_caller]
pub(crate) fn is_well(event: &Event) {
    println!("{}: after {:?}, polls {:?}, {} requests", event.what, event.obeyed, event.polls, event.requests);
    assert!(event.is_well(), "{:?}: {event:?}", event.problems());
}
