//! An audit as SQL, for a dataset that is read by more than one machine: what an engine is asked, and what it answers.
//!
//! The engine finds the newest sighting of each order and sums those that are sound. All others come back as they are, and
//! are judged here, so that the report is the same to the byte. The statements are portable: places stand for times, no
//! aggregate is calculated with, and a missing value never makes an order sound.

mod answers;
mod columns;
#[cfg(feature = "spark")]
mod connect;
mod results;
mod script;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use polars::prelude::DataFrame;
use sha2::{Digest, Sha256};

use super::{DatasetError, Reading, RunRecord, orders};
use crate::checks::Soundness;
use crate::domain::days::Days;
use crate::domain::month::Month;

pub use self::answers::{Answer, Answers};
#[cfg(feature = "spark")]
pub use self::connect::{Session, Spark};
pub use self::results::Results;
pub use self::statements::Statement;

/// Who answers.
#[derive(Debug)]
pub enum Engine {
    /// The answers are there: a script wrote them.
    Results(Results),
    /// A Spark answers as it is asked.
    #[cfg(feature = "spark")]
    Spark(Box<Session>),
}

impl Engine {
    /// Visits the rows of an answer.
    fn each<E: From<SqlError>>(
        &self,
        statement: Statement,
        visit: impl FnMut(&DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Results(results) => results.each(statement, visit),
            #[cfg(feature = "spark")]
            Self::Spark(session) => session.each(statement, visit),
        }
    }
}

/// SHA-256 of what answers say of themselves, in hex. Each row of theirs carries it.
fn job_sha256(job: &str) -> String {
    hex::encode(Sha256::digest(job))
}

/// An audit as SQL.
pub struct SqlAudit<'r> {
    reading: &'r Reading<'r>,
    soundness: &'r Soundness,
    /// How the report counts days.
    days: Days,
    /// The closed months that are compared, by month.
    closed: Vec<Month>,
    /// The first of those months that each run was there for.
    known_since: BTreeMap<String, usize>,
}

/// Why an engine's answers can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The dataset is not ready to be read by others.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The script can't be written, or results can't be read.
    #[error("can't {doing} {}: {source}", path.display())]
    Io {
        /// The action that failed, such as `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The folder for the script is in use.
    #[error("{} is not empty; name a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file of results is not what the script writes.
    #[error("{} is not a result of the script: {problem}; run the script again", path.display())]
    NotAResult {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The engine does not calculate as it must.
    #[error("the engine can't be trusted: {0}")]
    Untrusted(String),
    /// The engine did not read what the runs wrote, or its answers contradict themselves.
    #[error("the engine's answers are not those of the dataset: {0}")]
    Contradiction(String),
    /// The address of a Spark can't be used.
    #[error("--spark-remote: {problem}")]
    Remote {
        /// What is wrong with it.
        problem: String,
    },
    /// A Spark can't be reached, or can't answer.
    #[error("the Spark at {remote}: {problem}")]
    Spark {
        /// Its address.
        remote: String,
        /// What it says.
        problem: String,
    },
    /// A Spark takes too long.
    #[error("the Spark at {remote} has not answered within {deadline:?} (--deadline)")]
    Deadline {
        /// Its address.
        remote: String,
        /// How long it might take.
        deadline: Duration,
    },
    /// An address can't be written in SQL that every engine reads alike.
    #[error(
        "--{option} {address:?}: give an absolute address without quotes, backslashes, wildcards, `$`, `;` and `@`"
    )]
    Address {
        /// The option that gives it.
        option: &'static str,
        /// The address.
        address: String,
    },
}

impl<'r> SqlAudit<'r> {
    /// The audit of what is read, with the runs that each closed month was closed with.
    ///
    /// # Errors
    /// When another engine would read rows that do not count, or a month was closed with runs that a later one does not know.
    pub fn new<'c>(
        reading: &'r Reading<'r>,
        soundness: &'r Soundness,
        days: Days,
        closed: impl IntoIterator<Item = (Month, &'c BTreeSet<String>)>,
    ) -> Result<Self, SqlError> {
        let (mut months, mut known_since) = (Vec::new(), BTreeMap::<String, usize>::new());
        for (month, runs) in closed {
            if let Some(run) = known_since.keys().find(|run| !runs.contains(*run)) {
                let problem = format!("{month} was closed without the run {run}, which an earlier month has");
                return Err(DatasetError::damaged(reading.dataset.folder(), problem).into());
            }
            runs.iter().for_each(|run| _ = known_since.entry(run.clone()).or_insert(months.len()));
            months.push(month);
        }
        require_tidy(reading)?;
        Ok(Self { reading, soundness, days, closed: months, known_since })
    }
}

/// Fails if another engine would read rows that do not count, or some twice: it reads every file that is there. Those that
/// a killed run left do no harm, since their rows carry its name.
fn require_tidy(reading: &Reading<'_>) -> Result<(), DatasetError> {
    let dataset = reading.dataset;
    let records = dataset.compactions()?;
    let mut replaced = BTreeSet::new();
    for file in records.iter().flat_map(|record| &record.replaces) {
        if !replaced.insert(file.path.as_str()) {
            return Err(DatasetError::MergedTwice { path: dataset.storage.place(&file.path) });
        }
    }
    for path in dataset.parquet_files()? {
        let (text, place) = (path.to_string_lossy(), || dataset.storage.place(&path.to_string_lossy()));
        if reading.files.counts(&text) {
            continue;
        }
        if replaced.contains(&*text) || orders::is_merged(&path) {
            return Err(DatasetError::Compacted { path: place() });
        }
        if !is_of_killed_run(&path, reading.runs()) {
            return Err(DatasetError::Stray { path: place() });
        }
    }
    Ok(())
}

/// Whether a file is called like those of a run that has no record.
fn is_of_killed_run(path: &Path, runs: &[RunRecord]) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let mut parts = name.splitn(3, '-');
    let is_of = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() >= length && part.as_bytes()[..length].iter().all(u8::is_ascii_alphanumeric))
    };
    let is_run = is_of(parts.next(), 16) && is_of(parts.next(), 8) && is_of(parts.next(), 16);
    is_run
        && path.extension().is_some_and(|kind| kind == "parquet")
        && !runs.iter().any(|run| name.starts_with(&run.run))
}
