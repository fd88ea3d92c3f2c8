//! Counts requests, retries, waits and latencies, for the progress display and the manifest.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::traffic::WaitReason;

/// The largest latency recorded, in microseconds: an hour. Longer ones count as this.
const LONGEST: u64 = 3_600_000_000;
/// Significant digits of a latency.
const DIGITS: u8 = 2;

/// The running counts of one client.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) replies: u64,
    /// Requests that got an answer; limits and failures don't count.
    pub(super) answers: u64,
    pub(super) throttled: u64,
    pub(super) bytes: u64,
    retries: BTreeMap<String, u64>,
    waits: BTreeMap<WaitReason, Duration>,
    /// In microseconds. `None` only if the histogram could not be created.
    latencies: Option<Histogram<u64>>,
}

/// Totals of all requests of one client, for the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Requests sent, including retries and those answered 429.
    pub requests: u64,
    /// Replies of any HTTP status.
    pub replies: u64,
    /// Rate-limit replies: status or code 429, or the equivalent.
    pub throttled: u64,
    /// Bytes of all reply bodies read.
    pub bytes: u64,
    /// Retries by the reason code of the failed attempt.
    pub retries: BTreeMap<String, u64>,
    /// Total time that the first request in line was held up, by reason.
    pub waits: BTreeMap<WaitReason, Duration>,
    /// Time from sending a request to the last byte of its reply: the median, the 90th and 99th percentile, and the
    /// longest. `None` if there was no reply.
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
    fn counts_retries_waits_and_latencies() {
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
