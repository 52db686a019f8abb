//! `meshwright serve` and `meshwright up --xds` together: what is changed in the mesh reaches the Envoys that run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use local::subnet::Claim;
use local::{Client, Options, Request, Response, Running, Subnet};
use meshwright::input::{Format as From, Input, Reading};
use meshwright::launch::{Addresses, Form, Started, start_as};
use meshwright::mesh::ready;
use meshwright::report::Format;
use world::{Authority, Secrets, TlsDial};

use super::cli::project;

const PATIENCE: Duration = Duration::from_secs(60);
/// What a person calls at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A range of addresses for a control plane and the Envoys that follow it.
struct Range {
    claim: Claim,
    prefix: String,
}

impl Range {
    fn claim() -> Self {
        let claim = Subnet::claim().unwrap();
        let first = claim.subnet().addresses().next().unwrap().octets();
        Self { claim, prefix: format!("127.{}.{}", first[1], first[2]) }
    }

    fn subnet(&self) -> String {
        format!("{}.0/24", self.prefix)
    }

    /// No instance is ever placed here.
    fn server(&self) -> String {
        format!("{}.1:18000", self.prefix)
    }

    fn admin(&self) -> String {
        format!("{}.1:18001", self.prefix)
    }
}

/// A command that runs until this is dropped.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshwright"))
            .args(arguments)
            .current_dir(project())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let stderr: Box<dyn std::io::Read + Send> = Box::new(child.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
            });
        }
        Self { child, lines }
    }

    /// Everything it said up to a line that holds this.
    #[track_caller]
    fn says(&self, text: &str) -> String {
        let mut said = String::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("never `{text}`:\n{said}"));
            said.push_str(&line);
            said.push('\n');
            if line.contains(text) {
                return said;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(mesh: &str, range: &Range, more: &[&str]) -> Process {
    let local = format!("--local={}", range.subnet());
    let arguments = ["serve", mesh, &local, "--listen", &range.server(), "--admin", &range.admin(), "--no-state"];
    Process::start(&[&arguments, more].concat())
}

fn up(mesh: &str, range: &Range) -> Process {
    let xds = format!("--xds={}", range.server());
    Process::start(&["up", mesh, &xds, "--subnet", &range.subnet()])
}

fn mesh(percent: u8) -> String {
    format!(
        r#"mesh "tiny" {{
            service "beta.svc" {{
                endpoint "10.0.0.1:3000"
                health-check path="/healthz"
                fault {{ abort 418 percent={percent} }}
            }}
            node "alpha" calls="beta.svc"
            node "beta" serves="beta.svc"
        }}"#
    )
}

fn write(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_of_a_fault_is_obeyed_at_once_on_a_connection_that_is_open() {
    let (range, folder) = (Range::claim(), tempfile::tempdir().unwrap());
    let file = folder.path().join("mesh.kdl");
    write(&file, &mesh(0));
    let path = file.to_str().unwrap();
    let up = up(path, &range);
    up.says("waiting for a control plane");
    let _serve = serve(path, &range, &[]);
    let said = up.says("Ctrl-C");
    let line = said.lines().find(|line| line.contains(" -x http://")).expect(&said);
    let entrance = line.split_whitespace().find_map(|word| word.strip_prefix("http://127.")).expect(line);
    let row = said.lines().find(|line| line.starts_with("beta ")).expect(&said);
    let admin = row.split_whitespace().last().unwrap().parse().expect(row);
    let admin = local::Admin::new(admin);
    let mut client = Client::new(format!("127.{entrance}").parse().unwrap());
    let request = Request::get("http://beta.svc/");
    assert_eq!(client.send(&request).await.unwrap().status, 200);

    let modified = "listener_manager.listener_modified";
    let before = admin.counter(modified).await.unwrap();
    for (percent, wanted) in [(100, 418), (0, 200), (100, 418)] {
        write(&file, &mesh(percent));
        let edited = Instant::now();
        loop {
            let status = client.send(&request).await.unwrap().status;
            assert!([200, 418].contains(&status), "{status}");
            if status == wanted {
                break;
            }
            assert!(edited.elapsed() < AT_ONCE, "a fault of {percent} % is not obeyed");
        }
    }
    assert_eq!(admin.counter(modified).await.unwrap(), before);

    let updates = "cluster_manager.cds.update_success";
    let told = admin.counter(updates).await.unwrap();
    write(&file, &mesh(100));
    let touched = Instant::now();
    while touched.elapsed() < AT_ONCE {
        assert_eq!(client.send(&request).await.unwrap().status, 418);
    }
    assert_eq!(admin.counter(updates).await.unwrap(), told);
}

/// What a request meets, without what differs from one to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    status: u16,
    service: String,
    headers: BTreeSet<String>,
}

impl Met {
    fn of(response: &Response) -> Self {
        let body = response.json().unwrap_or_default();
        let names = response.headers.iter().map(|(name, _)| name.clone());
        // Envoy says how long the answer took, and in which zone it was, only of some.
        let headers = names.filter(|name| !name.starts_with("x-envoy-")).collect();
        Self { status: response.status, service: body["service"].as_str().unwrap_or_default().to_owned(), headers }
    }
}

/// A request: at which Envoy, for which host, and over TLS if somebody vouches for it.
struct Asked<'a> {
    instance: &'a str,
    host: &'a str,
    path: &'a str,
    times: usize,
    authority: Option<&'a Authority>,
}

/// What most of many requests met, by who asked whom.
async fn met(started: &Started, asked: &[Asked<'_>]) -> BTreeMap<String, Met> {
    let mut all = BTreeMap::new();
    for Asked { instance, host, path, times, authority } in asked {
        let entrance = started.running.instance(instance).unwrap().instance().entrance();
        let mut client = match authority {
            Some(authority) => Client::over(TlsDial::new(&authority.pem(), host).dialer(), entrance),
            None => Client::new(entrance),
        };
        let mut tally: BTreeMap<Met, usize> = BTreeMap::new();
        for _ in 0..*times {
            let answer = client.send(&Request::get(path).host(host)).await.unwrap();
            *tally.entry(Met::of(&answer)).or_default() += 1;
        }
        let most = tally.into_iter().max_by_key(|(_, count)| *count).unwrap().0;
        all.insert(format!("{instance} asks {host}{path}"), most);
    }
    all
}

fn plainly<'a>(asked: &[(&'a str, &'a str)]) -> Vec<Asked<'a>> {
    let often = |(instance, host): &(&'a str, &'a str)| Asked { instance, host, path: "/", times: 40, authority: None };
    asked.iter().map(often).collect()
}

async fn run(input: &Input, form: Form, addresses: Addresses) -> Started {
    let ready = ready(input, Format::Text).unwrap().expect("the mesh has no mistakes");
    let options = Options::new(local::find(None).unwrap_or_else(|error| panic!("{error}")));
    let started = start_as(form, &ready, addresses, options).await;
    let started = started.unwrap_or_else(|exit| panic!("{:#}", exit.error));
    started.running.wait_healthy(PATIENCE).await.unwrap();
    started
}

/// The mesh is run twice, told everything at the start and told by a control plane.
async fn check_same(path: &str, from: Option<From>, asked: &[Asked<'_>]) {
    let absolute: PathBuf = project().join(path);
    let path = absolute.to_str().unwrap();
    let input = Input { path: path.to_owned(), reading: Reading { from, ..Reading::default() } };
    let alone = run(&input, Form::Static, Addresses::claim().unwrap()).await;
    let wanted = met(&alone, asked).await;
    stop(alone.running).await;

    let range = Range::claim();
    let _serve = serve(path, &range, if from.is_some() { &["--from", "bent"] } else { &[] });
    wait_for(&range).await;
    let addresses = Addresses { subnet: range.claim.subnet(), claim: None };
    let form = Form::Asking(vec![range.server().parse().unwrap()]);
    let following = run(&input, form, addresses).await;
    let got = met(&following, asked).await;
    for instance in following.running.instances() {
        let name = &instance.instance().name;
        for counter in ["cluster_manager.cds.update_rejected", "listener_manager.lds.update_rejected"] {
            assert_eq!(instance.counter(counter).await.unwrap(), 0, "{counter} of {name}");
        }
        assert_eq!(instance.counter("control_plane.connected_state").await.unwrap(), 1, "{name}");
    }
    stop(following.running).await;
    assert_eq!(got, wanted);
    assert!(got.values().any(|met| met.status == 200), "{got:#?}");
}

async fn stop(running: Running) {
    running.stop().await;
}

async fn wait_for(range: &Range) {
    let deadline = Instant::now() + PATIENCE;
    let ready = Request::get("/readyz");
    while !Client::new(range.admin().parse().unwrap()).send(&ready).await.is_ok_and(|answer| answer.status == 200) {
        assert!(Instant::now() < deadline, "the control plane is not ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bents_playground_is_the_same_over_xds() {
    let asked = [
        ("alpha", "beta.svc"),
        ("alpha", "gamma.svc"),
        ("alpha", "eta.svc"),
        ("alpha", "delta.svc"),
        ("alpha", "zeta.svc"),
        ("alpha", "zeta-admin.svc"),
        ("alpha", "nobody.svc"),
        ("ingress", "beta.svc"),
        ("ingress", "delta.svc"),
    ];
    check_same("examples/bent-playground/config.yaml", Some(From::Bent), &plainly(&asked)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_is_the_same_over_xds() {
    let asked = [("web", "hello.svc"), ("web", "nobody.svc"), ("front", "www.hello.example")];
    check_same("examples/hello/mesh.kdl", None, &plainly(&asked)).await;
}

/// The shop with certificates of this machine, on a port that everybody may have. Its services are ECS's: they have no
/// endpoints here.
#[tokio::test(flavor = "multi_thread")]
async fn the_shop_is_the_same_over_xds() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, inside) = (project().join("examples/shop"), |name: &str| folder.path().join(name));
    let (socket, authority) = (inside("sds.sock"), Authority::new("shop"));
    let secrets = Secrets::serve(&socket);
    secrets.believe("spiffe://shop", &authority.pem());
    for name in ["catalog.svc", "catalog-canary.svc", "cart.svc", "payments.svc", "web", "edge"] {
        let id = format!("spiffe://shop/{name}");
        secrets.show(&id, &authority.leaf(&[&id, name]));
    }
    authority.leaf(&["shop.example", "www.shop.example"]).write(folder.path());
    std::fs::create_dir(inside("services")).unwrap();
    for file in std::fs::read_dir(shop.join("services")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), inside("services").join(file.file_name())).unwrap();
    }
    let text = std::fs::read_to_string(shop.join("mesh.kdl")).unwrap();
    let text = text.replace("/run/spire/agent.sock", socket.to_str().unwrap()).replace("listen 443", "listen 8443");
    let text = text.replace("/etc/tls/shop.pem", inside("tls.crt").to_str().unwrap());
    let text = text.replace("/etc/tls/shop.key", inside("tls.key").to_str().unwrap());
    std::fs::write(inside("mesh.kdl"), text).unwrap();

    let web = |host, path| Asked { instance: "web", host, path, times: 3, authority: None };
    let edge = |host, path| Asked { instance: "edge", host, path, times: 3, authority: Some(&authority) };
    let asked = [
        web("catalog.svc", "/"),
        web("cart.svc", "/items"),
        web("payments.svc", "/"),
        edge("shop.example", "/healthz"),
        edge("shop.example", "/api/cart/items"),
        edge("shop.example", "/"),
        edge("www.shop.example", "/cart"),
    ];
    check_same(inside("mesh.kdl").to_str().unwrap(), None, &asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_changes_nothing_and_its_remedy_is_obeyed_at_once() {
    let (range, folder) = (Range::claim(), tempfile::tempdir().unwrap());
    let file = folder.path().join("mesh.kdl");
    write(&file, &mesh(0));
    let path = file.to_str().unwrap();
    let _serve = serve(path, &range, &[]);
    wait_for(&range).await;
    let input = Input { path: path.to_owned(), reading: Reading::default() };
    let form = Form::Asking(vec![range.server().parse().unwrap()]);
    let started = run(&input, form, Addresses { subnet: range.claim.subnet(), claim: None }).await;
    let alpha = started.running.instance("alpha").unwrap();
    let beta = started.running.instance("beta").unwrap();
    let mut client = Client::new(alpha.instance().entrance());
    let request = Request::get("/").host("beta.svc");
    let told = beta.counter("listener_manager.lds.update_success").await.unwrap();
    for wrong in [mesh(0).replace("fault {", "fault {{"), mesh(0).replace("calls=", "call="), String::new()] {
        write(&file, &wrong);
        let mut admin = Client::new(range.admin().parse().unwrap());
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert_eq!(client.send(&request).await.unwrap().status, 200);
            let status = admin.send(&Request::get("/status?format=json")).await.unwrap().json().unwrap();
            if !status["stale"].is_null() {
                break;
            }
            assert!(Instant::now() < deadline, "{status}");
        }
        write(&file, &mesh(0));
        while !admin.send(&Request::get("/status?format=json")).await.unwrap().json().unwrap()["stale"].is_null() {
            assert_eq!(client.send(&request).await.unwrap().status, 200);
            assert!(Instant::now() < deadline, "still stale");
        }
    }
    assert_eq!(beta.counter("listener_manager.lds.update_success").await.unwrap(), told);
    write(&file, &mesh(100));
    let remedied = Instant::now();
    while client.send(&request).await.unwrap().status != 418 {
        assert!(remedied.elapsed() < AT_ONCE, "the remedy is not obeyed");
    }
    stop(started.running).await;
}
