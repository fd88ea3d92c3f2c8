//! Which files of a dataset count: those that runs and compactions name, without those that a compaction replaced.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{CompactionRecord, Dataset, DatasetError, DatasetFile, ORDERS, RunRecord};

/// The files that count, by path.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    counted: BTreeMap<String, DatasetFile>,
    /// The files that no longer count, as they were written.
    pub(super) replaced: BTreeMap<String, DatasetFile>,
    /// The runs of each file. A merged file has those of the files that it replaced.
    runs: BTreeMap<String, BTreeSet<String>>,
}

impl Files {
    pub(super) fn of(runs: &[RunRecord], compactions: &[CompactionRecord]) -> Self {
        let mut files = Self::default();
        for run in runs {
            for file in &run.files {
                files.counted.insert(file.path.clone(), file.clone());
                files.runs.entry(file.path.clone()).or_default().insert(run.run.clone());
            }
        }
        // By their names, which begin with the time: the files of one may be replaced by a later one.
        for compaction in compactions {
            let merged = compaction.replaces.iter().filter_map(|file| files.runs.get(&file.path));
            let merged: BTreeSet<String> = merged.flatten().cloned().collect();
            for file in &compaction.files {
                files.counted.insert(file.path.clone(), file.clone());
                files.runs.insert(file.path.clone(), merged.clone());
            }
        }
        for file in compactions.iter().flat_map(|compaction| &compaction.replaces) {
            files.counted.remove(&file.path);
            files.replaced.insert(file.path.clone(), file.clone());
        }
        files
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &DatasetFile> {
        self.counted.values()
    }

    pub(super) fn counts(&self, path: &str) -> bool {
        self.counted.contains_key(path)
    }

    /// The files of orders with rows of a run.
    pub(super) fn of_run(&self, run: &str) -> impl Iterator<Item = &DatasetFile> {
        let has_run = move |path: &str| self.runs.get(path).is_some_and(|runs| runs.contains(run));
        self.all().filter(move |file| file.path.starts_with(ORDERS) && has_run(&file.path))
    }

    /// The files of orders by day.
    pub(super) fn by_day(&self) -> BTreeMap<Date, Vec<&DatasetFile>> {
        let mut days = BTreeMap::<Date, Vec<_>>::new();
        for file in self.all() {
            if let Some(day) = day(&file.path) {
                days.entry(day).or_default().push(file);
            }
        }
        days
    }
}

/// The day in the path of a file of orders.
pub(super) fn day(path: &str) -> Option<Date> {
    path.strip_prefix(ORDERS)?.strip_prefix("/day=")?.split('/').next()?.parse().ok()
}

impl Dataset {
    /// Every run, and the files that count.
    pub(super) fn counted(&self) -> Result<(Vec<RunRecord>, Files), DatasetError> {
        // Compactions first: one that is made in between merges runs that are read after it.
        let compactions = self.compactions()?;
        let runs = self.runs()?;
        let files = Files::of(&runs, &compactions);
        Ok((runs, files))
    }
}
