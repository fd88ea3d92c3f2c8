//! The command line, the settings, one file per command, and the exit codes.

mod access;
mod audit;
mod checks;
pub mod cli;
mod completions;
mod dataset;
mod diff;
mod discover;
pub mod exit;
pub mod help;
mod init;
mod logging;
mod man;
mod messages;
mod metrics;
mod notify;
mod prune;
mod reconcile;
mod redaction;
mod runs;
mod sandbox;
mod schedule;
pub mod settings;
mod status;
mod terminal;
mod verify;
mod voice;
mod wrap;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};

use clap::FromArgMatches;
use clap::error::ErrorKind;

use cli::{Cli, Command, LogFormat};
use exit::{Exit, Failure};
use voice::Voice;

use crate::domain::program::{COMMIT, VERSION};
use crate::language::Language;
use crate::report::files::hash_program;

/// Parses the command line, runs the command, and returns how the process ends.
#[must_use]
pub fn run() -> Exit {
    let arguments: Vec<OsString> = env::args_os().collect();
    let parsed = help::command_for(&arguments).try_get_matches_from(&arguments);
    let parsed = parsed.and_then(|matches| Cli::from_arg_matches(&matches));
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let _logged = help::wants_json(&arguments).then(|| logging::start(LogFormat::Json, false, 0));
            return refuse(&error, help::language_of(&arguments));
        }
    };
    if let Command::Sandbox(command) = &cli.command {
        cli.general.verbose = cli.general.verbose.max(command.verbosity());
    }
    let _logged = logging::start(cli.general.log_format, cli.general.quiet, cli.general.verbose);
    let language = settings::language(cli.general.lang, cli.general.config.as_deref());
    exit::speak(language);
    let voice = Voice::new(language, cli.general.colour);
    ended(match cli.command {
        Command::Reconcile(command) => settings::resolve(*command, &cli.general)
            .map_err(Failure::usage)
            .and_then(|settings| reconcile::run(settings, &voice)),
        Command::Discover(command) => {
            let settings = settings::resolve_discover(*command, &cli.general).map_err(Failure::usage);
            settings.and_then(|settings| discover::run(settings, &voice))
        }
        Command::Audit(command) => audit::run(*command, &cli.general, &voice),
        Command::Verify(command) => verify::run(&command, &cli.general, voice.texts),
        Command::Status(command) => status::run(&command, &cli.general, &voice),
        Command::Runs(command) => runs::run(&command, &cli.general, voice.texts),
        Command::Prune(command) => prune::run(&command, &cli.general, voice.texts),
        Command::Close(command) => audit::close(&command, &cli.general, &voice),
        Command::Dataset(command) => dataset::run(&command, voice.texts),
        Command::Compact { dataset } => dataset::compact(&dataset, voice.texts),
        Command::Diff(command) => diff::run(&command, cli.general.quiet, &voice),
        Command::Schedule(command) => schedule::run(&command, &cli.general, voice.texts),
        Command::Notify(command) => notify::trial::run(&command, &cli.general),
        Command::Init { file } => init::run(&file, voice.texts),
        Command::Checks { code } => checks::run(code.as_deref(), &voice),
        Command::Completions { shell } => completions::run(shell, language),
        Command::Man { folder } => man::run(folder.as_deref(), language),
        Command::Sandbox(command) => sandbox::run(command.port, command.options(), voice.texts),
    })
}

/// How the process ends after a command, having printed why if it failed.
fn ended(result: Result<Exit, Failure>) -> Exit {
    result.unwrap_or_else(|failure| {
        exit::print_failure(&failure);
        failure.exit
    })
}

/// Prints the version, and which build of it this is.
fn version() -> Result<Exit, Failure> {
    let (commit, sha256) = (COMMIT.unwrap_or("unknown"), hash_program());
    let sha256 = sha256.unwrap_or("unknown");
    let lines = format!("tieout {VERSION}\ncommit {commit}\nsha256 {sha256}\n");
    exit::ignore_closed_pipe(io::stdout().lock().write_all(lines.as_bytes()))?;
    Ok(Exit::Success)
}

/// Prints what is wrong with the command line, without any key in it; or prints help or version if asked for.
fn refuse(error: &clap::Error, language: Language) -> Exit {
    if error.kind() == ErrorKind::DisplayVersion {
        return ended(version());
    }
    let message = error.render().to_string();
    let is_error = error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let is_ours = language != Language::English || messages::are() || redaction::without_keys(&message) != message;
    // Otherwise clap prints it, in colour where that is wanted.
    if is_error && is_ours {
        exit::speak(language);
        exit::print_lines(message.trim_end());
        return Exit::Usage;
    }
    error.exit()
}
