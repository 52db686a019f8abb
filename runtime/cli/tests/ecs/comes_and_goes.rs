//! Tasks come and go under load, and no request is lost for it.

use fake::world::Run;
use trials::tasks::definitions::{ORDERS, PAYMENTS, json};
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
    let mut shop = Shop::open(2).await;
    let (old, who) = (shop.orders[0].clone(), shop.tasks.who(&shop.orders[0]));
    shop.tasks.begin_stop(&old).await.unwrap();
    shop.tasks.last_polls(2, PATIENCE).await.unwrap();
    shop.tasks.is_left(&shop.load, &who, scenes::QUIET, PATIENCE).await.unwrap();
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

/// C5, at its worst: AWS gives the address away between two polls.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_hands_between_two_polls_is_misled_to_for_less_than_two() {
    let mut shop = Shop::open(2).await;
    let payments = shop.tasks.register(&json(PAYMENTS).unwrap()).unwrap();
    let old = shop.orders[0].clone();
    let mark = shop.tasks.polls();
    shop.tasks.fake.change(|world| world.stop_task(&old, "it crashed")).unwrap();
    let address = shop.tasks.end_stop(&old).await.unwrap();
    let new = shop.tasks.begin(Run::at(CLUSTER, &payments, address)).await.unwrap();
    shop.tasks.runs(&new).unwrap();
    shop.tasks.wait_for_polls(2, PATIENCE).await.unwrap();
    shop.tasks.ready(&new).await.unwrap();
    let lost = shop.load.tally().lost;
    shop.load.more(200).await;
    let who = shop.tasks.who(&new);
    assert!(!shop.load.answers().contains_key(&who), "its own Envoy refuses what is for another service");
    assert_eq!(shop.load.tally().lost, lost, "after {} polls: {:?}", shop.tasks.polls() - mark, shop.load.tally());
    shop.close().await;
}
