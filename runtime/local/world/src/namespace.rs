//! A network of a test's own, in which connections can be intercepted as ECS does it on a task's machine.
//!
//! The test runs itself again inside of a new network namespace, which root may make, and anybody who may make user
//! namespaces:
//!
//! ```no_run
//! # use meshwright_world::namespace;
//! #[test]
//! fn connections_are_intercepted() {
//!     if namespace::enter("live::transparent::connections_are_intercepted") {
//!         // here are 127.0.0.0/8, every other IPv4 address by way of loopback, and nothing else
//!     }
//! }
//! ```

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set inside of a namespace.
const INSIDE: &str = "MESHWRIGHT_NAMESPACE";
/// Set by those who cannot make namespaces, and know what they miss.
const WITHOUT: &str = "MESHWRIGHT_WITHOUT_NAMESPACES";
const ENTER_AS_ROOT: [&str; 2] = ["-n", "--"];
const ENTER_AS_USER: [&str; 2] = ["-Urn", "--"];

/// The connections of one Envoy that are to arrive at it without the callers' knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interception {
    /// Its own address, which its application has too.
    pub address: IpAddr,
    /// The ports of the application, and where their connections go.
    pub inbound: Option<(Vec<u16>, u16)>,
    /// Where connections go that the application makes: all those from `address` to another one.
    pub outbound: Option<u16>,
    /// Connections with this mark are Envoy's own: see `local::Detours::mark`.
    pub mark: u32,
}

/// Whether this process is inside. Outside it runs the test of this (full) name again, inside, and fails as it does.
#[track_caller]
pub fn enter(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        prepare();
        return true;
    }
    if std::env::var_os(WITHOUT).is_some() {
        eprintln!("{test} is left out: {WITHOUT} is set");
        return false;
    }
    let flags = match rustix::process::geteuid().is_root() {
        true => ENTER_AS_ROOT,
        false => ENTER_AS_USER,
    };
    let program = std::env::current_exe().expect("a running test has a file");
    let mut command = Command::new("unshare");
    command.args(flags).arg(program).args(["--exact", test, "--nocapture"]).env(INSIDE, "1").stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("cannot run `unshare` (util-linux): {error}"));
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "inside of a namespace (set {WITHOUT}=1 if there can be none here):\n{told}");
    assert!(told.contains("1 passed"), "no test is called `{test}`:\n{told}");
    false
}

/// Gives loopback one more address, at which a test's server can listen as a mesh says it.
pub fn add_address(address: IpAddr) {
    run(Command::new(tool("ip")).args(["address", "add", &address.to_string(), "dev", "lo"]), None);
}

/// Intercepts from now on. What was intercepted before is forgotten.
pub fn intercept(interceptions: &[Interception]) {
    let nft = tool("nft");
    let mut command = Command::new(&nft);
    if let Some(libraries) = libraries_beside(&nft) {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    run(command.args(["-f", "-"]), Some(&rules(interceptions)));
}

/// The rules, as text for `nft`. What `redirect` does for the one sidecar of a task, `dnat` does here for several.
pub fn rules(interceptions: &[Interception]) -> String {
    let mut rules = String::from(
        "table ip meshwright\nflush table ip meshwright\ntable ip meshwright {\n\
         chain output {\ntype nat hook output priority -100\n",
    );
    for Interception { address, inbound, mark, .. } in interceptions {
        if let Some((ports, to)) = inbound.as_ref().filter(|(ports, _)| !ports.is_empty()) {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let ports = ports.join(", ");
            writeln!(
                rules,
                "meta mark != {mark} ip saddr != {address} ip daddr {address} tcp dport {{ {ports} }} dnat to {address}:{to}",
            )
            .expect("a string");
        }
    }
    for Interception { address, outbound, mark, .. } in interceptions {
        if let Some(to) = outbound {
            writeln!(
                rules,
                "meta mark != {mark} meta l4proto tcp ip saddr {address} ip daddr != {address} dnat to {address}:{to}",
            )
            .expect("a string");
        }
    }
    rules.push_str("}\n}\n");
    rules
}

/// A new namespace has a loopback that is down, and no way out: everything goes to loopback.
fn prepare() {
    let ip = tool("ip");
    run(Command::new(&ip).args(["link", "set", "lo", "up"]), None);
    run(Command::new(&ip).args(["route", "replace", "local", "default", "dev", "lo"]), None);
}

#[track_caller]
fn run(command: &mut Command, input: Option<&str>) {
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    // Who does not read its input says why at its end.
    drop(stdin.write_all(input.unwrap_or_default().as_bytes()));
    drop(stdin);
    let output = child.wait_with_output().expect("a child that is waited for once");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {told}\n{}", input.unwrap_or_default());
}

/// By its environment variable (`NFT`), on PATH, in `sbin`, or where `.ci/setup` unpacks it.
#[track_caller]
fn tool(name: &str) -> PathBuf {
    let said = std::env::var_os(name.to_ascii_uppercase()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let installed = folders.map(|folder| folder.join(name));
    let program = std::env::current_exe().unwrap_or_default();
    let here = std::env::current_dir().unwrap_or_default();
    let above: Vec<&Path> = here.ancestors().chain(program.ancestors()).collect();
    let unpacked = above.iter().flat_map(|folder| ["usr/sbin", "sbin"].map(|bin| folder.join("target/net").join(bin)));
    let mut candidates = said.into_iter().chain(installed).chain(unpacked.map(|folder| folder.join(name)));
    candidates.find(|file| file.is_file()).unwrap_or_else(|| panic!("no `{name}` was found: run .ci/setup"))
}

/// The libraries of an unpacked tool: `lib/<machine>` beside its `sbin`.
fn libraries_beside(tool: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(tool.parent()?.parent()?.join("lib")).ok()?;
    let mut folders = folders.filter_map(|entry| Some(entry.ok()?.path()));
    folders.find(|folder| folder.join("libnftables.so.1").exists())
}
