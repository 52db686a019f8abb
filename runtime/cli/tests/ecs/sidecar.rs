//! The sidecar that people put in their tasks, which is told nothing but where the control plane is.

use fake::world::Run;
use trials::tasks::CLUSTER;

use crate::shop::{PATIENCE, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_asks_ecs_what_it_is_serves_its_task_until_it_ends() {
    let mut shop = Shop::bare(1).await;
    let run = Run::at(CLUSTER, &shop.definition, shop.tasks.address().unwrap());
    let new = shop.tasks.begin_with_sidecar(run).await.unwrap();
    shop.tasks.ready(&new).await.unwrap();
    shop.tasks.runs(&new).unwrap();
    let who = shop.tasks.who(&new);
    println!("{:?} later", shop.tasks.all_answer(&shop.load, std::slice::from_ref(&who), PATIENCE).await.unwrap());
    let told = shop.serve.told(&format!("stock/1~{CLUSTER}/{new}")).await.unwrap();
    assert_eq!(told, Some(format!("stock/1/{new}")));

    // The old task leaves, so that nothing but the new one and its sidecar answers.
    let (mark, old) = (shop.mark(), shop.orders[0].clone());
    let old_who = shop.tasks.who(&old);
    shop.tasks.begin_stop(&old).await.unwrap();
    shop.tasks.is_left(&shop.load, &old_who, &mark, PATIENCE).await.unwrap();
    shop.tasks.end_stop(&old).await.unwrap();
    shop.load.more(200).await;
    shop.nothing_was_lost();
    shop.close().await;
}
