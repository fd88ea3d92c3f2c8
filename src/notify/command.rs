//! A command that gets the message as JSON on its standard input.

use std::io::{ErrorKind, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that a command may run.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs the command without a shell and without these variables of the environment. Its output is discarded.
///
/// # Errors
/// Why it did not run, or how it ended.
pub(super) fn run(command: &[String], hidden: &[String], json: &str) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("no command is given")?;
    let mut process = Command::new(program);
    process.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    hidden.iter().for_each(|name| _ = process.env_remove(name));
    let mut child = process.spawn().map_err(|error| format!("{program} can't be run: {error}"))?;
    // A message is far shorter than a pipe holds, so this never waits.
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| writeln!(stdin, "{json}"));
    let ended = wait(&mut child);
    match (ended?, written) {
        ((), Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(format!("it can't be written to: {error}")),
        _ => Ok(()),
    }
}

fn wait(child: &mut Child) -> Result<(), String> {
    let end = Instant::now() + LIMIT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it ended with {status}")),
            Ok(None) if Instant::now() < end => sleep(PAUSE),
            Ok(None) => {
                // Where it has just ended, there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it took longer than {} s and was killed", LIMIT.as_secs()));
            }
            Err(error) => return Err(format!("its end is unknown: {error}")),
        }
    }
}
