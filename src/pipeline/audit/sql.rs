//! Audits a dataset with an SQL engine: asks it, and makes the report of its answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::closes::ClosedMonth;
use super::dataset::{DatasetAudit, stamp};
use super::reader::Reader;
use crate::checks::{Rules, Soundness};
use crate::domain::days::Zone;
use crate::domain::program::VERSION;
use crate::history::sql::{Engine, Results, SqlAudit, SqlError};
#[cfg(feature = "spark")]
use crate::history::sql::{Session, Spark};
use crate::history::{Dataset, DatasetError, Selection};
use crate::pipeline::JobError;
use crate::report::evidence::sources::SourceClose;
use crate::report::folder::manifest::DatasetStamp;
use crate::report::formats::options::ReportOptions;

/// The name of the script in its folder, and of the folder beside it that answers are written to.
pub const SCRIPT_FILE: &str = "audit.sql";
/// The folder beside the script that answers are written to.
pub const RESULTS_FOLDER: &str = "results";

/// An audit that an engine was asked for, as its answers say.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedAudit {
    kind: String,
    /// The version of tieout that asked.
    tieout_version: String,
    as_of: Timestamp,
    dataset: DatasetStamp,
    /// The settings that affect judgement.
    pub settings: Rules,
    runs: BTreeSet<String>,
    closes: Vec<SourceClose>,
}

const KIND: &str = "tieout-audit";

impl AskedAudit {
    /// The audit that answers say they are of.
    ///
    /// # Errors
    /// [`SqlError::Contradiction`] if they don't say it, or another version of tieout asked.
    pub fn of(results: &Results) -> Result<Self, SqlError> {
        Self::read(results.job())
    }

    fn read(asked: &str) -> Result<Self, SqlError> {
        let wrong = |problem: String| SqlError::Contradiction(format!("session: {problem}"));
        let asked: Self =
            serde_json::from_str(asked).map_err(|error| wrong(format!("what was asked can't be read ({error})")))?;
        let own = VERSION;
        if (asked.kind.as_str(), asked.tieout_version.as_str()) != (KIND, own) {
            let problem = format!("they are of tieout {}, this is {own}: use that one", asked.tieout_version);
            return Err(wrong(problem));
        }
        Ok(asked)
    }

    /// The audit with these answers.
    ///
    /// # Errors
    /// When the dataset is of other orders.
    pub fn with(
        self,
        results: Results,
        dataset: Dataset,
        options: ReportOptions,
    ) -> Result<DatasetAudit, DatasetError> {
        dataset.require(&self.dataset.identity)?;
        let zone = |zone: &Zone| zone.name().to_owned();
        let (ours, theirs) = (zone(&self.settings.timezone), zone(&dataset.identity().timezone));
        if ours != theirs {
            return Err(DatasetError::Other { path: dataset.folder().to_owned(), what: "time zone", theirs, ours });
        }
        let DatasetStamp { since, until, workflow, .. } = self.dataset;
        Ok(DatasetAudit {
            dataset,
            selection: Selection { since, until, workflow },
            rules: self.settings,
            as_of: Some(self.as_of),
            options,
            close: None,
            reader: Reader::Engine { engine: Engine::Results(results), runs: self.runs, closes: self.closes },
        })
    }
}

impl DatasetAudit {
    /// Writes the script that asks for this audit into a folder that is empty or not there. `dataset` and `results` are the
    /// addresses at which the engine finds the dataset and writes its answers.
    ///
    /// # Errors
    /// When the dataset is not ready, an address can't be used, or the script can't be written.
    pub fn write_script(&self, folder: &Path, dataset: &str, results: &str) -> Result<(), JobError> {
        let script = self.ask(|sql, asked| sql.script(dataset, results, asked))?;
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| JobError::from(SqlError::Io { doing, path, source })
        };
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        if fs::read_dir(folder).map_err(failed("read", folder))?.next().is_some() {
            return Err(SqlError::NotEmpty { path: folder.to_owned() }.into());
        }
        let path = folder.join(SCRIPT_FILE);
        fs::write(&path, script).map_err(failed("write", &path))
    }

    /// Begins to ask a Spark, which finds the dataset at an address.
    ///
    /// # Errors
    /// When the dataset is not ready, or the Spark can't be asked.
    #[cfg(feature = "spark")]
    pub fn asking(self, spark: &Spark, dataset: &str) -> Result<Self, JobError> {
        let (session, asked) = self.ask(|sql, asked| Ok((Session::begin(spark, sql, dataset)?, asked.to_owned())))?;
        let AskedAudit { as_of, runs, closes, .. } = AskedAudit::read(&asked)?;
        let reader = Reader::Engine { engine: Engine::Spark(Box::new(session)), runs, closes };
        Ok(Self { as_of: Some(as_of), reader, ..self })
    }

    /// Calls `ask` with this audit as SQL, and with what the answers are to say of themselves.
    fn ask<T>(&self, ask: impl FnOnce(&SqlAudit<'_>, &str) -> Result<T, SqlError>) -> Result<T, JobError> {
        let (reading, closes) = (self.dataset.read(self.selection.clone(), None)?, self.closes()?);
        closes.require_runs(&self.dataset, &reading)?;
        let (rules, as_of) = (self.rules_of_dataset(), self.as_of(&reading)?);
        let (days, soundness) = (rules.days(), Soundness::of(&rules));
        let closed = closes.compared.iter().map(|ClosedMonth { month, runs, .. }| (*month, runs));
        let sql = SqlAudit::new(&reading, &soundness, days, closed)?;
        let asked = AskedAudit {
            kind: KIND.to_owned(),
            tieout_version: VERSION.to_owned(),
            as_of,
            dataset: stamp(&self.dataset, &self.selection, None),
            settings: self.rules.clone(),
            runs: reading.runs().iter().map(|run| run.run.clone()).collect(),
            closes: closes.named.clone(),
        };
        let asked = serde_json::to_string(&asked)
            .map_err(|error| SqlError::Contradiction(format!("the audit can't be written ({error})")))?;
        Ok(ask(&sql, &asked)?)
    }
}
