//! What reading and checking a large mesh cost: text to model in either syntax, then every rule, in time and in memory.

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use meshwright_benches::meshes;
use spec::{Diagnostics, Syntax};

/// Set in the process that reads once and says how much memory that took.
const READ_ONCE: &str = "MESHWRIGHT_READ_ONCE";

fn main() {
    if let Ok(syntax) = env::var(READ_ONCE) {
        return read_once(&syntax);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    for (name, kdl) in documents() {
        for syntax in ["nothing", "kdl", "yaml"] {
            say_memory(name, &kdl, syntax);
        }
    }
}

/// Either is as large as a file may be, or nearly.
fn documents() -> [(&'static str, String); 2] {
    [
        ("4,000 services of 5 routes", meshes::routes(4_000)),
        ("10,000 services, 1,000 callers", meshes::callers(10_000, 1_000)),
    ]
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for (name, kdl) in documents() {
        let yaml = meshes::as_yaml(&kdl).expect("the mesh is right");
        for (syntax, text) in [(Syntax::Kdl, &kdl), (Syntax::Yaml, &yaml)] {
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(format!("{syntax:?}"), name), text, |bencher, text| {
                // Freeing the mesh is not part of reading it.
                bencher.iter_with_large_drop(|| black_box(meshes::parse(text, syntax)).expect("the mesh is right"));
            });
        }
        let (mesh, sources) = meshes::parse(&kdl, Syntax::Kdl).expect("the mesh is right");
        group.throughput(Throughput::Elements(mesh.services.len() as u64));
        group.bench_with_input(BenchmarkId::new("check", name), &mesh, |bencher, mesh| {
            bencher.iter_with_large_drop(|| black_box(compiler::check(mesh, &sources, &mut Diagnostics::new())));
        });
    }
    group.finish();
}

/// Another process reads the text, so that nothing else counts.
fn say_memory(name: &str, kdl: &str, syntax: &str) {
    let Ok(program) = env::current_exe() else { return };
    let text = match syntax {
        "yaml" => meshes::as_yaml(kdl).unwrap_or_default(),
        _ => kdl.to_owned(),
    };
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("mesh");
    if std::fs::write(&file, text).is_err() {
        return;
    }
    let output = Command::new(program).arg(&file).env(READ_ONCE, syntax).output();
    if let Ok(output) = output {
        println!("reading/{syntax}/{name}: {}", String::from_utf8_lossy(&output.stdout).trim());
    }
}

fn read_once(syntax: &str) {
    let path = env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mesh = match syntax {
        "nothing" => None,
        "yaml" => meshes::parse(&text, Syntax::Yaml),
        _ => meshes::parse(&text, Syntax::Kdl),
    };
    // Linux says the most memory that was ever resident.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or(" unknown").trim();
    let services = mesh.map_or(0, |(mesh, _)| mesh.services.len());
    println!("{services} services, peak memory {peak}");
}

criterion_group!(benches, reading);
