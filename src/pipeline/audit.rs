//! A report made again from the evidence of another one: offline, and by other settings if need be.

use std::path::Path;

use jiff::Timestamp;

use super::JobError;
use crate::checks::Rules;
use crate::report::builder::{Brief, Builder, Report};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::replay::Replay;
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, ProvenFile};
use crate::report::folder::ReportFolder;
use crate::report::folder::chain;
use crate::report::folder::manifest::{EarlierStamp, Manifest, Stamp, designs};
use crate::report::folder::publish::{Destination, Published};
use crate::report::formats::options::ReportOptions;

/// What is to be another one than in the report. `None` leaves it as it was.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The settings that affect judgement.
    pub rules: Option<Rules>,
    /// What ages are counted to.
    pub as_of: Option<Timestamp>,
    /// What the report is to be.
    pub options: Option<ReportOptions>,
}

/// A report whose evidence was proved to be what its manifest says.
pub struct Evident {
    folder: ReportFolder,
    facts: ProvenFile,
    beside: ProvenFile,
    completeness: Option<ProvenFile>,
    /// Its manifest.
    pub manifest: Manifest,
}

impl Evident {
    /// Opens the report in that folder.
    ///
    /// # Errors
    /// [`JobError::NoReport`] where there is none; where its evidence is not what the manifest says, that.
    pub fn open(folder: &Path) -> Result<Self, JobError> {
        Self::of(ReportFolder::open(folder)?)
    }

    /// The same, of a folder that is open.
    ///
    /// # Errors
    /// Where its evidence is not what the manifest says.
    pub(super) fn of(folder: ReportFolder) -> Result<Self, JobError> {
        let manifest = folder.manifest()?;
        let (facts, beside) = (folder.prove(FACTS_FILE)?, folder.prove(EVIDENCE_FILE)?);
        let completeness = folder.stamp(COMPLETENESS_FILE).map(|_| folder.prove(COMPLETENESS_FILE)).transpose()?;
        Ok(Self { folder, facts, beside, completeness, manifest })
    }

    pub(super) const fn folder(&self) -> &ReportFolder {
        &self.folder
    }

    /// The files that all figures come from, as the manifest says them.
    pub fn evidence(&self) -> Vec<FileStamp> {
        let names = [FACTS_FILE, EVIDENCE_FILE, COMPLETENESS_FILE];
        names.into_iter().filter_map(|name| self.folder.stamp(name).cloned()).collect()
    }

    /// Judges the evidence and writes every file of a report but the manifest into a folder. Pages say that `evidence`, where
    /// it is given, is what their figures come from.
    ///
    /// # Errors
    /// When the evidence can't be read, the folder not be written, or the report would contradict itself.
    pub fn remake(&self, into: &Path, changes: &Changes, evidence: Option<Vec<FileStamp>>) -> Result<Remade, JobError> {
        let stamp = &self.manifest.stamp;
        let rules = changes.rules.as_ref().unwrap_or(&stamp.settings).clone();
        let mut builder = Builder::begin(Brief {
            folder: into.to_owned(),
            rules: rules.clone(),
            as_of: changes.as_of.unwrap_or(stamp.as_of),
            options: self.options(changes),
            rows_read: stamp.input.rows,
            shortfall: stamp.input.shortfall,
            layout: stamp.input.layout.clone(),
            evidence,
        })?;
        let mut otherwise = None;
        let mut replay = Replay::open(&self.facts, &self.beside)?;
        for replayed in replay.by_ref() {
            let replayed = replayed?;
            let line = replayed.outcome.line;
            let judged = builder.add(replayed.outcome, replayed.background)?;
            if let Some((settled, bucket)) = replayed.judged
                && (settled, bucket.as_str()) != (judged.settled, judged.bucket.code())
            {
                otherwise.get_or_insert(line);
            }
        }
        builder.findings_elsewhere(replay.findings_elsewhere());
        if let Some(completeness) = &self.completeness {
            builder.complete(Completeness::read(completeness)?)?;
        }
        let report = builder.finish()?;
        Ok(Remade { report, rules, otherwise })
    }

    /// What it is to be: as it was, but for the changes.
    fn options(&self, changes: &Changes) -> ReportOptions {
        changes.options.clone().unwrap_or_else(|| self.manifest.stamp.options.clone())
    }
}

/// A report that was made again.
pub struct Remade {
    /// The report.
    pub report: Report,
    /// The settings it was judged by.
    pub rules: Rules,
    /// The first input line that is judged otherwise than the facts say.
    pub otherwise: Option<u64>,
}

/// Makes a report from the evidence of another one, with changes, at a destination; returns it and where it is.
///
/// # Errors
/// [`JobError`] says why there is no report.
pub fn audit(evident: &Evident, changes: &Changes, destination: &Destination) -> Result<(Report, Published), JobError> {
    let started_at = Timestamp::now();
    let was = &evident.manifest.stamp;
    let as_of = changes.as_of.unwrap_or(was.as_of);
    let staging = destination.staging(as_of)?;
    let Remade { report, rules, .. } = evident.remake(staging.path(), changes, None)?;
    let options = evident.options(changes);
    let summary = &report.summary;
    let stamp = Stamp {
        as_of,
        started_at,
        finished_at: Timestamp::now(),
        settings: rules,
        designs: designs(&options.formats),
        options,
        previous: chain::previous(destination, &[]),
        made_from: Some(evident.folder.manifest_sha256().to_owned()),
        earlier: EarlierStamp { lifecycle: summary.lifecycle, reused: summary.reused, replaces: Vec::new() },
        clock: None,
        fetch: None,
        verdict: report.weighed.verdict.code().to_owned(),
        exit_code: summary.exit_code,
        ..was.clone()
    };
    stamp.write(staging.path())?;
    let published = staging.publish(&[])?;
    Ok((report, published))
}
