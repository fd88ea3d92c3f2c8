//! When runs are expected: the table `[schedule]` of the settings file, and the command line of `tieout schedule`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

pub(super) const EXAMPLES: &str = "\
Examples:
  tieout schedule systemd /data/ids.csv --config /etc/tieout/tieout.toml --out /etc/systemd/system
  tieout schedule cron /data/ids.csv --config /etc/tieout/tieout.toml --at 03:15

The job gets its settings from the file only, not from TIEOUT_* variables. [schedule] every in the file says how often
it runs; without it, daily.";

/// When runs are expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleOptions {
    /// How often, such as `24h`.
    pub every: Option<String>,
}

/// Arguments of `tieout schedule`.
#[derive(Debug, Args)]
pub struct ScheduleCommand {
    /// What starts the job.
    #[command(subcommand)]
    pub scheduler: Scheduler,
}

/// What starts the job.
#[derive(Debug, Subcommand)]
pub enum Scheduler {
    /// Print a hardened service for the job, and its timer
    Systemd(SystemdCommand),
    /// Print the job's line of a crontab
    Cron(Start),
}

/// What to reconcile, and when.
#[derive(Debug, Args)]
pub struct Start {
    /// CSV or workbook of run order IDs that the job reads
    #[arg(value_name = "IDS")]
    pub ids: PathBuf,
    /// Local time of the run, or of one of the day's runs
    #[arg(long, value_name = "HH:MM", default_value = "02:30", value_parser = time_of_day)]
    pub at: Time,
}

/// Arguments of `tieout schedule systemd`.
#[derive(Debug, Args)]
pub struct SystemdCommand {
    /// What to reconcile, and when.
    #[command(flatten)]
    pub start: Start,
    /// Name of the units
    #[arg(long, value_name = "NAME", default_value = "tieout", value_parser = name)]
    pub name: String,
    /// User that the service runs as
    #[arg(long, value_name = "USER", default_value = "tieout", value_parser = name)]
    pub user: String,
    /// Make units for several accounts: the name of the settings file, such as acme in acme.toml, becomes %i in every path
    #[arg(long)]
    pub template: bool,
    /// Write the units to this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn time_of_day(text: &str) -> Result<Time, &'static str> {
    let is_plain = text.len() == 5 && text.is_char_boundary(2);
    Time::strptime("%H:%M", text).ok().filter(|_| is_plain).ok_or("give hours and minutes, such as 02:30")
}

/// The name of a unit or a user.
fn name(text: &str) -> Result<String, &'static str> {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-' | '.');
    let begins = text.starts_with(|sign: char| sign.is_ascii_alphanumeric() || sign == '_');
    let fits = begins && text.len() <= 64 && text.chars().all(is_plain);
    fits.then(|| text.to_owned()).ok_or("give up to 64 letters, digits, - _ or ., beginning with a letter or a digit")
}
