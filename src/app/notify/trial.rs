//! `tieout notify --test`: sends a trial message to the targets in the settings file.

use std::io::{self, Write};

use crate::app::cli::{General, Notify};
use crate::app::exit::{self, Exit, Failure};
use crate::app::settings;
use crate::language::Texts;
use crate::notify::{End, Event, Facts, Kind, Parcel, Ping, Target, Told, send};

/// Sends a message to each target, or to one, and prints how each ended.
pub(in crate::app) fn run(command: &Notify, general: &General) -> Result<Exit, Failure> {
    let (settings, language) = settings::resolve_notify(command, general).map_err(Failure::usage)?;
    let wanted = |target: &&Target| command.target.as_ref().is_none_or(|name| *name == target.name);
    let targets: Vec<&Target> = settings.targets.iter().filter(wanted).collect();
    if targets.is_empty() {
        return Err(none(command.target.as_deref(), &settings.targets));
    }
    let texts = Texts::new(language);
    let facts = Facts { input: String::new(), account: None, exit_code: 0, end: End::Trial };
    let message = facts.message(Event::Test, &Told::default(), texts);
    let parcel = |target: &Target| match target.kind {
        Kind::Healthchecks => Parcel::Ping(Ping::Success),
        _ => Parcel::Message(message.clone()),
    };
    let parcels: Vec<(&Target, Parcel)> = targets.into_iter().map(|target| (target, parcel(target))).collect();
    let sent = send(&parcels, &settings.targets, &settings.network);
    let mut out = io::stdout().lock();
    let lines = parcels.iter().zip(&sent).try_for_each(|((target, _), sent)| {
        let target = target.shown();
        let line = match sent {
            Ok(()) => texts.with("notify-delivered", &[("target", target.into())]),
            Err(problem) => {
                let problem = texts.translated(problem);
                texts.with("notify-not-delivered", &[("target", target.into()), ("problem", problem.into())])
            }
        };
        writeln!(out, "{line}")
    });
    exit::ignore_closed_pipe(lines)?;
    match sent.iter().filter(|sent| sent.is_err()).count() {
        0 => Ok(Exit::Success),
        count => Err(Failure::no_report(format!("{count} of {} messages were not delivered", sent.len()))
            .help("check the URL and the secret of each, and what the service says above")),
    }
}

/// The failure where there is nobody to tell.
fn none(name: Option<&str>, known: &[Target]) -> Failure {
    let names: Vec<String> = known.iter().map(|target| target.name.clone()).collect();
    match name {
        Some(name) if !names.is_empty() => {
            let near = settings::nearest(name, names.iter().map(String::as_str));
            let near = near.map_or_else(
                || format!("the targets are {}", names.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            Failure::usage(format!("--target {name:?}: there is no such target; {near}"))
        }
        _ => Failure::usage("there are no targets of notifications")
            .help("add a [[notify]] table to the settings file, and name the file with --config"),
    }
}
