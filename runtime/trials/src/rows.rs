//! Which trials there are, at which sizes, and what is wanted of each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use control_plane::Variant;
use local::EnvoyBinary;
use trials::beside::beside;
use trials::between::between;
use trials::client::name;
use trials::endpoints::change_of_a_cluster;
use trials::failover::{Failover, fail_over};
use trials::fault::fault;
use trials::files::{follow, mistakes};
use trials::killed::killed;
use trials::malformed::malformed;
use trials::outage::{Outage, outage};
use trials::proxy::{Changes, Trouble};
use trials::refused::{Wrong, refused};
use trials::refusing::refusing;
use trials::stalled::{Stalled, stalled};
use trials::swap::{Swap, What, swap};
use trials::table::{Row, load, quantile, time};

use crate::Arguments;

const VARIANTS: [Variant; 2] = [Variant::StateOfTheWorld, Variant::Delta];

/// Runs the chosen trials one after the other, for they would disturb each other's times; those that take long in both
/// variants at a time.
pub(crate) async fn all(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let binary = local::find(arguments.envoy.as_deref())?;
    let chosen = |trial: &str| chosen(arguments, trial);
    let size = Size { quick: arguments.quick, long: arguments.long };
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        eprintln!("{} {}: {}", row.trial, row.with, row.figures);
        rows.push(row);
    };
    for per_second in [2.0, 20.0, 100.0, 200.0].into_iter().filter(|_| chosen("a1")) {
        let of = |variant| swaps(&binary, variant, What::Clusters, per_second, &size);
        both(of, &mut add).await;
    }
    if chosen("listeners") {
        let of = |variant| swaps(&binary, variant, What::Listeners, 5.0, &size);
        both(of, &mut add).await;
    }
    for per_second in [0.2, 2.0, 20.0].into_iter().filter(|_| chosen("a2")) {
        let of = |variant| failovers(&binary, variant, per_second, &size);
        both(of, &mut add).await;
    }
    if chosen("a3") {
        both(|variant| outages(&binary, variant, &size), &mut add).await;
    }
    let program = arguments.meshwright.clone().unwrap_or_else(|| sibling("meshwright"));
    if chosen("a4") {
        add(starts(&binary, &program).await);
    }
    if chosen("a5") {
        add(kills(&binary, &program, &size).await);
    }
    if chosen("a6") {
        add(mistaken(&binary, &program).await);
    }
    if chosen("a7") {
        for row in followed(&binary, &program, &size).await {
            add(row);
        }
    }
    if chosen("a8") {
        add(refusers(&binary, &size).await);
    }
    for wrong in [Wrong::Invalid, Wrong::Impossible].into_iter().filter(|_| chosen("a9")) {
        for variant in VARIANTS {
            add(refusals(&binary, variant, wrong).await);
        }
    }
    if chosen("a10") {
        add(still_standing(&binary, &size).await);
    }
    if chosen("a12") {
        add(nonsense(&binary, &size).await);
    }
    for variant in VARIANTS.into_iter().filter(|_| chosen("fault")) {
        add(faults(&binary, &program, variant).await);
    }
    for variant in VARIANTS.into_iter().filter(|_| chosen("f2")) {
        add(cluster_changes(&binary, variant).await);
    }
    for variant in VARIANTS.into_iter().filter(|_| chosen("p4")) {
        add(interruptions(&binary, variant).await);
    }
    Ok(rows)
}

async fn both<F: Future<Output = Row>>(trial: impl Fn(Variant) -> F, add: &mut impl FnMut(Row)) {
    let (first, second) = tokio::join!(trial(Variant::StateOfTheWorld), trial(Variant::Delta));
    add(first);
    add(second);
}

pub(crate) fn chosen(arguments: &Arguments, trial: &str) -> bool {
    arguments.trials.is_empty() || arguments.trials.iter().any(|chosen| chosen.eq_ignore_ascii_case(trial))
}

/// A11 has a program and a table of its own.
pub(crate) async fn many_streams(arguments: &Arguments) -> anyhow::Result<()> {
    println!("\nA11  2,000 streams; wanted: 400 MB, p99 2 s");
    let program = sibling("examples/many_streams");
    let streams = if arguments.quick { "200" } else { "2000" };
    let ended = tokio::process::Command::new(&program).arg(streams).status().await;
    let ended = ended.with_context(|| format!("cannot run {}", program.display()))?;
    anyhow::ensure!(ended.success(), "A11 did not come to its end: {ended}");
    Ok(())
}

/// A program that was built together with this one.
fn sibling(name: &str) -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name(name)
}

struct Size {
    quick: bool,
    long: bool,
}

impl Size {
    fn seconds(&self, quick: u64, usual: u64) -> Duration {
        Duration::from_secs(if self.quick { quick } else { usual })
    }
}

async fn swaps(binary: &EnvoyBinary, variant: Variant, what: What, per_second: f64, size: &Size) -> Row {
    let (trial, with, lasts) = match what {
        What::Clusters => ("A1", "swaps/s", size.seconds(5, 60)),
        What::Listeners => ("listeners", "other listeners/s", size.seconds(5, 20)),
    };
    let with = format!("{per_second} {with}, {}", name(variant));
    let swapped = swap(&Swap { binary: binary.clone(), variant, what, per_second, lasts, pause: Duration::ZERO }).await;
    match swapped {
        Err(error) => Row::failed(trial, with, &error),
        Ok(swapped) => Row {
            trial,
            with,
            load: load(&swapped.tally),
            figures: format!(
                "{} published, converged after {}, slowest answer {}, {} timeouts, {} rejected",
                swapped.published,
                time(swapped.converged),
                time(swapped.tally.slowest),
                swapped.trouble.init_fetch_timeout,
                swapped.trouble.update_rejected
            ),
            wanted: "0 lost, converged in 1 s",
            met: swapped.tally.lost == 0
                && swapped.trouble == Trouble::default()
                && swapped.converged <= Duration::from_secs(1),
        },
    }
}

async fn failovers(binary: &EnvoyBinary, variant: Variant, per_second: f64, size: &Size) -> Row {
    let (trial, with) = ("A2", format!("kill -9 every 3 s, {} changes/s, {}", per_second, name(variant)));
    let program = std::env::current_exe().unwrap_or_default();
    let trial_of = Failover {
        binary: binary.clone(),
        program,
        variant,
        per_second,
        lasts: size.seconds(10, 40),
        every: Duration::from_secs(3),
        pause: Duration::ZERO,
    };
    match fail_over(&trial_of).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(survived) => Row {
            trial,
            with,
            load: load(&survived.tally),
            figures: format!(
                "{} kills, reconnect p50 {} max {}, {} timeouts, {} rejected",
                survived.kills,
                time(quantile(&survived.reconnects, 0.5)),
                time(quantile(&survived.reconnects, 1.0)),
                survived.trouble.init_fetch_timeout,
                survived.trouble.update_rejected
            ),
            wanted: "0 lost",
            met: survived.tally.lost == 0 && survived.trouble == Trouble::default(),
        },
    }
}

async fn outages(binary: &EnvoyBinary, variant: Variant, size: &Size) -> Row {
    let lasts = if size.long { Duration::from_secs(300) } else { size.seconds(5, 25) };
    let (trial, with) = ("A3", format!("down for {}, {}", time(lasts), name(variant)));
    match outage(&Outage { binary: binary.clone(), variant, lasts, pause: Duration::ZERO }).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(returned) => Row {
            trial,
            with,
            load: load(&returned.tally),
            figures: format!(
                "reconnect {}, then {} clusters, {} listeners, {} routes changed; a change converged after {}",
                time(returned.reconnect),
                returned.changes.clusters,
                returned.changes.listeners,
                returned.changes.routes,
                time(returned.converged)
            ),
            wanted: "0 lost, reconnect in 5 s, 0 changed",
            met: returned.tally.lost == 0
                && returned.reconnect <= Duration::from_millis(5500)
                && returned.changes == Changes::default(),
        },
    }
}

async fn starts(binary: &EnvoyBinary, program: &Path) -> Row {
    let (trial, with) = ("A4", "`sidecar`, no control plane; Envoy dies; it returns".to_owned());
    match beside(binary, program).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(started) => Row {
            trial,
            with,
            load: load(&started.tally),
            figures: format!(
                "first answer after {}, after Envoy's death {}; the control plane obeyed after {}",
                time(started.first),
                time(started.again),
                time(started.obeyed)
            ),
            wanted: "0 lost, 1 s, 1 s, 5 s",
            met: started.tally.lost == 0
                && started.first <= Duration::from_secs(1)
                && started.again <= Duration::from_secs(1)
                && started.obeyed <= Duration::from_secs(5),
        },
    }
}

async fn kills(binary: &EnvoyBinary, program: &Path, size: &Size) -> Row {
    let count = if size.quick { 5 } else { 50 };
    let (trial, with) = ("A5", format!("`serve` killed {count} times as it writes, started without its mesh"));
    match killed(binary, program, count).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(recovered) => Row {
            trial,
            with,
            load: None,
            figures: format!(
                "{} of {} times a whole state is served, and called stale; after p50 {} max {}",
                recovered.served,
                recovered.kills,
                time(quantile(&recovered.recoveries, 0.5)),
                time(quantile(&recovered.recoveries, 1.0))
            ),
            wanted: "every time, 1 s",
            met: recovered.served == recovered.kills && quantile(&recovered.recoveries, 1.0) <= Duration::from_secs(1),
        },
    }
}

async fn mistaken(binary: &EnvoyBinary, program: &Path) -> Row {
    let (trial, with) = ("A6", "`serve`, a wrong mesh, then a right one".to_owned());
    match mistakes(binary, program).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(borne) => {
            let untold = borne.mistakes.iter().filter(|mistake| !mistake.told).map(|mistake| mistake.what);
            let untold: Vec<_> = untold.collect();
            let updates: u64 = borne.mistakes.iter().map(|mistake| mistake.updates).sum();
            let slowest = borne.mistakes.iter().map(|mistake| mistake.remedied).max().unwrap_or_default();
            Row {
                trial,
                with,
                load: load(&borne.tally),
                figures: format!(
                    "{} mistakes, {} told of, {updates} updates of Envoy; remedied within {}",
                    borne.mistakes.len(),
                    borne.mistakes.len() - untold.len(),
                    time(slowest)
                ),
                wanted: "0 lost, 0 updates, remedied in 1 s",
                met: borne.tally.lost == 0 && updates == 0 && untold.is_empty() && slowest <= Duration::from_secs(1),
            }
        }
    }
}

async fn followed(binary: &EnvoyBinary, program: &Path, size: &Size) -> Vec<Row> {
    let trial = "A7";
    match follow(binary, program, size.seconds(2, 5)).await {
        Err(error) => vec![Row::failed(trial, "`serve` and its file".to_owned(), &error)],
        Ok(followed) => {
            let rows = followed.ways.iter().map(|written| Row {
                trial,
                with: format!("`serve`, {}", written.way),
                load: None,
                figures: format!("obeyed after {}, read {} times", time(written.converged), written.reads),
                wanted: "obeyed in 1.1 s",
                met: written.converged <= Duration::from_millis(1100),
            });
            let lost = followed.tally.lost;
            let all = Row {
                trial,
                with: "all of these".to_owned(),
                load: load(&followed.tally),
                figures: String::new(),
                wanted: "0 lost",
                met: lost == 0,
            };
            rows.chain([all]).collect()
        }
    }
}

async fn faults(binary: &EnvoyBinary, program: &Path, variant: Variant) -> Row {
    let (trial, with) = ("fault", format!("`serve`, only a fault's share is edited, {}", name(variant)));
    match fault(binary, program, variant, 6).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(mut edited) => {
            edited.obeyed.sort_unstable();
            let slowest = quantile(&edited.obeyed, 1.0);
            Row {
                trial,
                with,
                load: load(&edited.tally),
                figures: format!(
                    "obeyed after p50 {} max {}, {} connections opened, {} listeners changed; touched: {} updates",
                    time(quantile(&edited.obeyed, 0.5)),
                    time(slowest),
                    edited.tally.connects,
                    edited.listeners,
                    edited.touched
                ),
                wanted: "0 lost, 1 s, 4 connections, 0, 0",
                met: edited.tally.lost == 0
                    && slowest <= Duration::from_secs(1)
                    && edited.tally.connects == 4
                    && edited.listeners == 0
                    && edited.touched == 0,
            }
        }
    }
}

async fn refusers(binary: &EnvoyBinary, size: &Size) -> Row {
    let changes = if size.quick { 3 } else { 10 };
    let (trial, with) = ("A8", format!("1 of 50 clients refuses all, {changes} changes"));
    match refusing(binary, 49, changes).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(told) => Row {
            trial,
            with,
            load: None,
            figures: format!(
                "{} states, {} responses refused, {} repeated; others p50 {} p99 {}",
                told.published,
                told.refused,
                told.repeated,
                time(quantile(&told.delays, 0.5)),
                time(quantile(&told.delays, 0.99))
            ),
            wanted: "each version once",
            met: told.repeated == 0,
        },
    }
}

async fn refusals(binary: &EnvoyBinary, variant: Variant, wrong: Wrong) -> Row {
    let what = match wrong {
        Wrong::Invalid => "no valid message",
        Wrong::Impossible => "cannot be made",
    };
    let (trial, with) = ("A9", format!("a cluster that {what}, {}", name(variant)));
    match refused(binary, variant, wrong).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(refused) => Row {
            trial,
            with,
            load: load(&refused.tally),
            figures: format!("{} NACKs, then converged after {}", refused.rejected, time(refused.converged)),
            wanted: "0 lost, 1 NACK",
            met: refused.tally.lost == 0 && refused.rejected == 1,
        },
    }
}

async fn still_standing(binary: &EnvoyBinary, size: &Size) -> Row {
    let (envoys, stopped, never_reading) = if size.quick { (6, 2, 100) } else { (20, 5, 500) };
    let (trial, with) =
        ("A10", format!("{stopped} of {envoys} Envoys stopped, {never_reading} never read, 100 changes/s"));
    let trial_of = Stalled {
        binary: binary.clone(),
        program: std::env::current_exe().unwrap_or_default(),
        variant: Variant::Delta,
        envoys,
        stopped,
        never_reading,
        per_second: 100.0,
        lasts: size.seconds(10, 60),
        pause: Duration::from_millis(5),
    };
    match stalled(&trial_of).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(grown) => Row {
            trial,
            with,
            load: load(&grown.tally),
            figures: format!(
                "{} MB, at most {} MB later ({:+.1} %); converged after {}, those that were stopped after {}",
                grown.before / 1024,
                grown.most / 1024,
                grown.percent(),
                time(grown.converged),
                time(grown.caught_up)
            ),
            wanted: "0 lost, 5 % more memory",
            met: grown.tally.lost == 0 && grown.percent() <= 5.0,
        },
    }
}

async fn nonsense(binary: &EnvoyBinary, size: &Size) -> Row {
    let of_each = if size.quick { 2 } else { 20 };
    let (trial, with) = ("A12", "connections that are no clients".to_owned());
    match malformed(binary, of_each).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(borne) => Row {
            trial,
            with,
            load: None,
            figures: format!(
                "{} of {} kinds; a client beside them is told a change within {}",
                borne.connections,
                borne.kinds,
                time(borne.told)
            ),
            wanted: "served on",
            met: borne.told < Duration::from_secs(1),
        },
    }
}

async fn cluster_changes(binary: &EnvoyBinary, variant: Variant) -> Row {
    let (trial, with) = ("F2", format!("clusters change, their endpoints do not, {}", name(variant)));
    match change_of_a_cluster(binary, variant).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(changed) => Row {
            trial,
            with,
            load: load(&changed.tally),
            figures: format!("all warm after {}, {} timeouts", time(changed.taken), changed.trouble.init_fetch_timeout),
            wanted: "0 lost, 1 s",
            met: changed.tally.lost == 0 && changed.taken <= Duration::from_secs(1),
        },
    }
}

async fn interruptions(binary: &EnvoyBinary, variant: Variant) -> Row {
    let (trial, with) = ("P4", format!("a replica dies between CDS and EDS, {}", name(variant)));
    match between(binary, variant).await {
        Err(error) => Row::failed(trial, with, &error),
        Ok(interrupted) => Row {
            trial,
            with,
            load: load(&interrupted.tally),
            figures: format!(
                "converged after {}, {} timeouts",
                time(interrupted.converged),
                interrupted.trouble.init_fetch_timeout
            ),
            wanted: "0 lost, converged in 1 s",
            met: interrupted.tally.lost == 0 && interrupted.converged <= Duration::from_secs(1),
        },
    }
}
