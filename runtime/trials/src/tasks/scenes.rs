//! What deployments, failures and ECS itself do to tasks, while requests go on.

use std::time::{Duration, Instant};

use fake::faults::{Fault, Kind};
use fake::world::{Health, Run};

use super::event::{AT_LEAST, Event, Mark};
use super::{CLUSTER, Still, Tasks};
use crate::load::Load;
use crate::serve::Serve;

/// On a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);

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
    load.more(AT_LEAST).await;
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
    let (mut new, mut slowest, mut polls) = (Vec::new(), Duration::ZERO, 0);
    for id in old {
        let address = tasks.address()?;
        let started = tasks.begin(Run::at(CLUSTER, definition, address)).await?;
        tasks.ready(&started).await?;
        let runs = Mark::of(load, tasks.polls());
        tasks.runs(&started)?;
        slowest = slowest.max(tasks.all_answer(load, &[tasks.who(&started)], PATIENCE).await?);
        polls = polls.max(runs.polls(tasks.polls()));
        new.push(started);
        let left = end(tasks, load, id).await?;
        (slowest, polls) = (slowest.max(left.after), polls.max(left.polls));
    }
    let event = mark.event(&format!("{} replaced by {definition}", old.len()), load);
    Ok((Event { obeyed: Some(slowest), polls: Some(polls), ..event }, new))
}

/// A task is stopped.
pub async fn stop(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Event> {
    let mark = Mark::of(load, tasks.polls());
    let what = format!("stopped: {}", tasks.who(id));
    let left = end(tasks, load, id).await?;
    Ok(Event { obeyed: Some(left.after), polls: Some(left.polls), ..mark.event(&what, load) })
}

/// A task becomes unhealthy, and healthy again.
pub async fn unhealthy(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<[Event; 2]> {
    let (mark, who) = (Mark::of(load, tasks.polls()), tasks.who(id));
    tasks.fake.change(|world| world.set_health(id, None, Health::Unhealthy))?;
    let left = tasks.is_left(load, &who, &mark, PATIENCE).await?;
    let polls = Some(left.polls);
    let away = Event { obeyed: Some(left.after), polls, ..mark.event(&format!("UNHEALTHY: {who}"), load) };
    let mark = Mark::of(load, tasks.polls());
    tasks.fake.change(|world| world.set_health(id, None, Health::Healthy))?;
    let back = tasks.answers_again(load, &who, PATIENCE).await?;
    let polls = Some(mark.polls(tasks.polls()));
    load.more(AT_LEAST).await;
    Ok([away, Event { obeyed: Some(back), polls, ..mark.event(&format!("HEALTHY again: {who}"), load) }])
}

/// A task's address becomes another family's, which nobody asks, as soon as the task has ended. The new task's id.
pub async fn reused(tasks: &mut Tasks, load: &Load, id: &str, definition: &str) -> anyhow::Result<(Event, String)> {
    let mark = Mark::of(load, tasks.polls());
    let what = format!("{} ends, its address is {definition}'s", tasks.who(id));
    let left = leave(tasks, load, id).await?;
    let address = tasks.end_stop(id).await?;
    let new = tasks.run_as(Run::at(CLUSTER, definition, address)).await?;
    let who = tasks.who(&new);
    tasks.wait_for_polls(2, PATIENCE).await?;
    load.more(AT_LEAST).await;
    let mut event = Event { obeyed: Some(left.after), polls: Some(left.polls), ..mark.event(&what, load) };
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
    let (failed, answered) = (failures(tasks), tasks.fake.calls().outcome("ok"));
    faults(tasks);
    tokio::time::sleep(lasts).await;
    // Who was answered with errors before asks less often.
    let deadline = Instant::now() + PATIENCE;
    while failures(tasks) == failed && Instant::now() < deadline {
        load.more(AT_LEAST).await;
    }
    let mut event = mark.event(what, load);
    if failures(tasks) == failed {
        event.wrong.push("no call to AWS failed".to_owned());
    }
    // One may have been under way.
    if tasks.fake.calls().outcome("ok") > answered + 1 {
        event.wrong.push("calls to AWS succeeded".to_owned());
    }
    if serve.status().await?["serving"]["digest"] != before {
        event.wrong.push("what is served has changed".to_owned());
    }
    tasks.fake.fail([]);
    Ok(event)
}

/// The control plane is killed, and starts again where AWS says nothing: it is to serve what it had stored.
pub async fn restarted_without_aws(
    tasks: &mut Tasks,
    serve: Serve,
    mesh: Option<&str>,
    load: &Load,
    caller: &str,
) -> anyhow::Result<(Event, Serve)> {
    let mark = Mark::of(load, tasks.polls());
    let before = serve.status().await?["serving"]["digest"].clone();
    let failed = failures(tasks);
    tasks.fake.fail([Fault::every(Kind::Reset)]);
    serve.kill().await?;
    let again = tasks.control(mesh).await?;
    let serving = again.status().await?["serving"].clone();
    tasks.envoy(caller)?.is_connected(PATIENCE).await?;
    load.more(5 * AT_LEAST).await;
    let mut event = mark.event("the control plane is killed and starts again without AWS", load);
    // It says that it is stored until what was observed last is compiled, which comes to the same.
    if serving["digest"] != before {
        event.wrong.push(format!("what it had stored is {before}, and it serves {serving}"));
    }
    if failures(tasks) == failed {
        event.wrong.push("no call to AWS failed".to_owned());
    }
    let later = again.status().await?["serving"]["digest"].clone();
    if later != before {
        event.wrong.push(format!("later it serves {later}"));
    }
    tasks.fake.fail([]);
    Ok((event, again))
}

/// Until nobody asks for it: AWS says that it is to stop.
async fn leave(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Still> {
    let (mark, who) = (Mark::of(load, tasks.polls()), tasks.who(id));
    tasks.begin_stop(id).await?;
    tasks.is_left(load, &who, &mark, PATIENCE).await
}

/// Calls that failed so far, in whatever way.
fn failures(tasks: &Tasks) -> u64 {
    let calls = tasks.fake.calls();
    calls.total().saturating_sub(calls.outcome("ok"))
}

async fn end(tasks: &mut Tasks, load: &Load, id: &str) -> anyhow::Result<Still> {
    let left = leave(tasks, load, id).await?;
    tasks.end_stop(id).await?;
    Ok(left)
}
