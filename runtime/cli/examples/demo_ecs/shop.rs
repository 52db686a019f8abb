//! What happens to the shop, one event after the other, while every service of it is asked.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use fake::faults::{Fault, Kind};
use fake::world::Run;
use trials::tasks::definitions::{self, CATALOG, ORDERS, PAYMENTS, STOCK, WEB};
use trials::tasks::event::Event;
use trials::tasks::{CLUSTER, Tasks, scenes};

use crate::say;

/// What running tasks do not say.
const MESH: &str = include_str!("mesh.kdl");
const PATIENCE: Duration = Duration::from_secs(60);
/// So long AWS answers nothing but errors.
const OUTAGE: Duration = Duration::from_secs(8);

pub(crate) async fn events(tasks: &mut Tasks) -> anyhow::Result<Vec<Event>> {
    let register = |text: &str| tasks.register(&definitions::json(text)?);
    let (web, orders) = (register(WEB)?, register(ORDERS)?);
    let (payments, catalog) = (register(PAYMENTS)?, register(CATALOG)?);
    // Nobody asks for it: whatever it answers was for another.
    let stock = register(STOCK)?;
    tasks.host()?;
    say("running web, orders (bent's labels), payments (ours) and catalog (nightjar's tags, ephemeral ports)");
    let began = Instant::now();
    let mut first = Vec::new();
    for definition in [&web, &orders, &payments, &catalog] {
        let run = Run::at(CLUSTER, definition, tasks.address()?);
        first.push(tasks.begin(run).await?);
    }
    say("serving what runs: meshwright serve mesh.kdl --ecs --cluster production --interval 1s");
    let serve = tasks.control(Some(MESH)).await?;
    for id in &first {
        tasks.ready(id).await?;
        tasks.runs(id)?;
    }
    let [client, order, payment, listing] = <[String; 4]>::try_from(first).ok().context("four tasks run")?;
    let mut load = None;
    for service in ["orders.svc", "payments.svc", definitions::CATALOG_SERVICE] {
        let plan = tasks.plan(&client, service)?;
        tasks.is_routed(&plan, PATIENCE).await?;
        match &mut load {
            None => load = Some(plan.start()),
            Some(load) => load.add(&plan),
        }
    }
    let load = load.context("three services are asked")?;
    say(&format!("all of them answer after {:.1} s; requests go on from now", began.elapsed().as_secs_f64()));

    let mut events = Vec::new();
    let mut tell = |event: Event| {
        say(&format!("{}: {} requests, {} failed", event.what, event.requests, event.lost));
        events.push(event);
    };
    let (event, more) = scenes::scale(tasks, &load, &orders, 2).await?;
    tell(event);
    let newer = tasks.register(&definitions::json(ORDERS)?)?;
    let (event, new) = scenes::replace(tasks, &load, &[vec![order], more].concat(), &newer).await?;
    tell(event);
    let [one, other, last] = <[String; 3]>::try_from(new).ok().context("three were replaced")?;
    tell(scenes::stop(tasks, &load, &one).await?);
    let (event, paying) = scenes::scale(tasks, &load, &payments, 1).await?;
    tell(event);
    for event in scenes::unhealthy(tasks, &load, &payment).await? {
        tell(event);
    }
    let (event, _) = scenes::replace(tasks, &load, &[listing], &catalog).await?;
    tell(event);
    let (event, _) = scenes::reused(tasks, &load, &other, &stock).await?;
    tell(event);
    let throttled = |tasks: &Tasks| tasks.fake.fail([Fault::every(Kind::Throttled)]);
    tell(scenes::without_aws(tasks, &serve, &load, "AWS throttles every call", OUTAGE, throttled).await?);
    let (event, _) = scenes::scale(tasks, &load, &newer, 1).await?;
    tell(event);
    let (event, again) = scenes::restarted_without_aws(tasks, serve, Some(MESH), &load, &client).await?;
    tell(event);
    drop((last, paying));
    let tally = load.stop().await;
    again.stop().await?;
    for (when, why) in &tally.losses {
        say(&format!("failed after {:.1} s: {why}", when.as_secs_f64()));
    }
    Ok(events)
}
