//! The command line of `tieout dataset`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::choices::Output;

/// Arguments of `tieout dataset`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0 the dataset is undamaged; 2 wrong usage or not a dataset; 4 it is damaged or can't be read."
)]
pub struct DatasetCommand {
    /// Folder of the dataset
    #[arg(value_name = "DATASET", required = true)]
    pub dataset: Option<PathBuf>,
    /// Compare only the sizes of the files, not their hashes
    #[arg(long)]
    pub quick: bool,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
    /// What to do instead of showing it.
    #[command(subcommand)]
    pub action: Option<DatasetAction>,
}

/// What to do with a dataset.
#[derive(Debug, Subcommand)]
pub enum DatasetAction {
    /// Append every report of a folder that the dataset lacks
    Import {
        /// Folder of reports, or one report
        #[arg(value_name = "REPORTS_DIR")]
        reports: PathBuf,
        /// Folder of the dataset; it is created if it is not there
        #[arg(long, env = "TIEOUT_DATASET", value_name = "DIR")]
        dataset: PathBuf,
    },
}
