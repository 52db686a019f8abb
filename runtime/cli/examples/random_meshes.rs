//! Random meshes that `check` takes, shown to a real Envoy: `random_meshes [COUNT] [SEED] [ENVOY]`.
//!
//! Prints what Envoy refuses or warns about, with the seed; ends with 1 if there is any. `--coverage` asks no Envoy: it
//! prints the fields of the language that no mesh says. `--show` prints the meshes themselves.

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::ProgressBar;
use meshwright::validate::{self, Seen};
use random::Supplied;

const FILES: Supplied = Supplied { module: artifacts::MODULE };

/// Additions that are tried for each mesh.
const TRIES: usize = 40;

fn main() -> ExitCode {
    let (options, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let number = |place: usize| arguments.get(place).and_then(|text| text.parse::<u64>().ok());
    let (count, first) = (number(0).unwrap_or(100), number(1).unwrap_or(0));
    let seeds = first..first.saturating_add(count);
    match options.first().map(String::as_str) {
        Some("--coverage") => coverage(seeds),
        Some("--show") => {
            seeds.filter_map(|seed| random::mesh(seed, TRIES, &FILES)).for_each(|mesh| println!("{}", mesh.text));
            ExitCode::SUCCESS
        }
        _ => show_envoy(seeds, arguments.get(2).map(PathBuf::from)),
    }
}

fn coverage(seeds: std::ops::Range<u64>) -> ExitCode {
    let mut missing = random::everything();
    let all = missing.len();
    for mesh in seeds.filter_map(|seed| random::mesh(seed, TRIES, &FILES)) {
        let said = random::said_in(&mesh.text);
        missing.retain(|field| !said.contains(field));
    }
    for (block, key) in &missing {
        println!("{block}.{key}");
    }
    println!("{} of {all} fields are in no mesh", missing.len());
    ExitCode::SUCCESS
}

fn show_envoy(seeds: std::ops::Range<u64>, named: Option<PathBuf>) -> ExitCode {
    let binary = match local::find(named.as_deref()) {
        Ok(binary) => binary,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(74);
        }
    };
    let (mut meshes, mut configurations, mut refused, mut warned, mut additions) = (0, 0, 0, 0, 0);
    let mut seen = Seen::new();
    let bar = ProgressBar::new(seeds.end - seeds.start);
    for seed in seeds {
        let Some(mesh) = random::mesh(seed, TRIES, &FILES) else {
            eprintln!("error: the first mesh is refused");
            return ExitCode::from(70);
        };
        meshes += 1;
        additions += mesh.additions;
        match validate::every_new_proxy(&binary, &mesh.checked, &mut seen, &ProgressBar::hidden()) {
            Ok((verdicts, proxies)) => {
                configurations += proxies;
                for verdict in verdicts {
                    refused += usize::from(verdict.refused.is_some());
                    warned += usize::from(!verdict.warnings.is_empty());
                    let said = verdict.refused.into_iter().chain(verdict.warnings).collect::<Vec<_>>().join("\n  ");
                    bar.suspend(|| println!("seed {seed}, `{}`:\n  {said}", verdict.name));
                }
            }
            Err(exit) => {
                eprintln!("error: {:#}", exit.error);
                return ExitCode::from(74);
            }
        }
        bar.inc(1);
        // For a run whose output goes to a file.
        if meshes % 100 == 0 && bar.is_hidden() {
            println!("{meshes} meshes, {configurations} configurations: {refused} refused, {warned} with warnings");
        }
    }
    bar.finish_and_clear();
    println!(
        "{meshes} meshes with {additions} additions, {configurations} different configurations: \
         {refused} refused, {warned} with warnings"
    );
    ExitCode::from(u8::from(refused + warned > 0))
}
