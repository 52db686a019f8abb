//! From text to Envoy configuration, stage by stage, at several sizes.

use std::hint::black_box;
use std::time::Duration;

use compiler::snapshot::Snapshot;
use compiler::{CheckedMesh, Proxy, WasmModule};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use meshwright_benches::meshes;
use spec::{Diagnostics, Syntax};

fn compile(criterion: &mut Criterion) {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for services in [10, 100, 1000] {
        let kdl = meshes::kdl(services);
        let yaml = meshes::yaml(services).expect("the mesh is right");
        let (mesh, sources) = meshes::parse(&kdl, Syntax::Kdl).expect("the mesh is right");
        let checked = compiler::check(&mesh, &sources, &mut Diagnostics::new()).expect("the mesh is right");
        let caller = checked.proxies().find(|proxy| checked.proxy_name(*proxy).as_str() == "caller").expect("a caller");
        group.throughput(Throughput::Elements(services as u64));
        let mut stage = |name: &str, run: &mut dyn FnMut()| {
            group.bench_with_input(BenchmarkId::new(name, services), &(), |bencher, ()| bencher.iter(&mut *run));
        };
        stage("parse kdl", &mut || drop(black_box(meshes::parse(&kdl, Syntax::Kdl))));
        stage("parse yaml", &mut || drop(black_box(meshes::parse(&yaml, Syntax::Yaml))));
        stage("check", &mut || drop(black_box(compiler::check(&mesh, &sources, &mut Diagnostics::new()))));
        stage("lower one caller of all", &mut || drop(black_box(compiler::lower(&checked, caller, &module))));
        stage("emit one caller of all", &mut || drop(black_box(compiler::emit::bootstrap(&checked, caller, &module))));
        let nodes: Vec<Proxy> = checked.proxies().filter(|proxy| *proxy != caller).collect();
        stage("emit every other node", &mut || {
            for proxy in &nodes {
                drop(black_box(compiler::emit::bootstrap(&checked, *proxy, &module)));
            }
        });
    }
    group.finish();
}

/// What a control plane does at its start, and whenever a task comes or goes.
fn snapshot(criterion: &mut Criterion) {
    const SERVICES: usize = 10_000;
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let before = meshes::callers(SERVICES, 1_000);
    let after = before.replacen("10.1.20.1:3000", "10.9.20.1:3000", 1);
    let [before, after] = [before, after].map(|text| checked(&text).expect("the mesh is right"));
    let name = "s5000.svc";
    let (changed, _) = after.services().find(|(_, service)| service.name.as_str() == name).expect("such a service");
    let served = Snapshot::of(&before, &module);
    assert_eq!(served.clone().refresh_endpoints(&after, changed), 1, "one endpoint is one resource");
    let mut group = criterion.benchmark_group("snapshot");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    group.bench_function("10,000 services, 1,000 callers", |bencher| {
        bencher.iter_with_large_drop(|| black_box(Snapshot::of(&before, &module)));
    });
    group.bench_function("one endpoint changed among 10,000 services", |bencher| {
        let refresh = |mut served: Snapshot| {
            black_box(served.refresh_endpoints(&after, changed));
            served
        };
        bencher.iter_batched(|| served.clone(), refresh, BatchSize::LargeInput);
    });
    group.finish();
}

fn checked(kdl: &str) -> Option<CheckedMesh> {
    let (mesh, sources) = meshes::parse(kdl, Syntax::Kdl)?;
    compiler::check(&mesh, &sources, &mut Diagnostics::new())
}

criterion_group!(benches, compile, snapshot);
criterion_main!(benches);
