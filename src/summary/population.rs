//! The population: the count of input rows in each bucket. Each row is in exactly one.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::outcome::Bucket;

/// How many rows landed in each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    counts: [u64; Bucket::ALL.len()],
}

impl Population {
    /// Counts one row in a bucket.
    pub(super) fn count(&mut self, bucket: Bucket) {
        self.count_all(bucket, 1);
    }

    /// Counts some rows in a bucket.
    pub(super) fn count_all(&mut self, bucket: Bucket, rows: u64) {
        self.counts[bucket as usize] += rows;
    }

    /// How many rows landed in a bucket.
    #[must_use]
    pub fn of(&self, bucket: Bucket) -> u64 {
        self.counts[bucket as usize]
    }

    /// How many rows landed in any of these buckets.
    #[must_use]
    pub fn of_any(&self, buckets: &[Bucket]) -> u64 {
        buckets.iter().map(|bucket| self.of(*bucket)).sum()
    }

    /// How many rows landed in any bucket: the rows of the input.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many distinct orders the rows name.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.rows() - self.of_any(&[Bucket::Duplicate, Bucket::Rejected])
    }

    /// Every bucket with its count, in the order of the reports.
    pub fn buckets(&self) -> impl Iterator<Item = (Bucket, u64)> + '_ {
        Bucket::ALL.into_iter().map(|bucket| (bucket, self.of(bucket)))
    }
}

impl Serialize for Population {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + Bucket::ALL.len()))?;
        map.serialize_entry("rows", &self.rows())?;
        for (bucket, count) in self.buckets() {
            map.serialize_entry(bucket.code(), &count)?;
        }
        map.end()
    }
}
