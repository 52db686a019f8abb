//! What reading a mesh costs: text to model in either syntax, in time and in memory.

use std::env;
use std::hint::black_box;
use std::process::Command;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use meshwright_benches::meshes;
use spec::Syntax;

/// Set in the process that reads once and says how much memory that took.
const READ_ONCE: &str = "MESHWRIGHT_READ_ONCE";
const SIZES: [usize; 2] = [1_000, 10_000];

fn main() {
    if let Ok(name) = env::var(READ_ONCE) {
        return read_once(&name);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    for name in ["nothing", "kdl", "yaml"] {
        say_memory(name);
    }
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(10);
    for services in SIZES {
        for (name, syntax, text) in texts(services) {
            let parameter = format!("{services} services, {:.1} MB", text.len() as f64 / 1e6);
            group.throughput(Throughput::Elements(services as u64));
            group.bench_with_input(BenchmarkId::new(name, &parameter), &text, |bencher, text| {
                bencher.iter(|| black_box(meshes::parse(text, syntax)).expect("the mesh is right"));
            });
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(format!("{name}, bytes"), &parameter), &text, |bencher, text| {
                bencher.iter(|| black_box(meshes::parse(text, syntax)).expect("the mesh is right"));
            });
        }
    }
    group.finish();
}

fn texts(services: usize) -> [(&'static str, Syntax, String); 2] {
    [("kdl", Syntax::Kdl, kdl(services)), ("yaml", Syntax::Yaml, yaml(services))]
}

/// Services of three endpoints, a route and a health check: ten thousand are a file that is just still read.
fn kdl(services: usize) -> String {
    let mut text = String::from("mesh \"bench\" {\n");
    for index in 0..services {
        let (high, low) = (index / 250, index % 250 + 1);
        text += &format!(
            r#"    service "s{index}.svc" {{
        endpoint "10.1.{high}.{low}:3000" weight=50
        endpoint "10.2.{high}.{low}:3000" weight=30
        endpoint "10.3.{high}.{low}:3000" weight=20
        health-check path="/healthz"
        route path-prefix="/admin" timeout="5s" {{ to "s{index}.svc" }}
    }}
"#
        );
    }
    text + "}\n"
}

fn yaml(services: usize) -> String {
    let (mesh, _) = meshes::parse(&kdl(services), Syntax::Kdl).expect("the mesh is right");
    spec::print(&mesh, Syntax::Yaml)
}

/// Another process reads the largest text, so that nothing else counts.
fn say_memory(name: &str) {
    let Ok(program) = env::current_exe() else { return };
    let [_, services] = SIZES;
    let text = match name {
        "yaml" => yaml(services),
        _ => kdl(services),
    };
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("mesh");
    if std::fs::write(&file, text).is_err() {
        return;
    }
    let output = Command::new(program).arg(&file).env(READ_ONCE, name).output();
    if let Ok(output) = output {
        println!("reading/{name}: {}", String::from_utf8_lossy(&output.stdout).trim());
    }
}

fn read_once(name: &str) {
    let path = env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let syntax = if name == "yaml" { Syntax::Yaml } else { Syntax::Kdl };
    let mesh = if name == "nothing" { None } else { meshes::parse(&text, syntax) };
    // Linux says the most memory that was ever resident.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or(" unknown").trim();
    let services = mesh.map_or(0, |(mesh, _)| mesh.services.len());
    println!("{services} services, peak memory {peak}");
}

criterion_group!(benches, reading);
