//! Reports that are in their place, and whose jobs were killed before they could note it. They count like any other: what the next
//! report calls new or persisting depends on them.

use std::path::Path;

use super::audit::{Changes, Evident, Remade};
use super::progress::say;
use super::{Job, JobError, is_resumable, judged};
use crate::report::ReportError;
use crate::report::folder::chain;
use crate::report::formats::Formats;
use crate::report::formats::options::ReportOptions;
use crate::store::{NewReport, Run, RunId};

/// Notes every such report but that of the run that this job continues, which makes it anew.
pub(super) fn record(job: &mut Job, continued: Option<RunId>) -> Result<(), JobError> {
    for run in job.session.store.runs()? {
        if Some(run.id) == continued {
            continue;
        }
        let (Some(manifest), Some(destination)) = (run.unrecorded(), &run.destination) else { continue };
        let Some(folder) = chain::find(Path::new(destination), manifest) else { continue };
        match remade(&folder) {
            Ok((evident, remade)) => note(job, &run, &folder, &evident, &remade)?,
            Err(error) => tracing::warn!("run {} was killed after it made {}: {error}", run.id, folder.display()),
        }
    }
    Ok(())
}

/// The report as it was, made again from its evidence: in no more formats than need be.
fn remade(folder: &Path) -> Result<(Evident, Remade), JobError> {
    let evident = Evident::open(folder)?;
    let place = tempfile::tempdir().map_err(|source| ReportError::Io { path: std::env::temp_dir(), source })?;
    let options = ReportOptions { formats: Formats::of([]), ..evident.manifest.stamp.options.clone() };
    let changes = Changes { options: Some(options), ..Changes::default() };
    let remade = evident.remake(place.path(), &changes, None)?;
    Ok((evident, remade))
}

fn note(
    job: &mut Job,
    run: &Run,
    folder: &Path,
    evident: &Evident,
    Remade { report, .. }: &Remade,
) -> Result<(), JobError> {
    let in_place = NewReport {
        verdict: report.weighed.verdict.code(),
        is_resumable: is_resumable(report),
        manifest_sha256: evident.folder().manifest_sha256(),
        folder,
    };
    job.session.store.finish(run.id, evident.manifest.stamp.finished_at, in_place, judged(report))?;
    say(
        job.session.display,
        &format!("run {} was killed when its report was in its place: {}", run.id, folder.display()),
    );
    Ok(())
}
