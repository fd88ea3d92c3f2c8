//! Closes a month of a dataset: an audit of it that stays, built on the close before it.

use super::audit::close::{CloseError, require_next};
use super::audit::dataset::DatasetAudit;
use super::verify::{PartResult, verify};
use std::collections::BTreeMap;

use super::{JobError, audit};
use crate::domain::month::Month;
use crate::history::{Dataset, DatasetError, RunRecord};
use crate::report::builder::Report;
use crate::report::evidence::sources::Sources;
use crate::report::files::SOURCES_FILE;
use crate::report::folder::ReportFolder;
use crate::report::folder::publish::{Destination, PublishedReport};

/// Makes the report and publishes it in the dataset, one close at a time. Returns it and its place.
///
/// # Errors
/// [`JobError`] says why the month is not closed.
pub fn close(audit: &DatasetAudit, month: Month) -> Result<(Report, PublishedReport), JobError> {
    let dataset = &audit.dataset;
    require_next(dataset, month)?;
    let lock = dataset.begin_close()?;
    // Another close may have ended meanwhile.
    let closed = require_next(dataset, month)
        .and_then(|()| require_proven(dataset))
        .and_then(|()| audit.publish(&Destination::New(dataset.close_of(month))))
        .and_then(|(report, published)| {
            dataset.place_close(month)?;
            Ok((report, PublishedReport { folder: dataset.place_of_close(month), ..published }))
        });
    if closed.is_err() {
        dataset.end_close();
    }
    drop(lock);
    closed
}

/// Fails unless the last close is as it was made: its figures are those that the next one begins with.
fn require_proven(dataset: &Dataset) -> Result<(), JobError> {
    let Some((month, folder)) = dataset.closes()?.into_iter().next_back() else { return Ok(()) };
    let parts = verify(&folder, None, Some(dataset.folder()))?;
    let failed = parts.into_iter().filter(|part| part.result == PartResult::Fails);
    let problems: Vec<String> = failed.flat_map(|part| part.details).collect();
    if problems.is_empty() { Ok(()) } else { Err(CloseError::NotProven { month, problems }.into()) }
}

/// What is wrong with the closes of a dataset: files that are not as they were written, and closes that a later one does not
/// know.
///
/// # Errors
/// When they can't be read.
pub fn damage(dataset: &Dataset) -> Result<Vec<String>, JobError> {
    let mut damage = Vec::new();
    for month in dataset.unfinished_closes()?.into_keys() {
        damage.push(format!("closes/{month}: it has no manifest: close the month again if its close was killed"));
    }
    let hash = |run: RunRecord| Ok((dataset.record_sha256(&run)?, run.run));
    let records = dataset.runs()?.into_iter().map(|run| hash(run).map(|(hash, run)| (run, hash)));
    let records = records.collect::<Result<BTreeMap<_, _>, DatasetError>>()?;
    for (month, folder) in dataset.closes()? {
        let report = match ReportFolder::open(&folder) {
            Ok(report) => report,
            Err(error) => {
                damage.push(format!("closes/{month}: {error}"));
                continue;
            }
        };
        let problems = report.files().iter().filter_map(|file| report.prove(&file.name).err());
        damage.extend(problems.map(|error| format!("closes/{month}: {error}")));
        let more = report.unlisted()?.into_iter().map(|name| format!("closes/{month}: {name:?} is not a file of it"));
        damage.extend(more);
        let sources = report.prove(SOURCES_FILE).map_err(JobError::from).and_then(|file| Ok(Sources::read(&file)?));
        let Ok(sources) = sources else { continue };
        let changed = sources.runs.iter().find(|run| records.get(&run.run) != Some(&run.record_sha256));
        damage.extend(
            changed.map(|run| format!("closes/{month}: the record of {} is missing or not as it was", run.run)),
        );
    }
    if damage.is_empty() {
        damage.extend(audit::require_closes(dataset).err().map(|error| error.to_string()));
    }
    Ok(damage)
}
