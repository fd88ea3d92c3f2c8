//! Random nights: the real binary, killed and restarted, against a provider on a real socket that changes, fails and
//! forgets. An oracle in plain integers that shares no code with the program knows what every report must say, and what
//! an audit of the dataset must say that the nights append to.
//!
//! Everything in a sequence of nights comes from one seed, except the machine's clock. `make nights` runs 2,000 nights,
//! `make nights SEED=…` repeats one sequence.

mod assessment;
mod audit;
mod audited;
mod calendar;
mod dataset;
mod draws;
mod job;
mod knowledge;
mod ledger;
mod memory;
mod night;
mod regressions;
mod report;
mod rulings;
mod server;
mod sheet;
mod totals;
mod truth;
mod ways;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::scope;
use std::time::Instant;

use ledger::RefetchCounts;
use night::{Counts, Sequence};

const NIGHTS: &str = "TIEOUT_NIGHTS";
const SEED: &str = "TIEOUT_NIGHTS_SEED";
/// How many nights are run by default.
const USUAL: u64 = 200;
/// From this many nights on, everything in [`KINDS`] must have been drawn.
const FULL: u64 = 2_000;
/// How many sequences run at once; each mostly waits for its job.
const AT_ONCE: usize = 3;
/// The run stops after this many failures.
const ENOUGH: usize = 5;
/// Of the rows that were served well before a kill, at most one in this many may be asked for again.
const LITTLE: usize = 10;

/// Everything that must be drawn in a full run.
const KINDS: &str = "restated|restored|split broken|split mended|costs broken|costs mended|amount missing|amount arrived|\
    settled|not settled any more|vanished|returned|failed|malformed|foreign|list differs|torn|as-of equal|as-of absent|\
    other column killed|column named|incomplete run continued|other input between reports|other input between|\
    fixed name|dated file|dated folder|standard input|books final|books quote|books dropped|duplicate|rejected|\
    order comes|order leaves|check off|waivers|waiver of a missing order|waived discrepancies|vanished orders|complete|\
    list refused|list capped|clocks differ|limited|limited by a refusal|limited in words|page of a gateway|reuse|no reuse|single read|fresh|URL spelled differently|SIGKILL|SIGINT|SIGTERM|\
    interrupted after the last reply|never continued|truth changes between|taken back|input changed while it is read|\
    killed with a report in place|continued|new|persisting|resolved|reconciled|discrepant|waived|pending|not_found|\
    unfetched|created on another day|creation time missing|audits|audit between nights|all days audited|days audited|\
    audit proven|compacted|clock back|truth changes for another input|taken back after another input|\
    orders missing in audits|undated orders in audits|restated in audits|vanished in audits";

/// The results of all sequences.
#[derive(Default)]
struct Tally {
    counts: Counts,
    refetched: RefetchCounts,
    failures: Vec<String>,
}

#[test]
fn nights_are_true() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let (nights, seed) = (number(NIGHTS).unwrap_or(USUAL), number(SEED));
    let begin = Instant::now();
    let tally = run(nights, seed);
    let done = tally.counts.get("nights").copied().unwrap_or(0);
    let speed = done as f64 / begin.elapsed().as_secs_f64();
    println!("{done} nights, {speed:.1} a second\n{}", drawn(&tally.counts));
    assert!(tally.failures.is_empty(), "\n{}", tally.failures.join("\n\n"));
    let RefetchCounts { again, served } = tally.refetched;
    println!("asked for again after a kill: {again} of {served}");
    assert!(again * LITTLE <= served, "{again} of {served} rows that were served before a kill were asked for again");
    if seed.is_none() && nights >= FULL {
        let never: Vec<&str> = KINDS.split('|').filter(|kind| !tally.counts.contains_key(kind)).collect();
        assert!(never.is_empty(), "never drawn: {never:?}");
    }
}

/// Runs sequences until there are enough nights, or only the sequence of the given seed.
fn run(nights: u64, seed: Option<u64>) -> Tally {
    let (tally, next, done) = (Mutex::new(Tally::default()), AtomicU64::new(1), AtomicU64::new(0));
    scope(|threads| {
        for _ in 0..if seed.is_some() { 1 } else { AT_ONCE } {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let is_enough = match seed {
                        Some(_) => number > 1,
                        None => done.load(Ordering::Relaxed) >= nights,
                    };
                    if is_enough || tally.lock().expect("no panic").failures.len() >= ENOUGH {
                        return;
                    }
                    sequence(seed.unwrap_or(number), &tally, &done);
                }
            });
        }
    });
    tally.into_inner().expect("no panic")
}

/// Runs one sequence and adds its results to the tally.
fn sequence(seed: u64, tally: &Mutex<Tally>, done: &AtomicU64) {
    let mut sequence = Sequence::drawn(seed);
    let nights = sequence.nights();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        (0..nights).try_for_each(|_| {
            done.fetch_add(1, Ordering::Relaxed);
            sequence.night()
        })?;
        sequence.audit_all()
    }));
    let problem = match ran {
        Ok(Ok(())) => None,
        Ok(Err(problem)) => Some(problem),
        Err(panic) => Some(format!("panicked: {:?}", panic.downcast_ref::<String>())),
    };
    let mut tally = tally.lock().expect("no panic");
    for (what, count) in &sequence.counts {
        *tally.counts.entry(what).or_default() += count;
    }
    tally.refetched.again += sequence.refetched().again;
    tally.refetched.served += sequence.refetched().served;
    tally.failures.extend(
        problem.map(|problem| format!("make nights SEED={seed}\n{problem}\nwhat happened:\n{}", sequence.history())),
    );
}

fn drawn(counts: &Counts) -> String {
    let sorted: BTreeMap<_, _> = counts.iter().collect();
    let mut text = String::new();
    for (at, (what, count)) in sorted.into_iter().enumerate() {
        _ = write!(text, "{}{what} {count}", if at == 0 { "" } else { ", " });
    }
    text
}
