//! Which files of a dataset count: those that runs and compactions name, without those that a compaction replaced.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{CompactionRecord, Dataset, DatasetError, DatasetFile, ORDERS, Reading, RunRecord};

/// The files that count, by path.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    counted: BTreeMap<String, DatasetFile>,
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
        // A compaction may replace the files of another, so each waits until the runs of what it replaced are known.
        let mut waiting: Vec<&CompactionRecord> = compactions.iter().collect();
        loop {
            let count = waiting.len();
            waiting.retain(|compaction| {
                let is_known = compaction.replaces.iter().all(|file| files.runs.contains_key(&file.path));
                if is_known {
                    files.add_merged(compaction);
                }
                !is_known
            });
            if waiting.len() == count {
                break;
            }
        }
        // What is left names files that no record explains.
        waiting.into_iter().for_each(|compaction| files.add_merged(compaction));
        for file in compactions.iter().flat_map(|compaction| &compaction.replaces) {
            files.counted.remove(&file.path);
        }
        files
    }

    fn add_merged(&mut self, compaction: &CompactionRecord) {
        let merged = compaction.replaces.iter().filter_map(|file| self.runs.get(&file.path));
        let merged: BTreeSet<String> = merged.flatten().cloned().collect();
        for file in &compaction.files {
            self.counted.insert(file.path.clone(), file.clone());
            self.runs.insert(file.path.clone(), merged.clone());
        }
    }

    /// The runs that a file may have rows of.
    pub(super) fn runs_of(&self, path: &str) -> Option<&BTreeSet<String>> {
        self.runs.get(path)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &DatasetFile> {
        self.counted.values()
    }

    pub(super) fn counts(&self, path: &str) -> bool {
        self.counted.contains_key(path)
    }

    /// Leaves only the files with rows of some runs.
    pub(super) fn retain_runs(&mut self, wanted: &BTreeSet<String>) {
        let Self { counted, runs } = self;
        counted.retain(|path, _| runs.get(path).is_some_and(|runs| !runs.is_disjoint(wanted)));
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
    /// Compares the files that some runs wrote, as far as they are read, with those that were `named` when they were read
    /// before: each must be named as it is, or be in a merged file that is, and no other may be named. Returns what differs.
    ///
    /// # Errors
    /// When the records can't be read.
    pub fn differences(&self, reading: &Reading<'_>, named: &[DatasetFile]) -> Result<Vec<String>, DatasetError> {
        let compactions = self.compactions()?;
        let merged_into: BTreeMap<&str, &DatasetFile> = compactions
            .iter()
            .flat_map(|compaction| compaction.replaces.iter().map(|file| (file.path.as_str(), &compaction.files)))
            .filter_map(|(path, files)| Some((path, files.first()?)))
            .collect();
        let by_path: BTreeMap<&str, &DatasetFile> = named.iter().map(|file| (file.path.as_str(), file)).collect();
        let appended = || reading.runs().iter().flat_map(|run| &run.files);
        let merged = compactions.iter().flat_map(|compaction| &compaction.files);
        let known: BTreeSet<&str> = appended().chain(merged).map(|file| file.path.as_str()).collect();
        let unknown = by_path.keys().filter(|path| !known.contains(*path));
        let mut differences: BTreeSet<String> = unknown.map(|path| format!("{path} is not of the dataset")).collect();
        if by_path.len() != named.len() {
            differences.insert("a file is named twice".to_owned());
        }
        'files: for mut file in appended().filter(|file| reading.reads(file)) {
            // Records that name each other in a circle lead nowhere.
            for _ in 0..=merged_into.len() {
                match (by_path.get(file.path.as_str()), merged_into.get(file.path.as_str())) {
                    (Some(was), _) if *was == file => continue 'files,
                    (None, Some(merged)) => file = merged,
                    _ => break,
                }
            }
            differences.insert(format!("{} of the dataset was not read as it is", file.path));
        }
        Ok(differences.into_iter().collect())
    }

    /// Every run, and the files that count.
    pub(super) fn counted(&self) -> Result<(Vec<RunRecord>, Files), DatasetError> {
        // Compactions first: one that is made in between merges runs that are read after it.
        let compactions = self.compactions()?;
        let runs = self.runs()?;
        let files = Files::of(&runs, &compactions);
        Ok((runs, files))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_runs_of_a_merged_file_are_known_whatever_the_order_of_the_records() {
        let file = |path: &str| {
            let path = format!("orders/day=2026-10-01/{path}.parquet");
            DatasetFile { path, rows: 1, bytes: 1, sha256: String::new() }
        };
        let runs = ["a", "b", "c"].map(|name| {
            let epoch = Timestamp::UNIX_EPOCH;
            let mut record = RunRecord::begin(name.to_owned(), epoch, epoch, String::new());
            record.files.push(file(name));
            record
        });
        let merge = |name: &str, from: [&str; 2]| {
            CompactionRecord::new(name.to_owned(), from.map(file).into(), vec![file(name)])
        };
        let (first, second) = (merge("ab", ["a", "b"]), merge("abc", ["ab", "c"]));
        for compactions in [[first.clone(), second.clone()], [second, first]] {
            let files = Files::of(&runs, &compactions);
            assert_eq!(files.all().collect::<Vec<_>>(), [&file("abc")]);
            for run in ["a", "b", "c"] {
                assert_eq!(files.of_run(run).count(), 1, "{run}");
            }
        }
    }
}
