//! AWS fails, and what runs goes on.

use std::time::Duration;

use fake::faults::{Fault, Kind};
use trials::tasks::{Tasks, scenes};

use crate::shop::{Shop, is_well};

/// C2, short: some intervals of nothing but failures, and the first read after them.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_fails_takes_nothing_away_and_is_believed_again_at_once() {
    let mut shop = Shop::open(1).await;
    let kinds = [
        ("throttled", Kind::Throttled),
        ("an error", Kind::ServerError),
        ("a reset", Kind::Reset),
        ("half an answer", Kind::Truncated),
    ];
    for (what, kind) in kinds {
        let faults = |tasks: &Tasks| tasks.fake.fail([Fault::every(kind)]);
        let lasts = Duration::from_millis(2500);
        let (tasks, serve, load) = (&mut shop.tasks, &shop.serve, &shop.load);
        is_well(&scenes::without_aws(tasks, serve, load, what, lasts, faults).await.unwrap());
    }
    let (event, _) = scenes::scale(&mut shop.tasks, &shop.load, &shop.definition, 1).await.unwrap();
    is_well(&event);
    shop.nothing_was_lost();
    shop.close().await;
}

/// P6: a control plane that was killed serves what it served last, although nobody can say what runs.
#[tokio::test(flavor = "multi_thread")]
async fn what_ran_last_is_served_while_ecs_is_down() {
    let Shop { mut tasks, serve, load, web, definition, orders } = Shop::open(1).await;
    let (event, serve) = scenes::restarted_without_aws(&mut tasks, serve, None, &load, &web).await.unwrap();
    is_well(&event);
    let mut shop = Shop { tasks, serve, load, web, definition, orders };
    let (event, _) = scenes::scale(&mut shop.tasks, &shop.load, &shop.definition, 1).await.unwrap();
    is_well(&event);
    shop.nothing_was_lost();
    shop.close().await;
}
