//! How reports enter a dataset: tonight's once it is published, or any that are there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::audit::ProvenReport;
use super::resume::CurrentRun;
use super::{Job, JobError};
use crate::domain::facts::OrderFacts;
use crate::domain::outcome::{Bucket, CreatedBefore, Evidence, Outcome};
use crate::history::{
    Append, CreatedSince, Dataset, DatasetError, ExceptionRow, IDENTITY_MISMATCH, Identity, Known, NewRun, RunRecord,
};
use crate::report::evidence::replay::ReplayedRow;
use crate::report::files::MANIFEST_FILE;
use crate::report::folder::manifest::Stamp;
use crate::report::folder::{ReportFolder, chain};
use crate::store::{Run, Store};

/// What an import did.
#[derive(Debug, Default)]
pub struct Import {
    /// The runs that were appended.
    pub appended: Vec<RunRecord>,
    /// How many reports the dataset had already.
    pub present: u64,
    /// How many reports are of `tieout audit`, which observed nothing.
    pub audits: u64,
}

/// Appends what the job's report observed to its dataset, which is created if need be. Then makes up for the reports of
/// earlier jobs with this state that should be in the dataset and are not. One of those that can't be appended is a
/// warning in the log.
///
/// # Errors
/// When the dataset can't be written or is of other orders; it is as it was then.
pub(super) fn keep(
    job: &Job,
    current: &CurrentRun,
    dataset: &Path,
    published: &Path,
) -> Result<Vec<RunRecord>, JobError> {
    let store = &job.session.store;
    let runs = store.runs()?;
    let continued = current.continued.as_ref().and_then(|run| runs.iter().find(|known| known.id == run.id));
    let seen = continued.map_or_else(|| Ok(Seen::default()), |run| Seen::of(store, run))?;
    let mut appended = vec![append_report(dataset, &ProvenReport::open(published)?, &seen)?];
    let present: BTreeSet<String> =
        Dataset::open(dataset)?.runs()?.into_iter().map(|run| run.manifest_sha256).collect();
    for run in &runs {
        let (Some(report), Some(destination)) = (&run.report, &run.destination) else { continue };
        let is_missed = run.dataset.as_deref().is_some_and(|wanted| Path::new(wanted) == dataset)
            && !present.contains(&report.manifest_sha256);
        let found = is_missed.then(|| chain::find(Path::new(destination), &report.manifest_sha256));
        let Some(folder) = found.flatten() else { continue };
        let made_up =
            ProvenReport::open(&folder).and_then(|report| append_report(dataset, &report, &Seen::of(store, run)?));
        match made_up {
            Ok(run) => appended.push(run),
            Err(error) => tracing::warn!("{} is still not in the dataset: {error}", folder.display()),
        }
    }
    Ok(appended)
}

/// Appends every report in a folder, or the one that it is, to a dataset, which is created if need be. Reports that
/// the dataset has are left out.
///
/// # Errors
/// When a report can't be proven: nothing is appended then. When the dataset can't be written or is of other orders: what was
/// appended before stays.
pub fn import(dataset: &Path, reports: &Path) -> Result<Import, JobError> {
    let mut import = Import::default();
    let mut present: BTreeSet<String> = match Dataset::open(dataset) {
        Ok(dataset) => dataset.runs()?.into_iter().map(|run| run.manifest_sha256).collect(),
        Err(DatasetError::NotADataset { .. }) => BTreeSet::new(),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for folder in report_folders(reports)? {
        let report = ReportFolder::open(&folder)?;
        let (stamp, manifest) = (report.manifest()?.stamp, report.manifest_sha256().to_owned());
        if stamp.fetch.is_none() {
            import.audits += 1;
        } else if present.contains(&manifest) {
            import.present += 1;
        } else {
            // All are proven before one is appended; files stay open only as long as they are read.
            ProvenReport::of(report)?;
            present.insert(manifest);
            found.push((stamp.started_at, folder));
        }
    }
    found.sort();
    for (_, folder) in found {
        // Which job saw an order is in the state alone.
        import.appended.push(append_report(dataset, &ProvenReport::open(&folder)?, &Seen::default())?);
    }
    Ok(import)
}

/// The reports in a folder: the folder itself, or those directly below it.
fn report_folders(reports: &Path) -> Result<Vec<PathBuf>, JobError> {
    let nothing = |problem: String| JobError::NoReport { folder: reports.to_owned(), problem };
    if reports.join(MANIFEST_FILE).exists() {
        return Ok(vec![reports.to_owned()]);
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(reports).map_err(|error| nothing(error.to_string()))? {
        let entry = entry.map_err(|error| nothing(error.to_string()))?;
        // `latest` is a link to one of the others.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.path().join(MANIFEST_FILE).exists() {
            folders.push(entry.path());
        }
    }
    if folders.is_empty() { Err(nothing("there is no report in it".to_owned())) } else { Ok(folders) }
}

/// What the state alone knows of the rows of a continued run, by input line.
#[derive(Default)]
struct Seen {
    /// When the job began that read a row, if a later job of the run continued it.
    began: HashMap<u64, Timestamp>,
    /// When an order was created, as a later job of another run saw it.
    created_since: HashMap<u64, Option<Timestamp>>,
}

impl Seen {
    fn of(store: &Store, run: &Run) -> Result<Self, JobError> {
        let (mut began, mut rows) = (BTreeMap::<i64, Timestamp>::new(), Vec::new());
        store.for_each_row(run.id, None, |row| {
            let first = began.entry(row.job).or_insert(row.seen_at);
            *first = row.seen_at.min(*first);
            rows.push((row.line, row.job));
            Ok::<_, JobError>(())
        })?;
        // Even if the last job read nothing, the rows are those of others.
        began.remove(&run.last_job());
        let began = rows.into_iter().filter_map(|(line, job)| Some((line, *began.get(&job)?)));
        Ok(Self { began: began.collect(), created_since: store.created_since(run.id)? })
    }

    fn began(&self, line: u64) -> Option<Timestamp> {
        self.began.get(&line).copied()
    }

    fn created_since(&self, line: u64) -> Option<CreatedSince> {
        self.created_since.get(&line).copied().map(CreatedSince)
    }
}

fn append_report(dataset: &Path, report: &ProvenReport, seen: &Seen) -> Result<RunRecord, JobError> {
    let stamp = &report.manifest.stamp;
    let dataset = Dataset::open_or_create(dataset, &identity(stamp))?;
    let mut append = dataset.append(&NewRun {
        started_at: stamp.started_at,
        as_of: stamp.as_of,
        manifest_sha256: report.folder().manifest_sha256().to_owned(),
        list_incomplete: stamp.input.shortfall.is_some() || !report.knows_its_list()?,
        replaces: stamp.earlier.replaces.clone(),
    })?;
    report.each_row(|row| match row {
        ReplayedRow::Facts(row) => {
            append.set_job(seen.began(row.line));
            let known = Known { settled: row.settled, before: None, since: seen.created_since(row.line) };
            Ok(append.order(row.run_order_id, &row.facts, known)?)
        }
        ReplayedRow::Outcome { outcome, background, .. } => {
            append.set_job(seen.began(outcome.line));
            add(&mut append, &outcome, background.created_before, seen.created_since(outcome.line))
        }
    })?;
    Ok(append.commit()?)
}

/// Whose orders a report is about.
fn identity(stamp: &Stamp) -> Identity {
    Identity::new(stamp.settings.days().zone, stamp.base_url.clone(), stamp.options.account.clone())
}

fn add(
    append: &mut Append,
    outcome: &Outcome,
    before: Option<CreatedBefore>,
    since: Option<CreatedSince>,
) -> Result<(), JobError> {
    let run_order_id = outcome.run_order_id.as_str();
    let mut except = |bucket: Bucket, reason: &str, detail: &str| {
        append.exception(ExceptionRow { run_order_id, bucket: bucket.code(), reason, detail });
    };
    match &outcome.evidence {
        Evidence::Fetched(fetched) if fetched.order.is_about(run_order_id) => {
            let order = &fetched.order;
            let known = Known { settled: order.is_settled(), before, since };
            append.order(run_order_id, &OrderFacts::of(order), known)?;
        }
        Evidence::Fetched(fetched) => {
            let replied = fetched.order.run_order_id.as_deref().unwrap_or_default();
            except(Bucket::Discrepant, IDENTITY_MISMATCH, replied);
        }
        Evidence::NotFound(reason) => except(Bucket::NotFound, &reason.code, &reason.detail),
        Evidence::Refused(reason) => except(Bucket::Refused, &reason.code, &reason.detail),
        Evidence::Malformed(reason) => except(Bucket::Malformed, &reason.code, &reason.detail),
        Evidence::Unfetched(reason) => except(Bucket::Unfetched, &reason.code, &reason.detail),
        // The first row with an ID stands for its order, and a row without one is about none.
        Evidence::Duplicate { .. } | Evidence::Rejected(_) => {}
    }
    Ok(())
}
