//! What a dataset holds, and whether every file is as it was written.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::civil::Date;

use super::{Dataset, DatasetError, DatasetFile, EXCEPTIONS, ORDERS, RunRecord, exceptions, files, orders};

/// How closely the files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Whether they are there, and their sizes.
    Sizes,
    /// Their hashes as well.
    Hashes,
}

/// What a dataset holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Every run, by the time it started.
    pub runs: Vec<RunRecord>,
    /// How many orders the runs observed; the same order in two runs counts twice.
    pub observations: u64,
    /// How many rows have no fetched order.
    pub exceptions: u64,
    /// How many files there are.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The days that orders were created on; 1970-01-01 for those without that time.
    pub days: BTreeSet<Date>,
    /// What is wrong: a file that is missing or not as it was written.
    pub damage: Vec<String>,
    /// Files that no run names, such as those of a writer that was killed. They do not count.
    pub uncounted: Vec<PathBuf>,
}

impl Dataset {
    /// Looks at every file.
    ///
    /// # Errors
    /// When a folder or a record of a run can't be read.
    pub fn contents(&self, proof: Proof) -> Result<Contents, DatasetError> {
        let (runs, files) = self.counted()?;
        let (mut contents, mut damage) = (Contents::default(), Vec::new());
        for run in &runs {
            contents.observations = contents.observations.saturating_add(run.orders);
            contents.exceptions = contents.exceptions.saturating_add(run.exceptions);
        }
        for file in files.all() {
            contents.files += 1;
            contents.bytes = contents.bytes.saturating_add(file.bytes);
            contents.days.extend(files::day(&file.path));
            if let Some(problem) = self.problem(file, proof)? {
                damage.push((&file.path, problem));
            }
        }
        // What a compaction removed in the meantime is not damage.
        let now = if damage.is_empty() { None } else { Some(self.counted()?.1) };
        damage.retain(|(path, _)| now.as_ref().is_none_or(|now| now.counts(path)));
        contents.damage = damage.into_iter().map(|(path, problem)| format!("{path}: {problem}")).collect();
        let is_counted = |path: &PathBuf| path.to_str().is_some_and(|path| files.counts(path));
        contents.uncounted = self.parquet_files()?.into_iter().filter(|path| !is_counted(path)).collect();
        contents.uncounted.sort();
        contents.runs = runs;
        Ok(contents)
    }

    /// What is wrong with a file; `None` if it is as it was written.
    fn problem(&self, file: &DatasetFile, proof: Proof) -> Result<Option<String>, DatasetError> {
        let found = match proof {
            Proof::Hashes => self.prove(file).map(drop),
            Proof::Sizes => self.require_size(file),
        };
        match found {
            Ok(()) => Ok(None),
            Err(DatasetError::Damaged { problem, .. }) => Ok(Some(problem)),
            Err(error) => Err(error),
        }
    }

    /// Every file below `orders/` and `exceptions/`, from the dataset's folder. What begins with `_` or `.` is not looked at,
    /// by no engine: a lakehouse keeps its own there.
    pub(super) fn parquet_files(&self) -> Result<Vec<PathBuf>, DatasetError> {
        let files = [self.storage.files(ORDERS)?, self.storage.files(EXCEPTIONS)?].concat();
        let is_other = |path: &String| {
            [orders::EMPTY, exceptions::EMPTY].contains(&path.as_str())
                || path.split('/').any(|part| part.starts_with(['_', '.']))
        };
        Ok(files.into_iter().filter(|path| !is_other(path)).map(PathBuf::from).collect())
    }
}
