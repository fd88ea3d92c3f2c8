//! What the fetching came to: counted as it happens, for the progress and the manifest.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::traffic::WaitReason;

/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 3_600_000_000;
/// Latencies are kept to so many significant digits.
const DIGITS: u8 = 2;

/// Counts of one run.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) replies: u64,
    /// Requests that were answered: a limit and a failure are no answers.
    pub(super) answers: u64,
    pub(super) throttled: u64,
    pub(super) bytes: u64,
    retries: BTreeMap<String, u64>,
    waits: BTreeMap<WaitReason, Duration>,
    /// In microseconds. `None` only where its bounds were not to its liking.
    latencies: Option<Histogram<u64>>,
}

/// What the fetching of a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Requests that went out, retries and those answered 429 included.
    pub requests: u64,
    /// Replies of any HTTP status.
    pub replies: u64,
    /// Replies with status or code 429.
    pub throttled: u64,
    /// Bytes of bodies read.
    pub bytes: u64,
    /// Retries by the reason of the failure before them.
    pub retries: BTreeMap<String, u64>,
    /// For how long the next request in line was held up, by what.
    pub waits: BTreeMap<WaitReason, Duration>,
    /// From sending a request to the last byte of its reply: the median, the 90th and 99th percentile, and the longest.
    /// `None` where there was no reply.
    pub latencies: Option<[Duration; 4]>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latencies = Histogram::new_with_max(LONGEST, DIGITS).ok();
        let (retries, waits) = (BTreeMap::new(), BTreeMap::new());
        Self { requests: 0, replies: 0, answers: 0, throttled: 0, bytes: 0, retries, waits, latencies }
    }

    pub(super) fn reply(&mut self, latency: Duration, bytes: usize) {
        self.replies += 1;
        self.bytes += bytes as u64;
        if let Some(latencies) = &mut self.latencies {
            latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LONGEST));
        }
    }

    pub(super) fn retry(&mut self, reason: &str) {
        match self.retries.get_mut(reason) {
            Some(count) => *count += 1,
            None => _ = self.retries.insert(reason.to_owned(), 1),
        }
    }

    pub(super) fn wait(&mut self, why: WaitReason, time: Duration) {
        *self.waits.entry(why).or_default() += time;
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.values().sum()
    }

    pub(super) fn record(&self) -> Record {
        let latencies = self.latencies.as_ref().filter(|latencies| !latencies.is_empty());
        Record {
            requests: self.requests,
            replies: self.replies,
            throttled: self.throttled,
            bytes: self.bytes,
            retries: self.retries.clone(),
            waits: self.waits.clone(),
            latencies: latencies.map(|latencies| {
                [0.5, 0.9, 0.99, 1.0].map(|quantile| Duration::from_micros(latencies.value_at_quantile(quantile)))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_counted() {
        let mut tally = Tally::new();
        assert_eq!(tally.record(), Record::default());
        for millisecond in 1..=1_000 {
            tally.reply(Duration::from_millis(millisecond), 7);
        }
        ["http-502", "timeout", "http-502"].into_iter().for_each(|reason| tally.retry(reason));
        tally.wait(WaitReason::Rate, Duration::from_secs(1));
        tally.wait(WaitReason::Rate, Duration::from_secs(2));
        let record = tally.record();
        assert_eq!((record.replies, record.bytes, tally.retries()), (1_000, 7_000, 3));
        assert_eq!(record.retries["http-502"], 2);
        assert_eq!(record.waits[&WaitReason::Rate], Duration::from_secs(3));
        let [median, p90, p99, longest] = record.latencies.expect("replies").map(|latency| latency.as_millis());
        assert!((500..=505).contains(&median) && (900..=910).contains(&p90), "{median} {p90}");
        assert!((990..=1_000).contains(&p99) && (1_000..=1_010).contains(&longest), "{p99} {longest}");
    }
}
