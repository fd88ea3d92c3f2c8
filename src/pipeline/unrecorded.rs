//! Reports whose jobs were killed after publishing them, before the state could record that. They count like any other:
//! what the next report calls new or persisting depends on them.

use std::path::Path;

use super::audit::{Changes, ProvenReport, RebuiltReport};
use super::progress::say;
use super::{Job, JobError, is_resumable, report_findings};
use crate::report::ReportError;
use crate::report::folder::chain;
use crate::report::formats::Formats;
use crate::report::formats::options::ReportOptions;
use crate::store::{NewReport, Run, RunId};

/// Records every such report, except that of the run that this job continues, which replaces it.
pub(super) fn record(job: &mut Job, continued: Option<RunId>) -> Result<(), JobError> {
    for run in job.session.store.runs()? {
        if Some(run.id) == continued {
            continue;
        }
        let (Some(manifest), Some(destination)) = (run.unrecorded(), &run.destination) else { continue };
        let Some(folder) = chain::find(Path::new(destination), manifest) else { continue };
        match rebuild(&folder) {
            Ok((original, rebuilt)) => note(job, &run, &folder, &original, &rebuilt)?,
            Err(error) => tracing::warn!(
                "can't record {}, the report of run {}, which was killed: {error}",
                folder.display(),
                run.id
            ),
        }
    }
    Ok(())
}

/// Rebuilds the report from its evidence, in as few formats as possible.
fn rebuild(folder: &Path) -> Result<(ProvenReport, RebuiltReport), JobError> {
    let original = ProvenReport::open(folder)?;
    let place = tempfile::tempdir().map_err(|source| ReportError::Io { path: std::env::temp_dir(), source })?;
    let options = ReportOptions { formats: Formats::of([]), ..original.manifest.stamp.options.clone() };
    let changes = Changes { options: Some(options), ..Changes::default() };
    let rebuilt = original.rebuild(place.path(), &changes, None)?;
    Ok((original, rebuilt))
}

fn note(
    job: &mut Job,
    run: &Run,
    folder: &Path,
    original: &ProvenReport,
    RebuiltReport { report, .. }: &RebuiltReport,
) -> Result<(), JobError> {
    let in_place = NewReport {
        verdict: report.exit_inputs.verdict.code(),
        is_resumable: is_resumable(report),
        manifest_sha256: original.folder().manifest_sha256(),
        folder,
    };
    job.session.store.finish(run.id, original.manifest.stamp.finished_at, in_place, report_findings(report))?;
    let texts = job.session.texts;
    let text = texts.with(
        "progress-recorded",
        &[("run", run.id.to_string().into()), ("folder", folder.display().to_string().into())],
    );
    say(job.session.display, &text);
    Ok(())
}
