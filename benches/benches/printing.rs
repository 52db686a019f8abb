//! From Envoy's typed messages to text, and what its rules say of them, at several sizes.

use std::hint::black_box;

use compiler::WasmModule;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use envoy::config::bootstrap::v3::Bootstrap;
use meshwright_benches::meshes;
use spec::{Diagnostics, Syntax};

const ROUTES: usize = 5;

fn printing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("printing");
    group.sample_size(10);
    for services in [100, 1000, 4000] {
        let bootstrap = bootstrap(services).expect("the mesh is right");
        group.throughput(Throughput::Bytes(envoy::to_yaml(&bootstrap).len() as u64));
        let mut stage = |name: &str, run: &mut dyn FnMut()| {
            group.bench_with_input(BenchmarkId::new(name, services), &(), |bencher, ()| bencher.iter(&mut *run));
        };
        stage("yaml", &mut || drop(black_box(envoy::to_yaml(&bootstrap))));
        stage("json", &mut || drop(black_box(envoy::to_json(&bootstrap))));
        stage("validate", &mut || drop(black_box(envoy::validate(&bootstrap))));
        stage("deprecated", &mut || drop(black_box(envoy::deprecated(&bootstrap))));
    }
    group.finish();
}

/// What a node that calls all services runs: each has three endpoints and, with the last, five routes.
fn bootstrap(services: usize) -> Option<Bootstrap> {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let (mesh, sources) = meshes::parse(&meshes::kdl_with_routes(services, ROUTES - 1), Syntax::Kdl)?;
    let checked = compiler::check(&mesh, &sources, &mut Diagnostics::new())?;
    let caller = checked.proxies().find(|proxy| checked.proxy_name(*proxy).as_str() == "caller")?;
    Some(compiler::emit::inline(&compiler::lower(&checked, caller, &module)))
}

criterion_group!(benches, printing);
criterion_main!(benches);
