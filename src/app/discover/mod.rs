//! `tieout discover`: walks the provider's list of orders and writes the CSV of their IDs.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::access::{self, NO_REQUEST_SENT};
use super::exit::{self, Exit, Failure};
use super::reconcile::display;
use super::settings::DiscoverSettings;
use super::voice::Voice;
use crate::domain::listed::ListedOrder;
use crate::domain::time::Period;
use crate::pipeline::discovery::{self, Discovery, DiscoveryEnd, DiscoveryError, WalkError};
use crate::pipeline::list_walk::Listing;
use crate::provider::{Flaws, ListQuery, Stop, Unavailable};
use crate::report::ReportError;
use crate::report::folder::publish::{FileError, StagedFile};
use crate::report::formats::ids;

const NOTHING_WRITTEN: &str = "no CSV was written";

/// Walks the list, writes the CSV and prints what is incomplete. Exits with 3 unless every order that the provider
/// counts was listed.
///
/// # Errors
/// A [`Failure`] says why there is no CSV, and what to do.
pub(super) fn run(settings: DiscoverSettings, voice: &Voice) -> Result<Exit, Failure> {
    let staged = settings.output.as_deref().map(StagedFile::create).transpose().map_err(unwritable)?;
    let display = display(settings.quiet);
    let session =
        access::open(settings.provider, settings.key, &settings.state, Timestamp::now(), display, voice.texts)?;
    let mut discovery = Discovery { session, query: settings.query.clone() };
    let listing = match discovery::discover(&mut discovery).map_err(failure)? {
        DiscoveryEnd::Listed(listing) => listing,
        DiscoveryEnd::Stopped(signal) => {
            exit::print_lines(&format!("stopped by a signal: {NOTHING_WRITTEN}"));
            return Ok(signal.into());
        }
    };
    let selection = Selection::of(&listing, &settings.period);
    let written = selection.orders.len();
    match staged {
        Some(staged) => staged
            .publish(|file| ids::write(selection.orders, listing.missing(), file).map(drop).map_err(io_error))
            .map_err(|error| Failure::no_report(error).help(NOTHING_WRITTEN))?,
        None => {
            // The reader of a pipe may be slow: release the locks first, and let a signal end the process at once.
            drop(discovery);
            let shown =
                ids::write(selection.orders, listing.missing(), io::stdout().lock()).map(drop).map_err(io_error);
            exit::ignore_closed_pipe(shown)?;
        }
    }
    if !settings.quiet {
        exit::print_lines(&summary(&listing, written, settings.output.as_deref()));
    }
    if selection.timeless > 0 {
        let count = orders(selection.timeless);
        exit::warn(format!("kept {count} without a creation time despite --since and --until"), None);
    }
    warnings(&listing, &settings.query).iter().for_each(|warning| exit::print_lines(warning));
    Ok(if listing.missing() == Some(0) { Exit::Success } else { Exit::Incomplete })
}

/// The orders of a list that belong in the CSV.
struct Selection<'l> {
    orders: Vec<&'l ListedOrder>,
    /// How many of them have no creation time, and are kept although a period is given.
    timeless: u64,
}

impl<'l> Selection<'l> {
    fn of(listing: &'l Listing, period: &Period) -> Self {
        let orders: Vec<_> = listing.orders.values().filter(|order| order.may_be_of(period)).collect();
        let is_bounded = period.since.is_some() || period.until.is_some();
        let timeless = orders.iter().filter(|order| is_bounded && order.created_at.is_none()).count() as u64;
        Self { orders, timeless }
    }
}

/// Two or more lines: what was listed, what repeated or changed, and what was written.
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
        lines += &format!("\n{count} item{plural} repeated an order of an earlier page: the newest version is used");
    }
    if !listing.changed.is_empty() {
        lines += &format!("\n{} changed amounts meanwhile: the newest are used", orders(listing.changed.len() as u64));
    }
    let outside = had.saturating_sub(written as u64);
    let left_out = match outside {
        0 => String::new(),
        outside => format!(", and left out {outside} created outside --since and --until"),
    };
    lines + &format!("\nwrote {} to {place}{left_out}", orders(written as u64))
}

/// Warnings about a list that is not as it should be; the gap, if there is one, comes last.
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
            warnings
                .push(format!("warning: the list has {others} that do not match {option} {wanted}; they were kept"));
        }
    }
    if listing.unreadable.count > 0 {
        warnings.push(format!("warning: fields of the list that can't be read: {}", counted(&listing.unreadable)));
    }
    warnings.extend(gap(listing));
    warnings
}

/// The warning of an incomplete list, or of one that may be; `None` where every counted order was listed.
fn gap(listing: &Listing) -> Option<String> {
    let (had, pages) = (orders(listing.orders.len() as u64), listing.pages);
    let without_id = match &listing.without_id {
        Flaws { count: 0, .. } => String::new(),
        flaws => format!("\n  list items without a usable order ID: {}", counted(flaws)),
    };
    let help =
        "\n  help: run the same command again when fewer runs arrive; if the gap stays, report it to the provider";
    Some(match (listing.missing(), listing.total) {
        (Some(0), _) => return None,
        (Some(missing), Some(total)) => format!(
            "warning: the list is incomplete: {missing} missing. The provider counts {total}, but listed {had} in {} \
             walk{}{without_id}{help}",
            listing.passes,
            plural(listing.passes.into()),
        ),
        (_, Some(total)) => format!(
            "warning: it is unknown whether the list is complete: the provider counts {total}, but after {pages} pages \
             and {had} there was still more{without_id}{help}"
        ),
        (_, None) => format!(
            "warning: it is unknown whether the list is complete: the provider does not say how many orders there \
             are{without_id}\n  help: report this to the provider"
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

/// The failure for an output file that is not a file (exit 2), or that the disk refuses (exit 4).
fn unwritable(error: FileError) -> Failure {
    match error {
        FileError::NotAFile(_) => Failure::usage(error).help("check --output-file"),
        FileError::Io { .. } => Failure::no_report(error).help(NO_REQUEST_SENT),
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

/// The failure where there is no list, with advice.
fn failure(error: DiscoveryError) -> Failure {
    let help = match &error {
        DiscoveryError::List(WalkError::Stop(Stop::NotTheApi(_))) => {
            "check --api-url: it must end with the path of the API"
        }
        DiscoveryError::List(WalkError::Stop(_)) => "check CHENYU_API_KEY or --api-key-file",
        DiscoveryError::List(WalkError::Page { reason: Unavailable::NotFound(_), .. }) => {
            "check --api-url: it must end with the path of the API"
        }
        DiscoveryError::List(WalkError::Page { reason: Unavailable::Refused(_), .. }) => {
            "check --workflow and --status, and that the key may list run orders"
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
