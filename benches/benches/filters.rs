//! One request through each filter, natively and in wasmtime.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use host::Module;
use meshwright_benches::filters::{REQUEST, cases, native, request, wasm};

fn filters(criterion: &mut Criterion) {
    let module = Module::load(artifacts::MODULE).expect("our module loads");
    let mut group = criterion.benchmark_group("filters");
    for case in cases() {
        let mut core = native(&case).expect("the configuration is right");
        let mut headers = request();
        group.bench_function(format!("{} native", case.root_id), |bencher| {
            bencher.iter(|| black_box(core(&mut headers)));
        });
        let mut vm = wasm(&module, &case).expect("the configuration is right");
        group.bench_function(format!("{} wasmtime", case.root_id), |bencher| {
            bencher.iter(|| black_box(vm.http_request(REQUEST)));
        });
    }
    group.finish();
}

criterion_group!(benches, filters);
criterion_main!(benches);
