//! Starting a child process that cannot outlive this one, however this one ends.
//!
//! Linux kills a child when the *thread* that started it ends, and threads of an async runtime come and go.
//! So one thread, which lives as long as the program, starts them all.

use std::ffi::{OsStr, OsString};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command as BlockingCommand, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Runs a program after making sure that the parent was still there when its death became fatal:
/// `$1` is the parent's id, the rest the command.
const START_UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec "$@""#;

/// What to start, and where its output goes.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) folder: PathBuf,
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
}

struct Job {
    program: Program,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Starts the program. The child is killed when it is dropped, and, where `setpriv` (util-linux) exists, when
/// this process ends in any other way.
pub(crate) async fn launch(program: Program) -> io::Result<Child> {
    static LAUNCHER: OnceLock<Sender<Job>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes has ended");
    let launcher = LAUNCHER.get_or_init(|| {
        let (sender, jobs) = channel();
        // Without the thread, the channel is closed and every launch says so.
        drop(thread::Builder::new().name("launcher".to_owned()).spawn(move || launcher(&jobs)));
        sender
    });
    let (reply, answer) = oneshot::channel();
    launcher.send(Job { program, runtime: Handle::current(), reply }).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn launcher(jobs: &Receiver<Job>) {
    let ties_children = ties_children();
    while let Ok(Job { program, runtime, reply }) = jobs.recv() {
        // Spawning panics on a runtime that is shutting down; that must not end this thread and its children.
        let spawned = catch_unwind(AssertUnwindSafe(|| {
            let _context = runtime.enter();
            command(program, ties_children).spawn()
        }));
        // Nobody waits any more: the child is killed as it is dropped.
        drop(reply.send(spawned.unwrap_or_else(|_| Err(io::Error::other("the runtime is shutting down")))));
    }
}

fn command(program: Program, ties_children: bool) -> Command {
    let mut command = if ties_children {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "sh", "-c", START_UNLESS_ORPHANED, "sh"]);
        command.arg(std::process::id().to_string()).arg(program.path);
        command
    } else {
        Command::new(program.path)
    };
    command.args(program.arguments).current_dir(program.folder);
    command.stdin(Stdio::null()).stdout(program.stdout).stderr(program.stderr);
    // The terminal's Ctrl-C is the caller's, who stops the children in order.
    command.process_group(0).kill_on_drop(true);
    command
}

/// Whether a `setpriv` is there that knows the option; BusyBox's does not.
fn ties_children() -> bool {
    let arguments = ["--pdeathsig", "KILL", "--", "true"].map(OsStr::new);
    let mut probe = BlockingCommand::new("setpriv");
    probe.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
