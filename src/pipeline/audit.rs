//! A report made again from the evidence of another one: offline, and by other settings if need be.

use std::path::Path;

use jiff::Timestamp;

use super::JobError;
use crate::checks::Judging;
use crate::language::Language;
use crate::report::ReportError;
use crate::report::builder::{Builder, FACTS_FILE, Options, Report};
use crate::report::chain;
use crate::report::completeness::{COMPLETENESS_FILE, Completeness};
use crate::report::csv::Encoding;
use crate::report::evidence::EVIDENCE_FILE;
use crate::report::folder::{ProvenFile, ReportFolder};
use crate::report::formats::Formats;
use crate::report::manifest::{EarlierStamp, FileStamp, MANIFEST_FILE, Manifest, Stamp, designs};
use crate::report::publish::{Destination, Published};
use crate::report::replay::Replay;
use crate::summary::Weighed;

/// What is to be another one than in the report. `None` leaves it as it was.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The settings that affect judgement.
    pub judging: Option<Judging>,
    /// What ages are counted to.
    pub as_of: Option<Timestamp>,
    /// The label of the account.
    pub account: Option<String>,
    /// How CSV files are written.
    pub csv_encoding: Option<Encoding>,
    /// Which formats it is written in.
    pub formats: Option<Formats>,
    /// In which language people read it.
    pub language: Option<Language>,
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
    pub fn remake(
        &self,
        into: &Path,
        changes: &Changes,
        evidence: Option<Vec<FileStamp>>,
        exit_code: impl Fn(&Weighed) -> u8,
    ) -> Result<Remade, JobError> {
        let stamp = &self.manifest.stamp;
        let (formats, language) = self.presentation(changes);
        let judging = match &changes.judging {
            Some(judging) => judging.clone(),
            None => stamp.settings.judging().map_err(|problem| ReportError::Evidence {
                path: self.folder.path(MANIFEST_FILE),
                problem: problem.to_string(),
            })?,
        };
        let mut builder = Builder::begin(Options {
            folder: into.to_owned(),
            judging: judging.clone(),
            as_of: changes.as_of.unwrap_or(stamp.as_of),
            account: changes.account.clone().or_else(|| stamp.account.clone()),
            csv_encoding: changes.csv_encoding.unwrap_or(stamp.csv_encoding),
            allow_empty: stamp.allow_empty,
            rows_read: stamp.input.rows,
            shortfall: stamp.input.shortfall,
            formats,
            language,
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
        let report = builder.finish(exit_code)?;
        Ok(Remade { report, judging, otherwise })
    }

    /// In which formats and which language it is written: as it was, but for the changes.
    fn presentation(&self, changes: &Changes) -> (Formats, Language) {
        let stamp = &self.manifest.stamp;
        let formats = changes.formats.clone().unwrap_or_else(|| Formats::of_words(&stamp.formats));
        (formats, changes.language.or(stamp.language).unwrap_or_default())
    }
}

/// A report that was made again.
pub struct Remade {
    /// The report.
    pub report: Report,
    /// The settings it was judged by.
    pub judging: Judging,
    /// The first input line that is judged otherwise than the facts say.
    pub otherwise: Option<u64>,
}

/// Makes a report from the evidence of another one, with changes, at a destination; returns it and where it is.
///
/// # Errors
/// [`JobError`] says why there is no report.
pub fn audit(
    evident: &Evident,
    changes: &Changes,
    destination: &Destination,
    fail_on: Vec<String>,
    exit_code: impl Fn(&Weighed) -> u8,
) -> Result<(Report, Published), JobError> {
    let started_at = Timestamp::now();
    let was = &evident.manifest.stamp;
    let as_of = changes.as_of.unwrap_or(was.as_of);
    let staging = destination.staging(as_of)?;
    let Remade { report, judging, .. } = evident.remake(staging.path(), changes, None, exit_code)?;
    let (formats, language) = evident.presentation(changes);
    let summary = &report.summary;
    let stamp = Stamp {
        as_of,
        started_at,
        finished_at: Timestamp::now(),
        account: changes.account.clone().or_else(|| was.account.clone()),
        csv_encoding: changes.csv_encoding.unwrap_or(was.csv_encoding),
        settings: (&judging).into(),
        fail_on,
        formats: formats.words(),
        language: Some(language),
        designs: designs(&formats),
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
