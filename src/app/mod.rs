//! The command line, the settings, one file per command, and the exit codes.

mod access;
mod audit;
mod checks;
pub mod cli;
mod diff;
mod discover;
pub mod exit;
mod logging;
mod prune;
mod reconcile;
mod runs;
mod sandbox;
pub mod settings;
mod terminal;
mod verify;

use clap::Parser;

use cli::{Cli, Command};
use exit::{Exit, Failure};

/// Parses the command line, runs the command, and says how the process ends.
#[must_use]
pub fn run() -> Exit {
    let mut cli = Cli::parse();
    if let Command::Sandbox(command) = &cli.command {
        cli.general.verbose = cli.general.verbose.max(command.verbosity());
    }
    logging::start(&cli.general);
    let ended = match cli.command {
        Command::Reconcile(command) => {
            settings::resolve(*command, &cli.general).map_err(Failure::usage).and_then(reconcile::run)
        }
        Command::Discover(command) => {
            settings::discovering(*command, &cli.general).map_err(Failure::usage).and_then(discover::run)
        }
        Command::Audit(command) => audit::run(*command, cli.general.quiet),
        Command::Verify(command) => verify::run(&command),
        Command::Runs(command) => runs::run(&command, &cli.general),
        Command::Prune(command) => prune::run(&command, &cli.general),
        Command::Diff(command) => diff::run(&command, cli.general.quiet),
        Command::Checks { code } => checks::run(code.as_deref()),
        Command::Sandbox(command) => sandbox::run(command.port, command.options()),
    };
    ended.unwrap_or_else(|failure| {
        exit::tell(&failure);
        failure.exit
    })
}
