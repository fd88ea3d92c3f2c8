//! One start of the job: its command line, and what interrupts it.

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

use super::calendar::Zone;
use super::report::{Folder, folder};
use super::server::{Provider, Release};
use super::sheet::Sheet;
use super::truth::FIELDS;
use crate::support::tieout;

const PATIENCE: Duration = Duration::from_secs(60);
/// The folder of the dataset, from that of the simulation.
pub(super) const DATASET: &str = "history";
const MOMENT: Duration = Duration::from_millis(2);
/// The fields that may be compared with our books, and their columns in the input.
pub(super) const BOOKS: [(usize, &str); 2] = [(super::truth::FINAL, "booked"), (super::truth::QUOTE, "quoted")];

/// A waiver, as written into the file of waivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiver {
    pub(super) order: String,
    /// The check, or `not-found`.
    pub(super) check: String,
    pub(super) field: String,
    /// Expected, actual and difference, as in the report.
    pub(super) figures: [String; 3],
}

/// A command line of the job, with its input, settings and waivers.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// The input argument; `-` for standard input.
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
    pub(super) zone: Zone,
}

impl Command {
    /// The judging settings as a text, for comparison.
    pub(super) fn rules(&self) -> String {
        format!("{:?} {} {:?} {}", self.expect, self.split_is_off, self.waivers, self.complete)
    }

    /// One line that describes the command in a failure message.
    pub(super) fn described(&self) -> String {
        let mut parts = vec![self.typed.clone()];
        parts.extend(self.column.map(|column| format!("--column {column}")));
        parts.extend(self.expect.iter().map(|at| format!("--expect {}", FIELDS[BOOKS[*at].0])));
        parts.extend(self.as_of.iter().map(|as_of| format!("--as-of {as_of}")));
        for (holds, what) in [
            (self.split_is_off, "quote-split off"),
            (!self.waivers.is_empty(), "--waivers"),
            (self.complete, "--complete"),
            (self.reuses, "--reuse-settled"),
            (!self.confirms, "--confirm=false"),
            (self.fresh, "--fresh"),
        ] {
            parts.extend(holds.then(|| what.to_owned()));
        }
        parts.join(" ")
    }

    fn arguments(&self) -> Vec<String> {
        let concurrency = self.concurrency.to_string();
        let mut arguments: Vec<String> = ["reconcile", &self.typed, "--api-url", &self.url, "--rate", "0", "-q"]
            .into_iter()
            .chain(["--format", "csv", "--retries", "0", "--reports-dir", "reports", "--stale-after", "3650d"])
            .chain(["--concurrency", &concurrency, "--dataset", DATASET, "--timezone", self.zone.name])
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
        add("--config", Some(settings(self.split_is_off).to_owned()));
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
        write_settings(place);
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
            // Fails if the job has ended already.
            let _ = input.write_all(&self.sheet.bytes());
        }
        child
    }
}

/// The settings file, with `quote-split` or without.
pub(super) const fn settings(split_is_off: bool) -> &'static str {
    if split_is_off { "off.toml" } else { "on.toml" }
}

/// Writes both settings files. Orders of unknown age would be stale.
pub(super) fn write_settings(place: &Path) {
    for (split_is_off, split) in [(false, ""), (true, "quote-split = \"off\"\n")] {
        let text = format!("[checks]\nstale-pending = \"off\"\n{split}");
        fs::write(place.join(settings(split_is_off)), text).expect("writable");
    }
}

impl Waiver {
    pub(super) fn toml(&self) -> String {
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

/// An interruption of a start.
#[derive(Clone, Debug)]
pub(super) struct Interruption {
    pub(super) when: Moment,
    /// How long after the moment the interruption comes.
    pub(super) after: Duration,
    pub(super) what: InterruptionKind,
}

/// The moment that an interruption waits for.
#[derive(Clone, Debug)]
pub(super) enum Moment {
    /// The request with this number; `holds` keeps it and later ones unanswered until it has come.
    Request { at: usize, holds: bool },
    /// A new report is in the reports folder; the job may not have recorded it in its state yet.
    Report,
}

#[derive(Clone, Debug)]
pub(super) enum InterruptionKind {
    Signal(Signal),
    /// Changes the input in place, and then perhaps kills the job at a later request.
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

/// The result of a start.
pub(super) struct StartResult {
    pub(super) start: usize,
    pub(super) ending: Ending,
    /// Standard error.
    pub(super) stderr: String,
    pub(super) between: [Timestamp; 2],
    /// Whether it was interrupted while the job ran.
    pub(super) was_interrupted: bool,
}

/// Starts the job and waits until it has ended.
pub(super) fn start(
    place: &Path,
    provider: &Provider,
    command: &Command,
    interruption: Option<&Interruption>,
) -> StartResult {
    let start = provider.begin_start();
    if let Some(Moment::Request { at, holds }) = interruption.map(|interruption| &interruption.when) {
        provider.lay_trap(*at, *holds);
    }
    let reports = place.join("reports");
    let before = folder(&reports);
    let began = Timestamp::now();
    let input = place.join(&command.path);
    let mut running = Running { child: command.spawn(place), provider, input, reports, before };
    let was_interrupted = interruption.is_some_and(|interruption| running.interrupt(interruption));
    running.wait();
    provider.release(Release::Cut);
    let output = running.child.wait_with_output().expect("it ends");
    let ending = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => Ending::Code(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    };
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    StartResult { start, ending, stderr, between: [began, Timestamp::now()], was_interrupted }
}

struct Running<'p> {
    child: Child,
    provider: &'p Provider,
    input: PathBuf,
    reports: PathBuf,
    /// The reports that existed when the job was started.
    before: Folder,
}

impl Running<'_> {
    /// Waits for the moment and interrupts the job; returns whether that happened before the job ended.
    fn interrupt(&mut self, interruption: &Interruption) -> bool {
        let has_come = match interruption.when {
            Moment::Request { .. } => self.is_trapped(),
            Moment::Report => self.has_reported(),
        };
        if !has_come {
            return false;
        }
        sleep(interruption.after);
        match &interruption.what {
            InterruptionKind::Signal(signal) => {
                let is_running = self.signal(*signal);
                if *signal != Signal::SIGKILL {
                    sleep(Duration::from_millis(20));
                    self.provider.release(Release::Serve);
                }
                is_running
            }
            InterruptionKind::Change { bytes, kill_at } => {
                fs::write(&self.input, bytes).expect("writable");
                self.provider.release(Release::Serve);
                if let Some(at) = kill_at {
                    self.provider.lay_trap(*at, true);
                    if self.is_trapped() {
                        sleep(interruption.after);
                        return self.signal(Signal::SIGKILL);
                    }
                }
                true
            }
        }
    }

    /// Waits until the trap goes off; returns `false` if the job ends first.
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

    /// Waits, without sleeping, for a new report; returns `false` if the job ends without one.
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

    /// Sends a signal; returns whether the job still ran.
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

/// Proves a report with `tieout verify`; an error holds its output.
pub(super) fn verify(place: &Path, report: &str) -> Result<(), String> {
    let mut command = tieout();
    command.current_dir(place).args(["verify", report, "--state", "reports/.state.sqlite"]);
    let output = command.output().expect("starts");
    let printed = [output.stdout, output.stderr].concat();
    match output.status.code() {
        Some(0) => Ok(()),
        code => Err(format!("`tieout verify {report}` exits with {code:?}: {}", String::from_utf8_lossy(&printed))),
    }
}
