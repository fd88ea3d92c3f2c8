//! The command line of `tieout status`.

use clap::Args;

use super::{Output, Place};

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    the newest report is there, recent, complete and proven, and nothing else is amiss
  1    something is amiss: the line says what
  2    usage or configuration error
  4    the reports folder or the state can't be read";

/// Arguments of `tieout status`.
#[derive(Debug, Args)]
pub struct StatusCommand {
    /// How old the newest report may be, and how long a job may run
    #[arg(long, value_name = "DURATION", default_value = "26h")]
    pub max_age: String,
    /// First day of which nights are expected, as `[schedule]` says how often, and known to the state [default: that of
    /// the oldest report]
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// Least free space on the disks of the reports and of the state, in MiB; ten nights like the newest must fit too
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub min_free: u32,
    /// Time that counts as now, such as 2026-11-23T02:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Where to find the state and the reports.
    #[command(flatten)]
    pub place: Place,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
