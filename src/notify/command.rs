//! A command that gets the message as JSON on its standard input.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// The longest that a command may run.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs the command without a shell and without these variables of the environment. Its output is discarded.
///
/// # Errors
/// Why it did not run, or how it ended.
pub(super) fn run(command: &[String], hidden: &[String], json: String) -> Result<(), String> {
    run_within(LIMIT, command, hidden, json)
}

fn run_within(limit: Duration, command: &[String], hidden: &[String], json: String) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("no command is given")?;
    let mut process = Command::new(program);
    // In a group of its own, so that what it starts can be ended with it.
    process.args(arguments).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    hidden.iter().for_each(|name| _ = process.env_remove(name));
    let mut child = process.spawn().map_err(|error| format!("{program} can't be run: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // On a thread of its own, since a command that does not read would hold it up. How it ends tells whether it has
        // read what it wanted.
        thread::spawn(move || _ = writeln!(stdin, "{json}"));
    }
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it ended with {status}")),
            Ok(None) if Instant::now() < end => sleep(PAUSE),
            Ok(None) => {
                kill_group(&child);
                // It was killed.
                let _ = child.wait();
                return Err(format!("it took longer than {} s and was killed", limit.as_secs_f64()));
            }
            Err(error) => return Err(format!("its end is unknown: {error}")),
        }
    }
}

/// Kills a command and what it has started. Where it has just ended, there is nothing to kill.
fn kill_group(child: &Child) {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shell: &str, json: String) -> Result<(), String> {
        let command = ["sh", "-c", shell].map(str::to_owned);
        run_within(Duration::from_secs(20), &command, &[], json)
    }

    #[test]
    fn a_command_gets_the_message_and_how_it_ends_decides() {
        assert_eq!(run(r#"test "$(cat)" = message"#, "message".into()), Ok(()));
        assert_eq!(run("exit 3", "message".into()), Err("it ended with exit status: 3".into()));
        let none = run_within(LIMIT, &["/none/such".to_owned()], &[], String::new()).expect_err("not there");
        assert!(none.starts_with("/none/such can't be run: No such file"), "{none}");
    }

    #[test]
    fn a_command_that_reads_nothing_holds_nothing_up() {
        let more_than_a_pipe_holds = "x".repeat(1 << 20);
        assert_eq!(run("exit 0", more_than_a_pipe_holds.clone()), Ok(()));
        let command = ["sleep", "60"].map(str::to_owned);
        let ended = run_within(Duration::from_millis(100), &command, &[], more_than_a_pipe_holds);
        assert_eq!(ended, Err("it took longer than 0.1 s and was killed".into()));
    }

    #[test]
    fn a_command_that_is_killed_leaves_nothing_behind() {
        let place = tempfile::tempdir().expect("a folder");
        let lock = place.path().join("lock");
        let shell = format!("exec 9>'{0}'; flock 9; sleep 600 & touch '{0}.held'; wait", lock.display());
        let command = ["sh".to_owned(), "-c".to_owned(), shell];
        let has_begun = [1, 4, 16, 64].into_iter().any(|seconds| {
            let ended = run_within(Duration::from_secs(seconds), &command, &[], String::new());
            assert_eq!(ended, Err(format!("it took longer than {seconds} s and was killed")));
            lock.with_extension("held").exists()
        });
        assert!(has_begun);
        // Whoever inherited the file still holds the lock.
        let free = Command::new("flock").args(["--wait", "20"]).arg(&lock).arg("true").status().expect("flock");
        assert!(free.success(), "something still runs");
    }
}
