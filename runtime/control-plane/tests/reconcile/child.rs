//! The compiler in a process of its own: whatever becomes of it, it is told in words and in time.

use std::time::{Duration, Instant};

use control_plane::reconcile::{Child, Compile, Failure};
use meshwright_control_plane as control_plane;

async fn failure(script: &str, time: Duration) -> Failure {
    let arguments = ["-c", script].map(Into::into).to_vec();
    let child = Child { program: "sh".into(), arguments, time };
    child.compile().await.outcome.unwrap_err()
}

async fn words(script: &str) -> String {
    failure(script, Duration::from_secs(20)).await.to_string()
}

#[tokio::test]
async fn an_abort() {
    assert_eq!(words("kill -ABRT $$").await, "the compiler ended with signal: 6 (SIGABRT)");
}

#[tokio::test]
async fn what_it_said_last() {
    let said = words("echo 'thread main has overflowed its stack' >&2; kill -SEGV $$").await;
    assert!(said.contains("SIGSEGV") && said.ends_with(": thread main has overflowed its stack"), "{said}");
}

#[tokio::test]
async fn an_output_that_is_no_state() {
    let said = words("echo nonsense; exit 3").await;
    assert_eq!(said, "the compiler ended with exit status: 3");
}

#[tokio::test]
async fn an_output_without_end_ends() {
    let begun = Instant::now();
    let failed = failure("cat /dev/zero >&2", Duration::from_millis(300)).await;
    assert!(matches!(failed, Failure::TimedOut(_)));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_endless_loop_is_killed_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("echo $$ > {}; while :; do :; done", file.display());
    assert_eq!(failure(&script, Duration::from_millis(500)).await, Failure::TimedOut(Duration::from_millis(500)));
    let process = format!("/proc/{}", std::fs::read_to_string(file).unwrap().trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    // A process that was killed and not waited for yet has no command line.
    while std::fs::read(format!("{process}/cmdline")).is_ok_and(|line| !line.is_empty()) {
        assert!(Instant::now() < deadline, "it still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    let child = Child { program: "/nowhere/meshwright".into(), arguments: Vec::new(), time: Duration::from_secs(1) };
    let failed = child.compile().await.outcome.unwrap_err().to_string();
    assert!(failed.starts_with("the compiler cannot be started: "), "{failed}");
}
