//! One start of the job: its command line, and the signals that meet it.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::report::{Folder, folder};
use super::server::{Provider, Release};
use super::sheet::Sheet;
use super::truth::FIELDS;
use crate::support::tieout;

const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(2);
/// The column of our books for each field that may be compared.
pub(super) const BOOKS: [(usize, &str); 2] = [(super::truth::FINAL, "booked"), (super::truth::QUOTE, "quoted")];

/// One waiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiver {
    pub(super) order: String,
    /// The check, or `not-found`.
    pub(super) check: String,
    pub(super) field: String,
    /// Expected, actual and difference as the report had them.
    pub(super) figures: [String; 3],
}

/// A command of the job.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// The input as it is typed; `-` for standard input.
    pub(super) typed: String,
    /// The input's path from the folder of the simulation.
    pub(super) path: String,
    pub(super) sheet: Sheet,
    pub(super) column: Option<&'static str>,
    /// Positions in [`BOOKS`].
    pub(super) expect: Vec<usize>,
    pub(super) split_is_off: bool,
    pub(super) waivers: Vec<Waiver>,
    pub(super) complete: bool,
    pub(super) url: String,
    pub(super) reuses: bool,
    pub(super) confirms: bool,
    pub(super) as_of: Option<String>,
    pub(super) fresh: bool,
    pub(super) concurrency: usize,
}

impl Command {
    /// The settings that judge, as a text to compare.
    pub(super) fn rules(&self) -> String {
        format!("{:?} {} {:?} {}", self.expect, self.split_is_off, self.waivers, self.complete)
    }

    /// A line for the reader of a failure.
    pub(super) fn described(&self) -> String {
        let mut said = vec![self.typed.clone()];
        said.extend(self.column.map(|column| format!("--column {column}")));
        said.extend(self.expect.iter().map(|at| format!("--expect {}", FIELDS[BOOKS[*at].0])));
        said.extend(self.as_of.iter().map(|as_of| format!("--as-of {as_of}")));
        for (holds, what) in [
            (self.split_is_off, "quote-split off"),
            (!self.waivers.is_empty(), "--waivers"),
            (self.complete, "--complete"),
            (self.reuses, "--reuse-settled"),
            (!self.confirms, "--confirm=false"),
            (self.fresh, "--fresh"),
        ] {
            said.extend(holds.then(|| what.to_owned()));
        }
        said.join(" ")
    }

    fn arguments(&self) -> Vec<String> {
        let concurrency = self.concurrency.to_string();
        let mut arguments: Vec<String> = ["reconcile", &self.typed, "--api-url", &self.url, "--rate", "0", "-q"]
            .into_iter()
            .chain(["--format", "csv", "--retries", "0", "--reports-dir", "reports", "--stale-after", "3650d"])
            .chain(["--concurrency", &concurrency])
            .map(str::to_owned)
            .collect();
        let mut add = |option: &str, value: Option<String>| {
            arguments.push(option.to_owned());
            arguments.extend(value);
        };
        for at in &self.expect {
            let (field, column) = BOOKS[*at];
            add("--expect", Some(format!("{}={column}", FIELDS[field])));
        }
        if let Some(column) = self.column {
            add("--column", Some(column.to_owned()));
        }
        if let Some(as_of) = &self.as_of {
            add("--as-of", Some(as_of.clone()));
        }
        if self.split_is_off {
            add("--config", Some("off.toml".to_owned()));
        }
        if !self.waivers.is_empty() {
            add("--waivers", Some("waivers.toml".to_owned()));
        }
        for (holds, option) in
            [(self.complete, "--complete"), (self.fresh, "--fresh"), (!self.confirms, "--confirm=false")]
        {
            if holds {
                add(option, None);
            }
        }
        if self.reuses {
            add("--reuse-settled", Some("30d".to_owned()));
        }
        arguments
    }

    /// Writes the input, the settings file and the waivers.
    fn lay_out(&self, place: &Path) {
        let path = place.join(&self.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, self.sheet.bytes()).expect("writable");
        fs::write(place.join("off.toml"), "[checks]\nquote-split = \"off\"\n").expect("writable");
        let waivers: Vec<String> = self.waivers.iter().map(Waiver::toml).collect();
        fs::write(place.join("waivers.toml"), waivers.concat()).expect("writable");
    }

    fn spawn(&self, place: &Path) -> Child {
        self.lay_out(place);
        let mut command = tieout();
        command.current_dir(place).args(self.arguments()).env("CHENYU_API_KEY", "cy_of_the_simulation");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut input = child.stdin.take().expect("piped");
        if self.typed == "-" {
            // A job that is gone reads nothing.
            let _ = input.write_all(&self.sheet.bytes());
        }
        child
    }
}

impl Waiver {
    fn toml(&self) -> String {
        let Self { order, check, field, figures: [expected, actual, difference] } = self;
        let mut entry = format!("[[waiver]]\norder = '{order}'\ncheck = '{check}'\n");
        if !field.is_empty() {
            entry += &format!("field = '{field}'\n");
        }
        entry += &match (check.as_str(), difference.as_str()) {
            ("not-found", _) => String::new(),
            (_, "") => format!("expected = '{expected}'\nactual = '{actual}'\n"),
            _ => format!("difference = '{difference}'\n"),
        };
        entry + "owner = 'finance'\nreason = 'note 1'\nexpires = '2099-12-31'\n"
    }
}

/// What happens to a start.
#[derive(Clone, Debug)]
pub(super) struct Blow {
    pub(super) when: Moment,
    /// How long after that moment.
    pub(super) after: Duration,
    pub(super) what: Strike,
}

/// The moment of a start that a blow waits for.
#[derive(Clone, Debug)]
pub(super) enum Moment {
    /// So many requests; `holds` keeps that one and later ones unanswered until the blow has fallen.
    Request { at: usize, holds: bool },
    /// A new report is in the folder of reports; the job may not have noted it in its state yet.
    Report,
}

#[derive(Clone, Debug)]
pub(super) enum Strike {
    Signal(Signal),
    /// The input is changed in place, and then perhaps the job is killed at a later request.
    Change {
        bytes: Vec<u8>,
        kill_at: Option<usize>,
    },
}

/// How a start ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Code(i32),
    Signal(i32),
}

/// A start that has ended.
pub(super) struct Ended {
    pub(super) start: usize,
    pub(super) ending: Ending,
    pub(super) said: String,
    pub(super) between: [Timestamp; 2],
    /// Whether the blow fell while it ran.
    pub(super) was_struck: bool,
}

/// Starts the job and waits until it has ended.
pub(super) fn start(place: &Path, provider: &Provider, command: &Command, blow: Option<&Blow>) -> Ended {
    let start = provider.begin_start();
    if let Some(Moment::Request { at, holds }) = blow.map(|blow| &blow.when) {
        provider.lay_trap(*at, *holds);
    }
    let reports = place.join("reports");
    let before = folder(&reports);
    let began = Timestamp::now();
    let input = place.join(&command.path);
    let mut running = Running { child: command.spawn(place), provider, input, reports, before };
    let was_struck = blow.is_some_and(|blow| running.strike(blow));
    running.wait();
    provider.release(Release::Cut);
    let output = running.child.wait_with_output().expect("it ends");
    let ending = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => Ending::Code(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ended { start, ending, said, between: [began, Timestamp::now()], was_struck }
}

struct Running<'p> {
    child: Child,
    provider: &'p Provider,
    input: PathBuf,
    reports: PathBuf,
    /// The reports before it began.
    before: Folder,
}

impl Running<'_> {
    /// Whether it fell before the job ended.
    fn strike(&mut self, blow: &Blow) -> bool {
        let has_come = match blow.when {
            Moment::Request { .. } => self.is_trapped(),
            Moment::Report => self.has_reported(),
        };
        if !has_come {
            return false;
        }
        sleep(blow.after);
        match &blow.what {
            Strike::Signal(signal) => {
                let is_running = self.signal(*signal);
                if *signal != Signal::SIGKILL {
                    sleep(Duration::from_millis(20));
                    self.provider.release(Release::Serve);
                }
                is_running
            }
            Strike::Change { bytes, kill_at } => {
                fs::write(&self.input, bytes).expect("writable");
                self.provider.release(Release::Serve);
                if let Some(at) = kill_at {
                    self.provider.lay_trap(*at, true);
                    if self.is_trapped() {
                        sleep(blow.after);
                        return self.signal(Signal::SIGKILL);
                    }
                }
                true
            }
        }
    }

    /// Waits until the trap goes off; false if the job ends before.
    fn is_trapped(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.provider.wait_for_trap(MOMENT) {
                return true;
            }
            if self.has_ended() {
                return false;
            }
        }
        false
    }

    /// Waits for a new report; false if the job ends without one. It does not sleep: the moment is short.
    fn has_reported(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if folder(&self.reports) != self.before {
                return true;
            }
            if self.has_ended() {
                return false;
            }
        }
        false
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// Whether it still ran.
    fn signal(&mut self, signal: Signal) -> bool {
        if self.has_ended() {
            return false;
        }
        let id = Pid::from_raw(self.child.id().try_into().expect("an ID"));
        kill(id, signal).expect("it can be signalled");
        true
    }

    fn wait(&mut self) {
        let begin = Instant::now();
        while !self.has_ended() {
            if begin.elapsed() > PATIENCE {
                self.child.kill().expect("it can be killed");
                self.child.wait().expect("it ends");
                panic!("the job did not end within {PATIENCE:?}");
            }
            sleep(MOMENT);
        }
    }
}

/// Proves a report with `tieout verify`; what it said where that failed.
pub(super) fn verify(place: &Path, report: &str) -> Result<(), String> {
    let mut command = tieout();
    command.current_dir(place).args(["verify", report, "--state", "reports/.state.sqlite"]);
    let output = command.output().expect("starts");
    let said = [output.stdout, output.stderr].concat();
    match output.status.code() {
        Some(0) => Ok(()),
        code => Err(format!("`tieout verify {report}` exits with {code:?}: {}", String::from_utf8_lossy(&said))),
    }
}
