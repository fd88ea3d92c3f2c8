//! Tells the targets of notifications how a job ended. Whatever goes wrong here is a warning.

pub(super) mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{self, Path, PathBuf};

use super::exit::{self, Exit, Failure};
use super::redaction;
use super::settings::{NotifySettings, Settings};
use crate::domain::finding::Severity;
use crate::domain::money::Sum;
use crate::domain::outcome::Bucket;
use crate::input::Source;
use crate::language::Texts;
use crate::notify::{End, ErrorFact, Errors, Facts, Kind, Night, Parcel, Ping, ReportFacts, Target, Told, send};
use crate::provider;
use crate::report::builder::Report;
use crate::store::{Audience, LastTold, Store, StoreError, series_of};
use crate::summary::Verdict;

/// The longest code of a currency that is shown, in characters. The provider may send any text.
const MAX_CODE: usize = 10;

/// The notifications of one job.
pub(super) struct Notifications {
    settings: NotifySettings,
    texts: Texts,
    state: PathBuf,
    /// The job, as the state knows it: its provider and its series of inputs.
    base_url: String,
    series: String,
    input: String,
    account: Option<String>,
    report: Option<ReportFacts>,
}

/// How many messages and pings at the end of a job were delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deliveries {
    pub(super) delivered: u64,
    pub(super) undelivered: u64,
}

impl Notifications {
    /// Tells the targets for pings that a job begins. Nobody is told of a job with the simulator.
    pub(super) fn begin(settings: &Settings) -> Self {
        let is_simulated = settings.key.is_none();
        let notify = if is_simulated { NotifySettings::default() } else { settings.notify.clone() };
        if is_simulated && !settings.notify.targets.is_empty() {
            tracing::info!("--sandbox: no notifications are sent");
        }
        let (series, input) = match &settings.input.source {
            Source::File(path) => {
                let place = path::absolute(path).unwrap_or_else(|_| path.clone());
                let name = path.file_name().unwrap_or(path.as_os_str());
                (series_of(&place.to_string_lossy()), name.to_string_lossy().into_owned())
            }
            Source::Stdin => ("standard input".to_owned(), "stdin".to_owned()),
        };
        // Accounts may share a state, and their inputs a series.
        let series = settings.report.account.iter().fold(series, |series, account| format!("{series} of {account}"));
        let notifications = Self {
            settings: notify,
            texts: Texts::new(settings.report.language),
            state: settings.state.clone(),
            // A URL that can't be used may hold a password.
            base_url: provider::normal_url(&settings.provider.base_url).unwrap_or_default(),
            series,
            input,
            account: settings.report.account.clone(),
            report: None,
        };
        notifications.deliver(notifications.pings(Ping::Start));
        notifications
    }

    /// Keeps what messages say about the report.
    pub(super) fn report(&mut self, report: &Report, folder: &Path) {
        if !self.settings.targets.is_empty() {
            self.report = Some(report_facts(report, folder));
        }
    }

    /// Tells every target what is new to it.
    pub(super) fn tell(mut self, ended: &Result<Exit, Failure>) -> Deliveries {
        if self.settings.targets.is_empty() {
            return Deliveries::default();
        }
        let (exit, end) = match (ended, self.report.take()) {
            (Ok(exit @ (Exit::Interrupted | Exit::Terminated)), _) => (*exit, None),
            (Ok(exit), Some(report)) => (*exit, Some(End::Report(report))),
            (Ok(exit), None) => (*exit, None),
            // Its summary could not be printed.
            (Err(failure), Some(report)) => (failure.exit, Some(End::Report(report))),
            (Err(failure), None) => (failure.exit, Some(End::failure(&self.redacted(&exit::failure_text(failure))))),
        };
        let mut parcels = self.pings(Ping::of_exit(exit.code()));
        let Some(end) = end else { return self.deliver(parcels).0 };
        let facts = Facts { input: self.input.clone(), account: self.account.clone(), exit_code: exit.code(), end };
        let night = facts.night();
        // Without a state it is better to tell a thing twice than never.
        let mut state = Store::open(&self.state).inspect_err(warn_of_memory).ok();
        let mut told_silently = Vec::new();
        for target in self.settings.targets.iter().filter(|target| target.kind != Kind::Healthchecks) {
            let told = state.as_ref().map(|state| self.told(state, target)).unwrap_or_default();
            let events = told.events(&night);
            match events.iter().find(|event| target.when.contains(event)) {
                Some(event) => {
                    parcels.push((target, Parcel::Message(facts.message(*event, &told, self.texts))));
                }
                // What it does not want to know counts as told: later nights are compared with it.
                None if !events.is_empty() => told_silently.push(target),
                None => {}
            }
        }
        let (deliveries, delivered) = self.deliver(parcels);
        if let Some(state) = &mut state {
            let informed = told_silently.into_iter().chain(delivered);
            informed.for_each(|target| self.note(state, target, &night));
        }
        deliveries
    }

    fn pings(&self, ping: Ping) -> Vec<(&Target, Parcel)> {
        let targets = self.settings.targets.iter().filter(|target| target.kind == Kind::Healthchecks);
        targets.map(|target| (target, Parcel::Ping(ping))).collect()
    }

    /// Delivers, and warns of what could not be delivered. Returns the targets of the messages that arrived.
    fn deliver<'t>(&'t self, parcels: Vec<(&'t Target, Parcel)>) -> (Deliveries, Vec<&'t Target>) {
        let (mut deliveries, mut arrived, mut problems) = (Deliveries::default(), Vec::new(), Vec::new());
        if parcels.is_empty() {
            return (deliveries, arrived);
        }
        for ((target, parcel), sent) in
            parcels.iter().zip(send(&parcels, &self.settings.targets, &self.settings.network))
        {
            match sent {
                Ok(()) => {
                    tracing::info!("notified {}", target.shown());
                    deliveries.delivered += 1;
                    arrived.extend(matches!(parcel, Parcel::Message(_)).then_some(*target));
                }
                Err(problem) => {
                    deliveries.undelivered += 1;
                    // One by one: together they would be too long to be translated.
                    let problem = format!("{}: {problem}", target.shown());
                    problems.push(self.texts.translated(&problem).into_owned());
                }
            }
        }
        if !problems.is_empty() {
            let (count, all) = (problems.len(), parcels.len());
            let help = "neither the report nor the exit code is affected; `tieout notify --test` tries again";
            let what = format!("{count} of {all} notifications not delivered\n  {}", problems.join("\n  "));
            exit::warn(what, Some(help));
        }
        (deliveries, arrived)
    }

    fn audience(&self, target: &Target) -> Audience {
        Audience { base_url: self.base_url.clone(), series: self.series.clone(), target: target.name.clone() }
    }

    fn told(&self, state: &Store, target: &Target) -> Told {
        let last = state.last_told(&self.audience(target)).inspect_err(warn_of_memory).ok().flatten();
        last.and_then(told).unwrap_or_default()
    }

    fn note(&self, state: &mut Store, target: &Target, night: &Night) {
        let now = self.told(state, target).after(night);
        let noted = state.note_told(&self.audience(target), &last_told(&now));
        // Nothing is lost: the target is told again.
        let _ = noted.inspect_err(warn_of_memory);
    }

    /// A text without keys, and without the secrets of any target.
    fn redacted(&self, text: &str) -> String {
        let targets = self.settings.targets.iter();
        targets.fold(redaction::without_keys(text), |text, target| target.without_secrets(&text))
    }
}

fn warn_of_memory(error: &StoreError) {
    exit::warn(format!("a notification may be sent twice: {error}"), None);
}

/// What a target was told, unless a later version wrote it.
fn told(last: LastTold) -> Option<Told> {
    let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.code() == last.verdict)?;
    let ids = last.error_ids.map(|ids| ids.into_iter().collect::<BTreeSet<u64>>());
    let errors = ids.map_or(Errors::Counted(last.errors), Errors::Listed);
    Some(Told { exit_code: last.exit_code, verdict, errors })
}

fn last_told(told: &Told) -> LastTold {
    let error_ids = match &told.errors {
        Errors::Listed(ids) => Some(ids.iter().copied().collect()),
        Errors::Counted(_) => None,
    };
    let (verdict, errors) = (told.verdict.code().to_owned(), told.errors.count());
    LastTold { exit_code: told.exit_code, verdict, errors, error_ids }
}

/// What messages say about a report.
fn report_facts(report: &Report, folder: &Path) -> ReportFacts {
    let (mut errors, mut error_count) = (Vec::new(), 0);
    let mut differences = BTreeMap::<String, BTreeMap<&'static str, Sum>>::new();
    for discrepancy in report.discrepancies.iter() {
        let finding = &discrepancy.finding;
        if finding.severity != Severity::Error || finding.is_waived {
            continue;
        }
        error_count += 1;
        let currency: String =
            discrepancy.order.quote_currency.iter().flat_map(|text| text.chars()).take(MAX_CODE).collect();
        let has_room = differences.len() < ReportFacts::MAX_CURRENCIES || differences.contains_key(&currency);
        if let Some(difference) = finding.difference.filter(|_| has_room) {
            let sums = differences.entry(currency.clone()).or_default();
            let sum = sums.entry(finding.check).or_default();
            // A report whose sums overflow is not made; these are parts of them.
            *sum = sum.plus(difference.abs()).unwrap_or(*sum);
        }
        if error_count <= Errors::MOST {
            let id = u64::from_str_radix(&discrepancy.past().discrepancy_id, 16).unwrap_or_default();
            errors.push(ErrorFact {
                id,
                run_order_id: discrepancy.run_order_id.clone(),
                check: finding.check,
                difference: finding.difference,
                currency,
            });
        }
    }
    let population = &report.summary.population;
    ReportFacts {
        verdict: report.exit_inputs.verdict,
        as_of: report.summary.as_of.clone(),
        rows: population.rows(),
        pending: population.of(Bucket::Pending),
        errors,
        error_count,
        differences,
        folder: folder.to_owned(),
    }
}
