//! Starting a child process that cannot outlive this one, however this one ends.
//!
//! Linux kills a child when the *thread* that started it ends, and threads of an async runtime come and go.
//! So one thread, which lives as long as the program, starts them all.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command as BlockingCommand, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Runs a program after making sure that the parent was still there when its death became fatal:
/// `$1` is the parent's id, the rest the command.
const START_UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec "$@""#;

/// What to start, and where its output goes.
#[derive(Debug)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    pub folder: PathBuf,
    pub stdout: Stdio,
    pub stderr: Stdio,
    pub tie: Tie,
}

/// What sees to it that the program ends with us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tie {
    /// `setpriv` (util-linux), where it exists.
    Setpriv,
    /// A command that calls [`become_program`] with what is added to its arguments: our process's id, the program's
    /// path, its arguments. For images that hold nothing but our own program.
    Through(Vec<OsString>),
}

struct Job {
    program: Program,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Starts the program. The child is killed when it is dropped, and, where its tie holds, when this process ends in any
/// other way.
pub async fn launch(program: Program) -> io::Result<Child> {
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

/// Becomes another program, which ends when the process `parent`, which started this one, ends. Returns only if it
/// cannot.
pub fn become_program(parent: u32, path: &Path, arguments: &[OsString]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before its end became fatal.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get().unsigned_abs() != parent) {
        return io::Error::other("the process that started this one has ended");
    }
    BlockingCommand::new(path).args(arguments).exec()
}

fn launcher(jobs: &Receiver<Job>) {
    let mut setpriv = None;
    while let Ok(Job { program, runtime, reply }) = jobs.recv() {
        // Spawning panics on a runtime that is shutting down; that must not end this thread and its children.
        let spawned = catch_unwind(AssertUnwindSafe(|| {
            let _context = runtime.enter();
            command(program, || *setpriv.get_or_insert_with(ties_children)).spawn()
        }));
        // Nobody waits any more: the child is killed as it is dropped.
        drop(reply.send(spawned.unwrap_or_else(|_| Err(io::Error::other("the runtime is shutting down")))));
    }
}

fn command(program: Program, has_setpriv: impl FnOnce() -> bool) -> Command {
    let us = std::process::id().to_string();
    let mut command = match &program.tie {
        Tie::Setpriv if has_setpriv() => {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--", "sh", "-c", START_UNLESS_ORPHANED, "sh"]);
            command.arg(us).arg(program.path);
            command
        }
        Tie::Through(starter) if let Some((path, arguments)) = starter.split_first() => {
            let mut command = Command::new(path);
            command.args(arguments).arg(us).arg(program.path);
            command
        }
        Tie::Setpriv | Tie::Through(_) => Command::new(program.path),
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
