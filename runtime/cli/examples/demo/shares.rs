//! Requests of which a declared share meets something.

use std::time::{Duration, Instant};

use local::{Client, Request, Response};
use meshwright::launch::Started;

use crate::table::Row;

/// Enough requests, and so many at once, that chance stays within the stated bounds by four standard deviations.
const CONNECTIONS: usize = 32;

pub(crate) async fn all(started: &Started) -> anyhow::Result<Vec<Row>> {
    Ok(vec![weights(started).await?, aborts(started).await?, delays(started).await?])
}

/// Aborted requests count for the node whose fault answered them: its share must not shrink.
async fn weights(started: &Started) -> anyhow::Result<Row> {
    let before = aborted_by(started, "beta-2").await?;
    let responses = many(started, "beta.svc", 2000).await?;
    let first = responses.iter().filter(|response| node_of(response).as_deref() == Some("beta-1")).count();
    let second = responses.iter().filter(|response| node_of(response).as_deref() == Some("beta-2")).count();
    let aborted = responses.iter().filter(|response| response.status == 503).count();
    let counted = aborted_by(started, "beta-2").await? - before;
    let share = percent(first, responses.len());
    Ok(Row {
        request: "2,000 requests to beta.svc, weights 95/5, 5 % abort on beta-2".to_owned(),
        expected: "beta-1 95 % ± 2".to_owned(),
        got: format!("beta-1 {share:.1} %, beta-2 {second} and {aborted} aborted"),
        decided_by: format!("alpha: weights; beta-2: fault filter counted {counted}"),
        agrees: (93.0..=97.0).contains(&share) && counted == aborted as u64 && first + second + aborted == 2000,
    })
}

async fn aborts(started: &Started) -> anyhow::Result<Row> {
    let before = aborted_by(started, "epsilon").await?;
    let responses = many(started, "epsilon.svc", 5000).await?;
    let aborted = responses.iter().filter(|response| response.status == 501).count();
    let counted = aborted_by(started, "epsilon").await? - before;
    let share = percent(aborted, responses.len());
    Ok(Row {
        request: "5,000 requests to epsilon.svc, abort 30 %".to_owned(),
        expected: "501 for 30 % ± 3".to_owned(),
        got: format!("501 for {share:.1} %"),
        decided_by: format!("epsilon: fault filter counted {counted}"),
        agrees: (27.0..=33.0).contains(&share) && counted == aborted as u64,
    })
}

async fn delays(started: &Started) -> anyhow::Result<Row> {
    let name = "wasmcustom.meshwright_fault_delays";
    let before = started.running.instance("zeta")?.counter(name).await?;
    let (mut slow, count) = (0, 4000);
    let mut tasks = tokio::task::JoinSet::new();
    let address = started.running.instance("alpha")?.instance().entrance();
    for _ in 0..CONNECTIONS {
        tasks.spawn(async move {
            let mut client = Client::new(address);
            let mut slow = 0;
            for _ in 0..count / CONNECTIONS {
                let begin = Instant::now();
                client.send(&Request::get("/").host("zeta.svc")).await?;
                slow += usize::from(begin.elapsed() >= Duration::from_millis(100));
            }
            anyhow::Ok(slow)
        });
    }
    while let Some(result) = tasks.join_next().await {
        slow += result??;
    }
    let counted = started.running.instance("zeta")?.counter(name).await? - before;
    let share = percent(slow, count);
    Ok(Row {
        request: "4,000 requests to zeta.svc, 100 ms delay 25 %".to_owned(),
        expected: "slower for 25 % ± 3".to_owned(),
        got: format!("slower for {share:.1} %"),
        decided_by: format!("zeta: fault filter counted {counted}"),
        agrees: (22.0..=28.0).contains(&share),
    })
}

async fn aborted_by(started: &Started, instance: &str) -> anyhow::Result<u64> {
    Ok(started.running.instance(instance)?.counter("wasmcustom.meshwright_fault_aborts").await?)
}

async fn many(started: &Started, service: &str, count: usize) -> anyhow::Result<Vec<Response>> {
    let address = started.running.instance("alpha")?.instance().entrance();
    let requests = vec![Request::get("/").host(service); count];
    let responses = local::send_all(address, requests, CONNECTIONS).await;
    Ok(responses.into_iter().collect::<Result<_, _>>()?)
}

fn node_of(response: &Response) -> Option<String> {
    Some(response.json().ok()?.get("node")?.as_str()?.to_owned())
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
