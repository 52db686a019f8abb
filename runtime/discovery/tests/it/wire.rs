//! The same over the wire: the SDK of AWS against the small AWS of our own, which checks signatures, and against moto.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compiler::import::ecs::Wants;
use compiler::observation::{NetworkMode, Observation, Task};
use discovery::api::{Answer, Api, Kind};
use discovery::{Aws, Moment, Options, Reader};
use fake::Fake;
use fake::faults::{self, Fault};
use fake::signature::Credentials;
use fake::world::Run;
use serde_json::{Value, json};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// With what is read, and with what nobody may ever see.
fn orders(mode: &str) -> Value {
    json!({
        "family": "orders", "networkMode": mode, "requiresCompatibilities": [if mode == "awsvpc" { "FARGATE" } else { "EC2" }],
        "cpu": "256", "memory": "512",
        "containerDefinitions": [
            {
                "name": "app", "image": "orders", "essential": true, "memory": 256,
                "portMappings": [{ "containerPort": 8080, "protocol": "tcp", "name": "web" }],
                "dockerLabels": { "meshwright.serves": "orders.svc", "com.example.password": "hidden" },
                "environment": [
                    { "name": "NJ_SERVICE", "value": "orders" },
                    { "name": "DATABASE_PASSWORD", "value": "hidden" },
                ],
                "healthCheck": { "command": ["CMD", "true"] },
            },
            { "name": "side", "image": "side", "essential": false, "memory": 128 },
        ],
        "tags": [{ "key": "NJ_TAG", "value": "yes" }, { "key": "owner", "value": "hidden" }],
    })
}

async fn with_orders(mode: &str) -> Fake {
    let fake = Fake::start().await.unwrap();
    fake.demand(Credentials { access_key: "emulator".to_owned(), secret_key: "emulator".to_owned(), token: None });
    fake.change(|world| {
        world.create_cluster("production");
        world.register(&orders(mode)).unwrap();
    });
    fake
}

fn reader() -> Reader {
    Reader::new(&Options { calls_per_second: 1_000.0, seed: 1, ..Options::default() })
}

async fn read(reader: &mut Reader, aws: &Aws, wants: &Wants) -> Answer<Moment> {
    reader.read(aws, wants, Arc::new(|_| ())).await.0
}

fn production() -> Wants {
    Wants { clusters: ["production".to_owned()].into(), ..Wants::default() }
}

async fn aws(fake: &Fake) -> Aws {
    Aws::at(&fake.url(), "eu-central-1").await.unwrap()
}

async fn observe(fake: &Fake) -> Observation {
    read(&mut reader(), &aws(fake).await, &production()).await.unwrap().observation
}

#[tokio::test]
async fn a_task_of_fargate_has_its_own_address_and_only_words_that_are_read() {
    let fake = with_orders("awsvpc").await;
    fake.change(|world| {
        let tags = [("NJ_COLOUR".to_owned(), "blue".to_owned()), ("owner".to_owned(), "hidden".to_owned())];
        let overrides = json!({ "containerOverrides": [{ "name": "app", "environment": [
            { "name": "NJ_WEIGHT", "value": "7" }, { "name": "TOKEN", "value": "hidden" },
        ] }] });
        let run = Run { tags: tags.into(), overrides, ..Run::at("production", "orders", ip("127.9.0.4")) };
        world.run_task(run).unwrap();
    });
    let observation = observe(&fake).await;
    let task = &observation.tasks[0];
    assert_eq!(task.addresses, [ip("127.9.0.4")]);
    assert_eq!((task.last_status.as_str(), task.health_status.as_str()), ("RUNNING", "HEALTHY"));
    assert_eq!((task.launch_type.as_str(), task.containers.len()), ("FARGATE", 2));
    assert!(task.started_at.is_some());
    assert_eq!(task.tags.keys().collect::<Vec<_>>(), ["NJ_COLOUR"]);
    assert_eq!(task.environment["app"]["NJ_WEIGHT"], "7");
    let definition = &observation.task_definitions[0];
    assert_eq!((definition.family.as_str(), definition.revision), ("orders", 1));
    assert_eq!(definition.network_mode, NetworkMode::Awsvpc);
    assert!(
        definition.containers.iter().any(|it| it.health_check && it.essential && it.ports[0].container_port == 8080)
    );
    assert_eq!(definition.tags["NJ_TAG"], "yes");
    let text = compiler::observation::text::write(&observation);
    assert!(!text.contains("hidden") && !text.contains("PASSWORD") && text.contains("meshwright.serves"), "{text}");
}

#[tokio::test]
async fn the_address_of_a_task_is_read_of_its_attachment_where_no_interface_is_told() {
    for address in ["127.9.0.4", "fd00::4"] {
        let fake = with_orders("awsvpc").await;
        fake.change(|world| {
            let id = world.run_task(Run::at("production", "orders", ip(address))).unwrap();
            world.task_mut(&id).unwrap().hides_interfaces = true;
        });
        assert_eq!(observe(&fake).await.tasks[0].addresses, [ip(address)]);
    }
}

#[tokio::test]
async fn a_task_in_bridge_mode_has_the_ports_and_the_address_of_its_host() {
    let fake = with_orders("bridge").await;
    fake.change(|world| {
        world.add_instance("production", &[ip("10.0.0.9"), ip("fd00::9")]).unwrap();
        world.run_task(Run::new("production", "orders")).unwrap();
    });
    let observation = observe(&fake).await;
    let (task, host) = (&observation.tasks[0], &observation.container_instances[0]);
    assert_eq!(task.container_instance.as_ref(), Some(&host.arn));
    assert_eq!(host.addresses, [ip("10.0.0.9"), ip("fd00::9")]);
    assert!(task.addresses.is_empty());
    let app = task.containers.iter().find(|container| container.name == "app").unwrap();
    assert_eq!(app.network_bindings[0].container_port, 8080);
    assert!(app.network_bindings[0].host_port > 0);
    assert_eq!(observation.task_definitions[0].network_mode, NetworkMode::Bridge);
    assert_eq!(fake.calls().of("DescribeInstances"), 1);
}

/// The actions that a page's policy allows, without their service.
fn allowed(page: &str) -> BTreeSet<String> {
    let policy = page.split("```json\n").find(|text| text.contains("\"Statement\"")).unwrap();
    let policy: Value = serde_json::from_str(policy.split("```").next().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        action => vec![action.clone()],
    });
    actions.map(|action| action.as_str().unwrap().split_once(':').unwrap().1.to_owned()).collect()
}

#[tokio::test]
async fn the_documented_policies_are_enough() {
    let pages = [
        (include_str!("../../../../spec/reference/running-on-ecs.md"), "bridge", true),
        (include_str!("../../../../examples/ecs-ec2-bridge/README.md"), "bridge", false),
        (include_str!("../../../../examples/ecs-fargate/README.md"), "awsvpc", false),
    ];
    for (page, mode, with_cloud_map) in pages {
        let fake = with_orders(mode).await;
        fake.change(|world| {
            if mode == "bridge" {
                world.add_instance("production", &[ip("10.0.0.9")]).unwrap();
            }
            world.run_task(Run::new("production", "orders")).unwrap();
            world.register_instance("internal", "db", "a", ip("10.0.0.5"), 5432);
        });
        fake.fail([Fault::every(faults::Kind::Denied).except(allowed(page))]);
        let cloud_map = with_cloud_map.then(|| ("internal".to_owned(), "db".to_owned()));
        let wants = Wants { cloud_map: cloud_map.into_iter().collect(), ..production() };
        let observation = read(&mut reader(), &aws(&fake).await, &wants).await.unwrap().observation;
        assert_eq!((observation.tasks.len(), observation.cloud_map.len()), (1, usize::from(with_cloud_map)));
        assert_eq!(fake.calls().outcome("AccessDeniedException"), 0);
    }
}

#[tokio::test]
async fn every_page_of_every_cluster_is_read() {
    let fake = with_orders("awsvpc").await;
    fake.change(|world| {
        world.create_cluster("staging");
        for number in 0..250_u8 {
            world.run_task(Run::at("production", "orders", IpAddr::from([127, 9, 1, number]))).unwrap();
        }
        world.run_task(Run::at("staging", "orders", ip("127.9.2.1"))).unwrap();
    });
    let wants = Wants { clusters: ["*".to_owned()].into(), ..Wants::default() };
    let moment = read(&mut reader(), &aws(&fake).await, &wants).await.unwrap();
    assert_eq!((moment.observation.clusters.len(), moment.observation.tasks.len()), (2, 251));
    let calls = fake.calls();
    assert_eq!((calls.of("ListTasks"), calls.of("DescribeTasks"), calls.of("DescribeTaskDefinition")), (4, 4, 1));
}

#[tokio::test]
async fn instances_of_cloud_map_are_read() {
    let fake = with_orders("awsvpc").await;
    fake.change(|world| world.register_instance("internal", "db", "i1", ip("10.1.1.1"), 5432));
    let wants = Wants { cloud_map: [("internal".to_owned(), "db".to_owned())].into(), ..production() };
    let moment = read(&mut reader(), &aws(&fake).await, &wants).await.unwrap();
    let service = &moment.observation.cloud_map[0];
    assert_eq!((service.namespace.as_str(), service.service.as_str()), ("internal", "db"));
    assert_eq!(service.instances[0].attributes["AWS_INSTANCE_IPV4"], "10.1.1.1");
}

#[tokio::test]
async fn a_life_is_followed_to_its_end() {
    let fake = with_orders("awsvpc").await;
    let (mut reader, aws) = (reader(), aws(&fake).await);
    let id = fake.change(|world| world.run_task(Run::at("production", "orders", ip("127.9.0.4"))).unwrap());
    let of = |moment: &Moment| moment.observation.tasks.iter().map(|task| task.last_status.clone()).collect::<Vec<_>>();
    assert_eq!(of(&read(&mut reader, &aws, &production()).await.unwrap()), ["RUNNING"]);
    fake.change(|world| {
        world.pace = fake::world::Pace::ByHand;
        world.stop_task(&id, "enough").unwrap();
    });
    assert_eq!(of(&read(&mut reader, &aws, &production()).await.unwrap()), ["DEACTIVATING"]);
    fake.change(|world| while world.advance(&id).unwrap() {});
    assert!(of(&read(&mut reader, &aws, &production()).await.unwrap()).is_empty());
}

/// What every call says while AWS fails like this.
async fn kind(fault: faults::Kind) -> Kind {
    let fake = with_orders("awsvpc").await;
    let aws = aws(&fake).await;
    fake.fail([Fault::every(fault)]);
    let ecs = aws.list_tasks("production", None).await.unwrap_err();
    let ec2 = aws.describe_instances(&["i-1".to_owned()]).await.unwrap_err();
    let cloud_map = aws.discover_instances("internal", "db").await.unwrap_err();
    assert_eq!((ecs.kind, ecs.kind), (ec2.kind, cloud_map.kind), "{ecs} / {ec2} / {cloud_map}");
    ecs.kind
}

#[tokio::test]
async fn each_fault_is_told_apart_whatever_is_called() {
    assert_eq!(kind(faults::Kind::Throttled).await, Kind::Throttled);
    assert_eq!(kind(faults::Kind::ServerError).await, Kind::Unavailable);
    assert_eq!(kind(faults::Kind::Unavailable).await, Kind::Unavailable);
    assert_eq!(kind(faults::Kind::ExpiredCredentials).await, Kind::Credentials);
    assert_eq!(kind(faults::Kind::Denied).await, Kind::Denied);
    assert_eq!(kind(faults::Kind::Reset).await, Kind::Connection);
}

#[tokio::test]
async fn half_an_answer_is_none() {
    for fault in [faults::Kind::Truncated, faults::Kind::WrongJson] {
        let fake = with_orders("awsvpc").await;
        let aws = aws(&fake).await;
        fake.fail([Fault::every(fault.clone())]);
        let fault = aws.list_tasks("production", None).await.unwrap_err();
        assert!(fault.kind.passes(), "{fault}");
    }
}

#[tokio::test]
async fn an_attempt_ends_after_ten_seconds_whatever_trickles() {
    let fake = with_orders("awsvpc").await;
    for number in 0..100_u8 {
        fake.change(|world| {
            world.run_task(Run::at("production", "orders", IpAddr::from([127, 9, 1, number]))).unwrap()
        });
    }
    let aws = aws(&fake).await;
    fake.fail([
        Fault::of("ListTasks", faults::Kind::Slow { bytes_per_second: 20 }),
        Fault::every(faults::Kind::Silence),
    ]);
    let started = Instant::now();
    let ids = ["i-1".to_owned()];
    let (list, instances) = tokio::join!(aws.list_tasks("production", None), aws.describe_instances(&ids));
    assert!(list.unwrap_err().kind.passes());
    assert_eq!(instances.unwrap_err().kind, Kind::Timeout);
    assert!((5..13).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn lists_that_loop_expire_or_double_do_no_harm() {
    let fake = with_orders("awsvpc").await;
    fake.change(|world| {
        for number in 0..250_u8 {
            world.run_task(Run::at("production", "orders", IpAddr::from([127, 9, 1, number]))).unwrap();
        }
    });
    let aws = aws(&fake).await;
    fake.fail([Fault::of("ListTasks", faults::Kind::LoopingToken)]);
    let fault = read(&mut reader(), &aws, &production()).await.unwrap_err();
    assert!(fault.to_string().contains("again and again"), "{fault}");
    fake.fail([Fault::of("ListTasks", faults::Kind::ExpiredPage).page(2).times(1)]);
    assert_eq!(read(&mut reader(), &aws, &production()).await.unwrap().observation.tasks.len(), 250);
    fake.fail([Fault::of("ListTasks", faults::Kind::Duplicates)]);
    assert_eq!(read(&mut reader(), &aws, &production()).await.unwrap().observation.tasks.len(), 250);
    fake.fail([Fault::of("ListTasks", faults::Kind::Unavailable).page(2)]);
    assert_eq!(read(&mut reader(), &aws, &production()).await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn wrong_keys_are_refused_as_credentials() {
    let fake = with_orders("awsvpc").await;
    fake.demand(Credentials { access_key: "emulator".to_owned(), secret_key: "another".to_owned(), token: None });
    let aws = aws(&fake).await;
    assert_eq!(aws.list_tasks("production", None).await.unwrap_err().kind, Kind::Credentials);
    assert_eq!(aws.describe_instances(&["i-1".to_owned()]).await.unwrap_err().kind, Kind::Credentials);
}

#[tokio::test]
async fn nobody_at_the_end_point_is_soon_known() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (started, aws) = (Instant::now(), Aws::at(&url, "eu-central-1").await.unwrap());
    assert_eq!(aws.list_tasks("production", None).await.unwrap_err().kind, Kind::Connection);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn moto_is_read_too() {
    let moto = fake::moto::start().await.unwrap();
    moto.create_cluster("production").await.unwrap();
    moto.register(&orders("awsvpc")).await.unwrap();
    let started: BTreeSet<String> = moto.run("production", "orders", 3).await.unwrap().into_iter().collect();
    let aws = Aws::at(&moto.url(), "eu-central-1").await.unwrap();
    let mut reader = reader();
    for _ in 0..3 {
        let observation = read(&mut reader, &aws, &production()).await.unwrap().observation;
        let runs = |task: &&Task| task.last_status == "RUNNING" && task.addresses.len() == 1;
        assert_eq!(
            observation.tasks.iter().filter(runs).map(|task| task.arn.clone()).collect::<BTreeSet<_>>(),
            started
        );
        assert_eq!(observation.task_definitions[0].family, "orders");
        assert_eq!(observation.task_definitions[0].containers.len(), 2);
    }
}
