//! Tasks with nightjar's words, on real Envoys: what its users' applications ask for is what they get.

use std::collections::BTreeMap;

use compiler::import::ecs;
use compiler::observation::{Cluster, ContainerDefinition, NetworkMode, Observation, Task, TaskDefinition, text};
use local::Request;
use spec::load::{FileError, Files};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use super::{Live, service, share};

const CLUSTER: &str = "arn:aws:ecs:eu-central-1:1:cluster/production";

/// A task each, at 10.0.0.1, 10.0.0.2 and so on, with these variables; its application listens at 3000, another container
/// of it, `admin`, at 3001.
async fn up(tasks: &[(&str, &str)]) -> Live {
    let mut observation = Observation {
        clusters: vec![Cluster { arn: CLUSTER.to_owned(), name: "production".to_owned() }],
        ..Default::default()
    };
    for (index, (family, says)) in tasks.iter().enumerate() {
        let lines = says.lines().filter_map(|line| line.trim().split_once('='));
        let environment: BTreeMap<String, String> =
            lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let container = |name: &str| ContainerDefinition { name: name.to_owned(), ..Default::default() };
        let listening = |name: &str, port: u16| ContainerDefinition {
            ports: serde_json::from_value(serde_json::json!([{ "containerPort": port }])).unwrap(),
            ..container(name)
        };
        let proxy = ContainerDefinition { environment, ..container("nightjar") };
        let definition = TaskDefinition {
            arn: format!("arn:aws:ecs:eu-central-1:1:task-definition/{family}:1"),
            family: (*family).to_owned(),
            revision: 1,
            network_mode: NetworkMode::Awsvpc,
            containers: vec![listening("app", 3000), listening("admin", 3001), proxy],
            ..Default::default()
        };
        observation.tasks.push(Task {
            arn: format!("arn:aws:ecs:eu-central-1:1:task/production/t{index}"),
            cluster: CLUSTER.to_owned(),
            task_definition: definition.arn.clone(),
            group: format!("service:{family}"),
            last_status: "RUNNING".to_owned(),
            desired_status: "RUNNING".to_owned(),
            addresses: vec![format!("10.0.0.{}", index + 1).parse().unwrap()],
            ..Default::default()
        });
        observation.task_definitions.push(definition);
    }
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::secret("observed.json", text::write(&observation)));
    let options = ecs::Options::default();
    let (mesh, joined) = ecs::import(file, &options, &NoFiles, &mut sources, &mut diagnostics).unwrap();
    assert_eq!(joined.quarantined, []);
    let kdl = spec::print(&mesh, Syntax::Kdl);
    let body: Vec<&str> = kdl.trim_end().lines().skip(1).collect();
    Live::up(&body[..body.len() - 1].join("\n")).await
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError::new(path, "there are no files here"))
    }
}

fn get(path: &str) -> Request {
    Request::get(path).host("whatever:8090")
}

#[tokio::test]
async fn colours_namespaces_and_gateways_serve_the_paths_that_tasks_name() {
    let of = |namespace: &str, service: &str, color: &str, says: &str| {
        format!(
            "NJ_PROXY_MODE=SERVICE\nNJ_NAMESPACE={namespace}\nNJ_SERVICE={service}\nNJ_COLOR={color}\n\
             NJ_LISTEN_PORT=8090\nNJ_ROUTE_PORT=app:3000\n{says}"
        )
    };
    let json = r#"{"path-match":{"match-type":"prefix","value":"/json/"},"default-access":true,"headers":[{"header-name":"x-a","match-type":"prefix","value":"1"}]}"#;
    let tuna = |color: &str, weight: u32| {
        let routes =
            format!("NJ_ROUTE_1=/tuna\nNJ_ROUTE_WEIGHT_1={weight}\nNJ_ROUTE_2=!/tuna_{color}\nNJ_ROUTE_3={json}");
        of("yummy", "tuna", color, &routes)
    };
    let live = up(&[
        ("blue", &tuna("blue", 1)),
        ("ahi", &tuna("ahi", 3)),
        ("web", &of("yummy", "web", "default", "NJ_ROUTE_1=/")),
        ("other", &of("other", "shop", "default", "NJ_NAMESPACE_PORT_1=yummy:9002")),
        ("front", "NJ_PROXY_MODE=GATEWAY\nNJ_NAMESPACE=yummy\nNJ_LISTEN_PORT=2000"),
    ])
    .await;

    let mut ahi = 0;
    for _ in 0..400 {
        let to = service(&live.send_to("web/1", 8090, get("/tuna/x?y=1")).await);
        assert!(["ahi.tuna.yummy", "blue.tuna.yummy"].contains(&to.as_str()), "{to}");
        ahi += usize::from(to == "ahi.tuna.yummy");
    }
    assert!((65.0..=85.0).contains(&share(ahi, 400)), "{ahi} of 400 at weight 3 of 4");

    let inside = |path: &'static str| live.send_to("web/1", 8090, get(path));
    assert_eq!(service(&inside("/tuna_blue").await), "blue.tuna.yummy");
    assert_eq!(service(&inside("/tuna_ahi/1").await), "ahi.tuna.yummy");
    assert_eq!(service(&inside("/tunas").await), "default.web.yummy", "neither the path nor below it");
    let by_header = get("/json/").header("x-a", "12");
    assert!(service(&live.send_to("web/1", 8090, by_header).await).ends_with(".tuna.yummy"));
    assert_eq!(service(&inside("/json/").await), "default.web.yummy");

    for (instance, port) in [("other/1", 9002), ("gateway-yummy", 2000)] {
        let to = service(&live.send_to(instance, port, get("/tuna")).await);
        assert!(to.ends_with(".tuna.yummy"), "{instance}: {to}");
        let private = service(&live.send_to(instance, port, get("/tuna_blue")).await);
        assert_eq!(private, "default.web.yummy", "{instance}: what is private there is nobody's but the public `/`");
    }
    assert_eq!(live.send_to("other/1", 8090, get("/tuna")).await.status, 404, "its own namespace has no such path");
}

#[tokio::test]
async fn the_first_versions_two_ports_lead_out_and_in_by_path() {
    let live = up(&[
        (
            "web",
            "EGRESS_LISTEN_PORT=9000
            INGRESS_LISTEN_PORT=8080
            SERVICE_ARN_1=arn:aws:ecs:eu-central-1:1:service/production/cart
            SERVICE_PATH_1=/cart
            SERVICE_CONTAINER_1=app
            SERVICE_ARN_2=arn:aws:ecs:eu-central-1:1:service/gone
            SERVICE_PATH_2=/gone
            CONTAINER_NAME_1=app
            CONTAINER_PATH_1=/
            TASK_NAME_2=admin
            TASK_PATH_2=/admin",
        ),
        ("cart", ""),
    ])
    .await;
    assert_eq!(service(&live.send_to("web/1", 9000, get("/cart/1")).await), "app.cart.production");
    assert_eq!(live.send_to("web/1", 9000, get("/carts")).await.status, 404);
    assert_eq!(live.send_to("web/1", 9000, get("/gone")).await.status, 503);
    assert_eq!(service(&live.send_to("web/1", 8080, get("/anything")).await), "app-3000.web-1.local");
    assert_eq!(service(&live.send_to("web/1", 8080, get("/admin")).await), "admin-3001.web-1.local");
}
