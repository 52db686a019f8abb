//! Requests whose answer is certain.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use local::{Client, Request, Response};
use meshwright::launch::Started;
use meshwright::trace;

use crate::table::Row;

/// What must come back.
struct Expected {
    status: u16,
    header: Option<(&'static str, &'static str)>,
    /// The service whose workload answers.
    service: Option<&'static str>,
    /// A part of what the access logs must say about who decided.
    by: &'static str,
}

pub(crate) async fn single(started: &Started) -> anyhow::Result<Vec<Row>> {
    // A service without faults, so that the answer is certain.
    let to_zeta = |path: &str| Request::get(path).host("zeta-admin.svc");
    let cases = [
        ("front gateway, no credentials", "ingress", to_zeta("/"), refused()),
        ("front gateway, jimmy:1234", "ingress", to_zeta("/").basic_auth("jimmy", "1234"), ok("zeta-admin.svc")),
        ("front gateway, jimmy:wrong", "ingress", to_zeta("/").basic_auth("jimmy", "wrong"), refused()),
        ("front gateway, /healthz, no credentials", "ingress", to_zeta("/healthz"), refused()),
        ("egress, absolute URL (HTTP_PROXY)", "alpha", Request::get("http://zeta-admin.svc/"), ok("zeta-admin.svc")),
        ("egress, Host: zeta-admin.svc", "alpha", to_zeta("/"), ok("zeta-admin.svc")),
        (
            "egress, Host: zeta-admin.svc:4100",
            "alpha",
            Request::get("/").host("zeta-admin.svc:4100"),
            ok("zeta-admin.svc"),
        ),
        ("egress, Host: nowhere.svc", "alpha", Request::get("/").host("nowhere.svc"), not_found()),
        ("abort 100 % on delta.svc", "alpha", Request::get("/").host("delta.svc"), aborted(583)),
    ];
    let mut rows = Vec::new();
    for (index, (title, entrance, request, expected)) in cases.into_iter().enumerate() {
        rows.push(row(started, title, entrance, &format!("demo-{index}"), request, &expected).await?);
    }
    rows.push(header_routing(started, "x-canary: on to eta.svc", true).await?);
    rows.push(header_routing(started, "forged x-meshwright-route to eta.svc", false).await?);
    rows.push(health(started).await?);
    rows.push(retries(started).await?);
    rows.push(scrape(started).await?);
    Ok(rows)
}

fn ok(service: &'static str) -> Expected {
    Expected { status: 200, header: None, service: Some(service), by: "workload" }
}

fn refused() -> Expected {
    let header = ("www-authenticate", "Basic realm=\"bent\", charset=\"UTF-8\"");
    Expected { status: 401, header: Some(header), service: None, by: "basic_auth" }
}

fn not_found() -> Expected {
    Expected { status: 404, header: None, service: None, by: "no route" }
}

fn aborted(status: u16) -> Expected {
    Expected { status, header: None, service: None, by: "fault" }
}

async fn row(
    started: &Started,
    title: &str,
    entrance: &str,
    marker: &str,
    request: Request,
    expected: &Expected,
) -> anyhow::Result<Row> {
    let response = send(started, entrance, request.header("user-agent", marker)).await?;
    let decided_by = trace::decided_by(started, &trace::hops(started, entrance, marker).await);
    let service = service_of(&response);
    let header_agrees = expected.header.is_none_or(|(name, value)| response.header(name).as_deref() == Some(value));
    let service_agrees = expected.service.is_none_or(|wanted| service.as_deref() == Some(wanted));
    let agrees =
        response.status == expected.status && header_agrees && service_agrees && decided_by.contains(expected.by);
    let got_header = expected.header.and_then(|(name, _)| response.header(name).map(|value| value.into_owned()));
    Ok(Row {
        request: title.to_owned(),
        expected: describe(expected.status, expected.header.map(|(_, value)| value.to_owned()), expected.service),
        got: describe(response.status, got_header, expected.service.and(service.as_deref())),
        decided_by,
        agrees,
    })
}

fn describe(status: u16, header: Option<String>, service: Option<&str>) -> String {
    let parts = [Some(status.to_string()), header, service.map(|service| format!("from {service}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `x-canary: on` leads to the other target; the internal header, set by the client, does not.
async fn header_routing(started: &Started, title: &str, canary: bool) -> anyhow::Result<Row> {
    let request = Request::get("/").host("zeta-admin.svc");
    let (request, expected) = match canary {
        true => (request.header("x-canary", "on"), ok("eta.svc")),
        false => (request.header("x-meshwright-route", "eta.svc"), ok("zeta-admin.svc")),
    };
    row(started, title, "alpha", if canary { "demo-canary" } else { "demo-forged" }, request, &expected).await
}

/// Every request to delta.svc is aborted, and its health checks pass all the same.
async fn health(started: &Started) -> anyhow::Result<Row> {
    let alpha = started.running.instance("alpha")?;
    let counter = |name: &str| format!("cluster.delta_svc.{name}");
    let failed = alpha.counter(&counter("health_check.failure")).await?;
    let passed = alpha.counter(&counter("health_check.success")).await?;
    let mut checks = 0;
    let (deadline, wait) = (Instant::now() + Duration::from_secs(20), Duration::from_millis(100));
    while checks < 2 && Instant::now() < deadline {
        tokio::time::sleep(wait).await;
        checks = alpha.counter(&counter("health_check.success")).await? - passed;
    }
    let failed = alpha.counter(&counter("health_check.failure")).await? - failed;
    let healthy = alpha.counter(&counter("membership_healthy")).await?;
    Ok(Row {
        request: "health checks of delta.svc, abort 100 %".to_owned(),
        expected: "2 or more pass, 0 fail, 1 healthy".to_owned(),
        got: format!("{checks} pass, {failed} fail, {healthy} healthy"),
        decided_by: "delta: health check filter".to_owned(),
        agrees: checks >= 2 && failed == 0 && healthy == 1,
    })
}

/// The upstream fails twice: the client sees 200, Envoy counts two retries.
async fn retries(started: &Started) -> anyhow::Result<Row> {
    let before = upstream_retries(started).await?;
    let request = Request::get("/").host("eta.svc").header("x-request-id", "demo-retry").header("x-echo-fail", "2");
    let response = send(started, "alpha", request).await?;
    let retries = upstream_retries(started).await? - before;
    Ok(Row {
        request: "upstream fails twice, num-retries 3".to_owned(),
        expected: "200, upstream_rq_retry 2".to_owned(),
        got: format!("{}, upstream_rq_retry {retries}", response.status),
        decided_by: "alpha: retry policy".to_owned(),
        agrees: response.status == 200 && retries == 2,
    })
}

async fn upstream_retries(started: &Started) -> anyhow::Result<u64> {
    Ok(started.running.instance("alpha")?.counter("cluster.eta_svc.upstream_rq_retry").await?)
}

async fn scrape(started: &Started) -> anyhow::Result<Row> {
    let address = started.running.instance("alpha")?.instance().address;
    let mut client = Client::new(SocketAddr::new(address, compiler::lower::PROMETHEUS_PORT));
    let metrics = client.send(&Request::get("/stats/prometheus")).await?;
    let rest = client.send(&Request::get("/config_dump")).await?;
    let named = metrics.text().contains("envoy_cluster_name=\"beta_svc\"");
    Ok(Row {
        request: ":15090 /stats/prometheus, /config_dump".to_owned(),
        expected: "200 with beta_svc, 404".to_owned(),
        got: format!("{}{}, {}", metrics.status, if named { " with beta_svc" } else { "" }, rest.status),
        decided_by: "alpha: metrics listener".to_owned(),
        agrees: metrics.status == 200 && named && rest.status == 404,
    })
}

pub(crate) async fn send(started: &Started, entrance: &str, request: Request) -> anyhow::Result<Response> {
    let address = started.running.instance(entrance)?.instance().entrance();
    Ok(Client::new(address).send(&request).await?)
}

pub(crate) fn service_of(response: &Response) -> Option<String> {
    Some(response.json().ok()?.get("service")?.as_str()?.to_owned())
}
