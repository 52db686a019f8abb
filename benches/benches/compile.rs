//! From text to Envoy configuration, stage by stage, at several sizes.

use std::hint::black_box;

use compiler::{Proxy, WasmModule};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use meshwright_benches::meshes;
use spec::{Diagnostics, Syntax};

fn compile(criterion: &mut Criterion) {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
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

criterion_group!(benches, compile);
criterion_main!(benches);
