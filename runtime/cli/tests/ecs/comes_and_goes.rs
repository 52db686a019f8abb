//! Tasks come and go under load, and no request is lost for it.

use fake::world::Run;
use trials::tasks::definitions::{DIRECT, ORDERS, PAYMENTS, STOCK, json};
use trials::tasks::{CLUSTER, scenes};

use crate::shop::{PATIENCE, Shop, is_well};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_task_gets_requests_after_two_polls_at_most() {
    let mut shop = Shop::open(1).await;
    let run = Run::at(CLUSTER, &shop.definition, shop.tasks.address().unwrap());
    let new = shop.tasks.begin(run).await.unwrap();
    shop.tasks.ready(&new).await.unwrap();
    shop.tasks.runs(&new).unwrap();
    shop.tasks.last_polls(2, PATIENCE).await.unwrap();
    let who = shop.tasks.who(&new);
    println!("{:?} later", shop.tasks.all_answer(&shop.load, &[who], PATIENCE).await.unwrap());
    shop.nothing_was_lost();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_a_task_loses_nothing() {
    let mut shop = Shop::open(1).await;
    let newer = shop.tasks.register(&json(ORDERS).unwrap()).unwrap();
    let (event, _) = scenes::replace(&mut shop.tasks, &shop.load, &shop.orders, &newer).await.unwrap();
    is_well(&event);
    shop.nothing_was_lost();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_stops_gets_no_requests_after_two_polls_at_most() {
    // Its Envoy drains, which callers with a health check see for themselves: these have none.
    let mut shop = Shop::bare(2).await;
    let (old, who) = (shop.orders[0].clone(), shop.tasks.who(&shop.orders[0]));
    let mark = shop.mark();
    shop.tasks.begin_stop(&old).await.unwrap();
    let left = shop.tasks.is_left(&shop.load, &who, &mark, PATIENCE);
    let (polls, left) = tokio::join!(shop.tasks.last_polls(2, PATIENCE), left);
    polls.unwrap();
    println!("{:?}", left.unwrap());
    shop.tasks.end_stop(&old).await.unwrap();
    shop.load.more(200).await;
    shop.nothing_was_lost();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_unhealthy_gets_no_requests_until_it_is_healthy_again() {
    let mut shop = Shop::open(2).await;
    for event in scenes::unhealthy(&mut shop.tasks, &shop.load, &shop.orders[0]).await.unwrap() {
        is_well(&event);
    }
    shop.nothing_was_lost();
    shop.close().await;
}

/// C5: the next task at an address never answers for the one before.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_another_familys_now_gets_nothing_that_was_for_the_family_before() {
    let mut shop = Shop::open(2).await;
    let payments = shop.tasks.register(&json(PAYMENTS).unwrap()).unwrap();
    let (event, _) = scenes::reused(&mut shop.tasks, &shop.load, &shop.orders[0], &payments).await.unwrap();
    is_well(&event);
    shop.nothing_was_lost();
    shop.close().await;
}

/// C5, at its worst: AWS gives the address away between two polls, and no Envoy is there that could refuse.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_hands_between_two_polls_is_misled_to_for_less_than_two() {
    let mut shop = Shop::direct(2).await;
    let mut other = json(DIRECT).unwrap();
    other["family"] = "other".into();
    other["containerDefinitions"][0]["dockerLabels"] =
        serde_json::json!({ "meshwright.service.other.svc": "app:8080" });
    let other = shop.tasks.register(&other).unwrap();
    let old = shop.orders[0].clone();
    shop.tasks.wait_for_read(PATIENCE).await.unwrap();
    let mark = shop.mark();
    shop.tasks.fake.change(|world| world.stop_task(&old, "it crashed")).unwrap();
    let address = shop.tasks.end_stop(&old).await.unwrap();
    let new = shop.tasks.run_as(Run::at(CLUSTER, &other, address)).await.unwrap();
    let who = shop.tasks.who(&new);
    // AWS says no more after two reads: if they did not suffice, there is no end of it.
    let misled = shop.tasks.is_left(&shop.load, &who, &mark, PATIENCE);
    let (polls, misled) = tokio::join!(shop.tasks.last_polls(2, PATIENCE), misled);
    polls.unwrap();
    let misled = misled.unwrap();
    println!("{misled:?}, {} lost", mark.lost(&shop.load));
    assert!(misled.count > 0, "the other task is asked: {misled:?}");
    assert!(misled.count * 3 <= misled.requests * 2, "the other task has its share of the requests: {misled:?}");
    let (answered, lost) = (mark.answered(&shop.load, &who), mark.lost(&shop.load));
    shop.load.more(200).await;
    assert_eq!((mark.answered(&shop.load, &who), mark.lost(&shop.load)), (answered, lost), "{:?}", shop.load.tally());
    shop.close().await;
}

/// The same with sidecars: that of the new task refuses what is not its own, or does not listen yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_answers_nothing_for_the_task_that_had_its_address_before() {
    let mut shop = Shop::bare(2).await;
    let payments = shop.tasks.register(&json(PAYMENTS).unwrap()).unwrap();
    let old = shop.orders[0].clone();
    shop.tasks.wait_for_read(PATIENCE).await.unwrap();
    let mark = shop.mark();
    shop.tasks.fake.change(|world| world.stop_task(&old, "it crashed")).unwrap();
    let address = shop.tasks.end_stop(&old).await.unwrap();
    let new = shop.tasks.begin(Run::at(CLUSTER, &payments, address)).await.unwrap();
    shop.tasks.runs(&new).unwrap();
    let lost = shop.tasks.stands_still(&shop.load, &mark, |load| mark.lost(load), PATIENCE);
    let (polls, lost) = tokio::join!(shop.tasks.last_polls(2, PATIENCE), lost);
    polls.unwrap();
    let lost = lost.unwrap();
    println!("lost: {lost:?}");
    assert!(lost.count > 0, "nobody is there that answers: {lost:?}");
    assert!(lost.count * 3 <= lost.requests * 2, "the other task has its share of the requests: {lost:?}");
    shop.tasks.ready(&new).await.unwrap();
    shop.load.more(200).await;
    let who = shop.tasks.who(&new);
    assert_eq!((mark.answered(&shop.load, &who), mark.lost(&shop.load)), (0, lost.count), "{:?}", shop.load.tally());
    shop.close().await;
}

/// Nothing helps but the order in which things are told: there are no retries, and no Envoy looks after another. The
/// ingress of a new task is to be there before its endpoint is, and the endpoint of an old one to be gone before it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_revision_that_no_envoy_looks_after_replaces_the_old_one_and_nothing_is_lost() {
    let mut shop = Shop::bare(2).await;
    let newer = shop.tasks.register(&json(STOCK).unwrap()).unwrap();
    let (event, new) = scenes::replace(&mut shop.tasks, &shop.load, &shop.orders, &newer).await.unwrap();
    is_well(&event);
    assert_eq!(new.len(), 2);
    shop.nothing_was_lost();
    shop.close().await;
}

/// The race of the test before, decided: what is beside the new application learns last that its task is RUNNING.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_task_knows_what_it_serves_before_its_callers_know_the_task() {
    let mut shop = Shop::bare(1).await;
    let newer = shop.tasks.register(&json(STOCK).unwrap()).unwrap();
    let run = Run::at(CLUSTER, &newer, shop.tasks.address().unwrap());
    let new = shop.tasks.begin(run).await.unwrap();
    shop.tasks.ready(&new).await.unwrap();
    // What is known of a task that is PENDING was read, and told.
    shop.tasks.wait_for_read(PATIENCE).await.unwrap();
    shop.tasks.wait_for_read(PATIENCE).await.unwrap();
    shop.tasks.hold(&new).unwrap();
    shop.tasks.runs(&new).unwrap();
    let web = shop.web.clone();
    shop.tasks.has_endpoints(&web, "stock.svc", 2, PATIENCE).await.unwrap();
    // Every connection waits for it: whatever it does first when it goes on, it was asked before.
    shop.load.stalls(PATIENCE).await.unwrap();
    shop.tasks.let_go(&new).unwrap();
    let who = shop.tasks.who(&new);
    shop.tasks.all_answer(&shop.load, &[who], PATIENCE).await.unwrap();
    shop.load.more(200).await;
    shop.nothing_was_lost();
    shop.close().await;
}
