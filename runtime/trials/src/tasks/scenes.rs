//! What deployments, failures and ECS itself do to tasks, while requests go on.

use std::time::Duration;

use fake::world::{Health, Run};

use super::event::{Event, Mark};
use super::{CLUSTER, Tasks};
use crate::load::Load;
use crate::serve::Serve;

/// On a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);
/// Nobody is asked for by mistake who was not asked for this long, at a hundred requests a second and more.
pub const QUIET: Duration = Duration::from_millis(1500);

/// More tasks of a definition; their ids.
pub async fn scale(
    tasks: &mut Tasks,
    load: &Load,
    definition: &str,
    more: usize,
) -> anyhow::Result<(Event, Vec<String>)> {
    let mut starting = Vec::new();
    for _ in 0..more {
        let run = Run::at(CLUSTER, definition, tasks.address()?);
        starting.push(tasks.begin(run).await?);
    }
    for id in &starting {
        tasks.ready(id).await?;
    }
    let mark = Mark::of(load, tasks.polls());
    for id in &starting {
        tasks.runs(id)?;
    }
    let who: Vec<String> = starting.iter().map(|id| tasks.who(id)).collect();
    let obeyed = tasks.all_answer(load, &who, PATIENCE).await?;
    let polls = Some(mark.polls(tasks.polls()));
    let event = Event { obeyed: Some(obeyed), polls, ..mark.event(&format!("{more} more of {definition}"), load) };
    Ok((event, starting))
}

/// One task after the other is replaced by one of another definition, as a rolling deployment does; the new ids.
pub async fn replace(
    tasks: &mut Tasks,
    load: &Load,
    old: &[String],
    definition: &str,
) -> anyhow::Result<(Event, Vec<String>)> {
    let mark = Mark::of(load, tasks.polls());
    let (mut new, mut slowest) = (Vec::new(), Duration::ZERO);
    for id in old {
        let address = tasks.address()?;
        let started = tasks.run_as(Run::at(CLUSTER, definition, address)).await?;
        slowest = slowest.max(tasks.all_answer(load, &[tasks.who(&started)], PATIENCE).await?);
        new.push(started);
        end(tasks, load, id).await?;
    }
    let event = mark.event(&format!("{} replaced by {definition}", old.len()), load);
    Ok((Event { obeyed: Some(slowest), ..event }, new))
}

/// A task is stopped.
pub async fn stop(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Event> {
    let mark = Mark::of(load, tasks.polls());
    let what = format!("stopped: {}", tasks.who(id));
    let obeyed = end(tasks, load, id).await?;
    Ok(Event { obeyed: Some(obeyed), polls: Some(mark.polls(tasks.polls())), ..mark.event(&what, load) })
}

/// A task becomes unhealthy, and healthy again.
pub async fn unhealthy(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<[Event; 2]> {
    let (mark, who) = (Mark::of(load, tasks.polls()), tasks.who(id));
    tasks.fake.change(|world| world.set_health(id, None, Health::Unhealthy))?;
    let left = tasks.is_left(load, &who, QUIET, PATIENCE).await?;
    let polls = Some(mark.polls(tasks.polls()));
    let away = Event { obeyed: Some(left), polls, ..mark.event(&format!("UNHEALTHY: {who}"), load) };
    let mark = Mark::of(load, tasks.polls());
    tasks.fake.change(|world| world.set_health(id, None, Health::Healthy))?;
    let back = tasks.answers_again(load, &who, PATIENCE).await?;
    let polls = Some(mark.polls(tasks.polls()));
    Ok([away, Event { obeyed: Some(back), polls, ..mark.event(&format!("HEALTHY again: {who}"), load) }])
}

/// A task's address becomes another family's, as soon as the task has ended. The new task's id.
pub async fn reused(tasks: &mut Tasks, load: &Load, id: &str, definition: &str) -> anyhow::Result<(Event, String)> {
    let mark = Mark::of(load, tasks.polls());
    let what = format!("{} ends, its address is {definition}'s", tasks.who(id));
    let left = leave(tasks, load, id).await?;
    let address = tasks.end_stop(id).await?;
    let new = tasks.run_as(Run::at(CLUSTER, definition, address)).await?;
    let who = tasks.who(&new);
    tasks.wait_for_polls(2, PATIENCE).await?;
    let mut event = Event { obeyed: Some(left), ..mark.event(&what, load) };
    if event.answered.contains_key(&who) {
        event.wrong.push(format!("{who} answered for another service"));
    }
    Ok((event, new))
}

/// For a while AWS fails as `begin` makes it; `end` makes it well.
pub async fn without_aws(
    tasks: &mut Tasks,
    serve: &Serve,
    load: &Load,
    what: &str,
    lasts: Duration,
    faults: impl FnOnce(&Tasks),
) -> anyhow::Result<Event> {
    let mark = Mark::of(load, tasks.polls());
    let before = serve.status().await?["serving"]["digest"].clone();
    faults(tasks);
    tokio::time::sleep(lasts).await;
    let mut event = mark.event(what, load);
    if serve.status().await?["serving"]["digest"] != before {
        event.wrong.push("what is served has changed".to_owned());
    }
    tasks.fake.fail([]);
    Ok(event)
}

/// Until nobody asks for it: AWS says that it is to stop.
async fn leave(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Duration> {
    let who = tasks.who(id);
    tasks.begin_stop(id).await?;
    tasks.is_left(load, &who, QUIET, PATIENCE).await
}

async fn end(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Duration> {
    let left = leave(tasks, load, id).await?;
    tasks.end_stop(id).await?;
    Ok(left)
}
