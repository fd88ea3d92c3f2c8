//! `tieout discover`: walks the provider's list of orders, and writes the CSV of their IDs.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::access::{self, NOTHING_ASKED};
use super::exit::{self, Exit, Failure};
use super::reconcile::display;
use super::settings::Discovering;
use crate::domain::listed::ListedOrder;
use crate::domain::time::Period;
use crate::pipeline::discovery::{self, Discovered, Discovery, DiscoveryError, WalkError};
use crate::pipeline::list_walk::Listing;
use crate::provider::{Flaws, ListQuery, Stop, Unavailable};
use crate::report::ReportError;
use crate::report::folder::publish::{FileError, StagedFile};
use crate::report::formats::ids;

const NOTHING_WRITTEN: &str = "no CSV was written";

/// Discovers as the settings say.
///
/// # Errors
/// A [`Failure`] says why there is no CSV, and what to do.
pub(super) fn run(settings: Discovering) -> Result<Exit, Failure> {
    let staged = settings.output.as_deref().map(StagedFile::create).transpose().map_err(unwritable)?;
    let display = display(settings.quiet);
    let session = access::open(settings.provider, settings.key, &settings.state, Timestamp::now(), display)?;
    let mut discovery = Discovery { session, query: settings.query.clone() };
    let listing = match discovery::discover(&mut discovery).map_err(failure)? {
        Discovered::Listed(listing) => listing,
        Discovered::Stopped(signal) => {
            exit::tell(&format!("stopped by a signal: {NOTHING_WRITTEN}"));
            return Ok(signal.into());
        }
    };
    let wanted = Wanted::of(&listing, &settings.period);
    let written = wanted.orders.len();
    match staged {
        Some(staged) => staged
            .publish(|file| ids::write(wanted.orders, listing.missing(), file).map(drop).map_err(io_error))
            .map_err(|error| Failure::no_report(error).help(NOTHING_WRITTEN))?,
        None => {
            // A reader may take its time: it needs no locks, and a signal ends the process at once again.
            drop(discovery);
            let shown = ids::write(wanted.orders, listing.missing(), io::stdout().lock()).map(drop).map_err(io_error);
            exit::ignore_closed_pipe(shown)?;
        }
    }
    if !settings.quiet {
        exit::tell(&summary(&listing, written, settings.output.as_deref()));
    }
    if wanted.timeless > 0 {
        let count = orders(wanted.timeless);
        exit::tell(&format!("warning: {count} without a creation time stayed, whatever --since and --until say"));
    }
    warnings(&listing, &settings.query).iter().for_each(exit::tell);
    Ok(if listing.missing() == Some(0) { Exit::Success } else { Exit::Incomplete })
}

/// The orders that are wanted of a list.
struct Wanted<'l> {
    orders: Vec<&'l ListedOrder>,
    /// How many of them are there only because nobody knows when they were created.
    timeless: u64,
}

impl<'l> Wanted<'l> {
    fn of(listing: &'l Listing, period: &Period) -> Self {
        let orders: Vec<_> = listing.orders.values().filter(|order| order.may_be_of(period)).collect();
        let is_bounded = period.since.is_some() || period.until.is_some();
        let timeless = orders.iter().filter(|order| is_bounded && order.created_at.is_none()).count() as u64;
        Self { orders, timeless }
    }
}

/// What was listed and what was written.
fn summary(listing: &Listing, written: usize, output: Option<&Path>) -> String {
    let had = listing.orders.len() as u64;
    let place = output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    let pages = listing.pages;
    let mut lines = format!("listed {} on {pages} page{}", orders(had), plural(pages));
    if listing.passes > 1 {
        lines += &format!(" in {} walks", listing.passes);
    }
    lines += &match listing.total {
        Some(total) => format!("; the provider counts {total}"),
        None => "; the provider does not say how many there are".to_owned(),
    };
    if listing.repeats > 0 {
        let (count, plural) = (listing.repeats, plural(listing.repeats));
        lines += &format!("\n{count} item{plural} repeated what an earlier page had: the newest word counts");
    }
    if !listing.changed.is_empty() {
        lines += &format!("\n{} changed amounts meanwhile: the newest count", orders(listing.changed.len() as u64));
    }
    let outside = had.saturating_sub(written as u64);
    let left_out = match outside {
        0 => String::new(),
        outside => format!(", and left out {outside} created outside --since and --until"),
    };
    lines + &format!("\nwrote {} to {place}{left_out}", orders(written as u64))
}

/// What a person must know of a list that is not what it should be. The last one is the gap, where there is one.
fn warnings(listing: &Listing, query: &ListQuery) -> Vec<String> {
    let mut warnings = Vec::new();
    for (option, wanted, of) in [
        ("--workflow", &query.workflow_id, (|order| order.workflow_id.as_deref()) as fn(&ListedOrder) -> Option<&str>),
        ("--status", &query.status, |order| order.run_status.as_deref()),
    ] {
        let Some(wanted) = wanted else { continue };
        let others = listing.orders.values().filter(|order| of(order) != Some(wanted)).count() as u64;
        if others > 0 {
            let others = orders(others);
            warnings.push(format!("warning: not of {option} {wanted}, and not left out: {others} of the list"));
        }
    }
    if listing.unreadable.count > 0 {
        warnings.push(format!("warning: fields of the list that can't be read: {}", counted(&listing.unreadable)));
    }
    warnings.extend(gap(listing));
    warnings
}

/// Why the list is not whole, or why there is no telling.
fn gap(listing: &Listing) -> Option<String> {
    let (had, pages) = (orders(listing.orders.len() as u64), listing.pages);
    let nameless = match &listing.nameless {
        Flaws { count: 0, .. } => String::new(),
        flaws => format!("\n  items of the list that name no order: {}", counted(flaws)),
    };
    let help =
        "\n  help: run the same command again, when fewer runs arrive; if the gap stays, show this to the provider";
    Some(match (listing.missing(), listing.total) {
        (Some(0), _) => return None,
        (Some(missing), Some(total)) => format!(
            "warning: the list is not whole: {missing} missing. The provider counts {total}, and listed {had} in {} \
             walk{}{nameless}{help}",
            listing.passes,
            plural(listing.passes.into()),
        ),
        (_, Some(total)) => format!(
            "warning: there is no telling whether the list is whole: the provider counts {total}, and after {pages} pages \
             and {had} there still was more{nameless}{help}"
        ),
        (_, None) => format!(
            "warning: there is no telling whether the list is whole: the provider does not say how many orders there \
             are{nameless}\n  help: show this to the provider"
        ),
    })
}

fn counted(flaws: &Flaws) -> String {
    let first = flaws.first.iter().map(|reason| format!(", the first on {}", reason.detail));
    flaws.count.to_string() + &first.collect::<String>()
}

fn orders(count: u64) -> String {
    format!("{count} order{}", plural(count))
}

const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A destination that is a mistake, or that the disk refuses.
fn unwritable(error: FileError) -> Failure {
    match error {
        FileError::NotAFile(_) => Failure::usage(error).help("see --output-file"),
        FileError::Io { .. } => Failure::no_report(error).help(NOTHING_ASKED),
    }
}

fn io_error(error: ReportError) -> io::Error {
    match error {
        ReportError::Csv { source, .. } => match source.into_kind() {
            csv::ErrorKind::Io(error) => error,
            kind => io::Error::other(format!("{kind:?}")),
        },
        other => io::Error::other(other),
    }
}

/// Why there is no list.
fn failure(error: DiscoveryError) -> Failure {
    let help = match &error {
        DiscoveryError::List(WalkError::Stop(Stop::NotTheApi(_))) => {
            "check --api-url: it ends with the path of the API"
        }
        DiscoveryError::List(WalkError::Stop(_)) => "check CHENYU_API_KEY or --api-key-file",
        DiscoveryError::List(WalkError::Page { lack: Unavailable::NotFound(_), .. }) => {
            "check --api-url: it ends with the path of the API"
        }
        DiscoveryError::List(WalkError::Page { lack: Unavailable::Refused(_), .. }) => {
            "check that the key may list run orders, and --workflow and --status"
        }
        DiscoveryError::List(WalkError::Page { .. }) => {
            "check --api-url and the network, and run the same command again"
        }
        DiscoveryError::Store(_) => return Failure::no_report(error).help(NOTHING_WRITTEN),
    };
    Failure::no_report(error).help(format!("{help}; {NOTHING_WRITTEN}"))
}

#[cfg(test)]
mod tests;
