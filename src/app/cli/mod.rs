//! The command line: the commands, and the options that all of them take.

mod audit;
mod choices;
mod dataset;
mod discover;
mod notify;
mod provider;
mod reconcile;
mod schedule;
mod status;
mod workflow;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::voice::Colour;
use crate::language::Language;
use crate::sandbox;

pub use audit::{Audit, AuditOptions, CloseCommand, EngineOptions, Period};
pub use choices::{CsvEncoding, DayBy, Engine, EvidenceLevel, Output};
pub use dataset::{DatasetAction, DatasetCommand};
pub use discover::Discover;
pub use notify::Notify;
pub use provider::ProviderArgs;
pub use reconcile::{Options, Reconcile};
pub use schedule::{ScheduleCommand, ScheduleOptions, Scheduler, Start, SystemdCommand};
pub use status::StatusCommand;
pub use workflow::WorkflowOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    everything tied out (warnings and pending orders allowed, unless --fail-on)
  1    verdict discrepant: needs review
  2    usage or configuration error; nothing was fetched
  3    verdict incomplete: there is a report, but some orders had no readable answer
  4    no report: key rejected, nothing could be fetched, disk full, or tieout's own totals disagree
  130  stopped by SIGINT    143  stopped by SIGTERM";

const DIFF_EXAMPLES: &str = "\
Examples:
  tieout diff reports/20260601T000000Z reports/latest
  tieout diff old new --output json | jq '.discrepancies[] | select(.state == \"new\")'";

const DIFF_EXIT_CODES: &str = "\
Exit codes:
  0    compared, whatever the result; scripts should read the JSON
  2    usage error, or one of the two is not a report
  4    a report can't be read, or does not match its manifest";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tieout completions bash > /etc/bash_completion.d/tieout
  tieout completions zsh > ~/.zfunc/_tieout
  tieout completions fish > ~/.config/fish/completions/tieout.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  tieout man /usr/local/share/man/man1
  tieout man | man -l -";

const EXAMPLES: &str = "\
Examples:
  tieout reconcile ids.csv --sandbox             against the simulator: no key, no network
  CHENYU_API_KEY=cy_... tieout reconcile ids.csv against the provider
  zcat ids.csv.gz | tieout reconcile -           from standard input";

/// Billing reconciliation for AI-workflow run orders: fetches each order, checks its amounts, and reports what
/// does not tie out.
#[derive(Debug, Parser)]
#[command(name = "tieout", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub general: General,
    /// Which command to run, with its own options.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Settings file [default: ~/.config/tieout/tieout.toml, if it exists]
    #[arg(long, global = true, env = "TIEOUT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show no progress and no summary, and log only errors
    #[arg(short, long, global = true, env = "TIEOUT_QUIET")]
    pub quiet: bool,
    /// Log each retry and step of the run (-vv: each request)
    #[arg(short, long, global = true, action = ArgAction::Count, env = "TIEOUT_VERBOSE")]
    pub verbose: u8,
    /// Format of the log
    #[arg(long, global = true, env = "TIEOUT_LOG_FORMAT", value_name = "FORMAT", default_value = "auto")]
    pub log_format: LogFormat,
    /// Language of help, summaries and reports: en or zh-CN [default: from the locale]
    #[arg(long, global = true, env = "TIEOUT_LANG", value_name = "LANG")]
    pub lang: Option<Language>,
    /// When to colour standard output
    #[arg(long = "color", global = true, env = "TIEOUT_COLOR", value_name = "WHEN", default_value = "auto")]
    pub colour: Colour,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise; errors and warnings are text.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line, errors and warnings included.
    Json,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the IDs, fetch each order, check it, and write the report
    #[command(args_override_self = true, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
    Reconcile(Box<Reconcile>),
    /// List the orders of the key's owner, and write the CSV of IDs that reconcile reads
    #[command(args_override_self = true)]
    Discover(Box<Discover>),
    /// Rebuild a report offline from its own evidence, with changed settings if given
    Audit(Box<Audit>),
    /// Prove a report, or all of a folder: hashes, the chain to earlier reports, and that the evidence gives the same
    /// figures
    Verify(Verify),
    /// Tell whether the nightly job did its work: a line, and an exit code for a monitor
    #[command(args_override_self = true, after_help = status::EXIT_CODES)]
    Status(StatusCommand),
    /// List the runs in the state, with their status
    Runs(Runs),
    /// Remove old reports and old records of the state, but never the latest state of an order
    Prune(Prune),
    /// Show what a dataset holds and whether it is undamaged, or add reports to it
    Dataset(DatasetCommand),
    /// Merge the small files of a dataset; every row is kept
    Compact {
        /// Folder of the dataset
        #[arg(value_name = "DATASET")]
        dataset: PathBuf,
    },
    /// Close a month of a dataset: a report that stays, with what changed in months closed before
    Close(Box<CloseCommand>),
    /// Show what changed between two reports: new, persisting and resolved discrepancies, and how spend moved
    #[command(after_help = DIFF_EXAMPLES, after_long_help = format!("{DIFF_EXAMPLES}\n\n{DIFF_EXIT_CODES}"))]
    Diff(DiffCommand),
    /// Print what starts the job every night: units for systemd, or a line for cron
    #[command(after_help = schedule::EXAMPLES)]
    Schedule(ScheduleCommand),
    /// Send a trial message to the targets of notifications in the settings file
    #[command(after_help = notify::EXIT_CODES)]
    Notify(Notify),
    /// Write a settings file that explains every key
    Init {
        /// File to write
        #[arg(value_name = "FILE", default_value = "tieout.toml")]
        file: PathBuf,
    },
    /// List the checks, or explain a check or another word that reports use
    Checks {
        /// Code of a check, such as quote-split; or a cause, bucket, verdict or severity
        code: Option<String>,
    },
    /// Write shell completions to standard output
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Shell to write them for
        shell: Shell,
    },
    /// Write the manual pages
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Folder for all pages; without it, tieout's own page goes to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Serve the provider simulator on loopback
    Sandbox(SandboxCommand),
}

/// Where to find the state and the reports of `reconcile`, as typed.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// State file [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Folder of the reports [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR")]
    pub reports_dir: Option<PathBuf>,
}

/// Arguments of `tieout verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the report is proven; 1 it is not, or one is missing; 2 wrong usage or not a report; 4 the proof could not run."
)]
pub struct Verify {
    /// Folder of the report; with --all, the folder of all reports
    #[arg(value_name = "REPORT", required_unless_present = "all")]
    pub report: Option<PathBuf>,
    /// Prove every report of the reports folder, and find those that are missing [default folder: as reconcile has it]
    #[arg(long, conflicts_with = "dataset")]
    pub all: bool,
    /// State file that recorded the report's manifest [default: .state.sqlite beside the report]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Folder of the dataset that the report was made from, if it was moved
    #[arg(long, value_name = "DIR")]
    pub dataset: Option<PathBuf>,
    /// Skip the state: a change to both files and manifest is then not detected
    #[arg(long)]
    pub files_only: bool,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Arguments of `tieout runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// Where to find the state.
    #[command(flatten)]
    pub place: Place,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Arguments of `tieout prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// How far back to keep, such as 400d: older reports, and the rows of runs that ended earlier, are removed
    #[arg(long, value_name = "DURATION")]
    pub keep: String,
    /// Only show what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Return the free space inside the state file to the disk
    #[arg(long, conflicts_with = "dry_run")]
    pub compact: bool,
    /// Where to find the state and the reports.
    #[command(flatten)]
    pub place: Place,
}

/// Arguments of `tieout diff`.
#[derive(Debug, Args)]
pub struct DiffCommand {
    /// Folder of the older report
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Folder of the newer report, such as reports/latest
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: DiffOutput,
}

/// Format in which a comparison is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    /// A summary for people
    Text,
    /// Everything, for scripts
    Json,
    /// Everything in one table, for spreadsheets
    Csv,
}

/// Arguments of `tieout sandbox`.
#[derive(Debug, Args)]
pub struct SandboxCommand {
    /// Port on loopback; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// How the sandbox behaves.
    #[command(flatten)]
    options: SandboxOptions,
}

/// How the sandbox behaves, unchecked.
#[derive(Clone, Debug, Args)]
pub struct SandboxOptions {
    /// Seed that decides which orders exist, and which requests a fault with a probability hits
    #[arg(long, value_name = "N", default_value_t = sandbox::Options::default().seed)]
    pub seed: u64,
    /// Answer 429 beyond this many requests in any second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: Option<u32>,
    /// Retry-After header of that 429, verbatim; `none` leaves it out [default: 1]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub retry_after: Option<sandbox::HeaderText>,
    /// Date header of that 429, verbatim [default: the current time]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub date: Option<sandbox::HeaderText>,
    /// TOML file of faults to inject; docs/reference/sandbox.md explains them
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Fault to inject, such as 'status=502,every=7' or 'cut-body,ids=wfrun_0*,times=1'; repeatable; the first that
    /// matches a request wins, and those of --faults come last
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// Log each request
    #[arg(long)]
    pub log_requests: bool,
    /// Write each request's time, status or fault, and order to this new CSV file
    #[arg(long, value_name = "FILE")]
    pub request_log: Option<PathBuf>,
}

impl SandboxCommand {
    /// The verbosity at which the log shows requests: 1 with `--log-requests`, else 0.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        u8::from(self.options.log_requests)
    }

    /// How the sandbox behaves, unchecked.
    #[must_use]
    pub const fn options(&self) -> &SandboxOptions {
        &self.options
    }
}
