//! The disk fills at random moments.

use std::collections::{BTreeMap, BTreeSet};

use super::small::SmallDisk;
use super::{DISCREPANT, Job, JobResult, ORDERS, assert_no_report, assert_nothing_half, sandbox, undisturbed};
use crate::support::{Files, Place, Server, assert_same_files};

/// How many disks are tested.
const ROUNDS: usize = 16;
/// The most times that each is filled.
const STARTS: usize = 5;
/// The most room for each start, in KiB: first too little for more than a few orders, then too little for a report, and
/// at last enough to finish.
const MOST: [u64; STARTS] = [60, 200, 800, 800, 800];

/// A generator of sizes (Knuth's LCG), the same in every run of the test.
struct Sizes(u64);

impl Sizes {
    /// The next size in KiB: at least 1 and less than `most`.
    fn next(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (self.0 >> 33) % (most - 1)
    }
}

/// What a job was doing when the disk was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// It had not sent a request yet.
    Opening,
    Fetching,
    /// Everything had been fetched.
    Reporting,
    /// It finished: everything fitted on the disk.
    Done,
}

/// Fills disks at random moments of a first night, or of a second one after a report, a few times each; returns how
/// often each moment was hit.
fn fill(disk: impl Fn() -> SmallDisk, seed: u64) -> BTreeMap<Moment, usize> {
    let (server, reference) = (sandbox(""), undisturbed());
    let (mut sizes, mut moments) = (Sizes(seed), BTreeMap::new());
    for round in 0..ROUNDS {
        let night = round % 2;
        let disk = disk();
        for moment in fill_again_and_again(&server, &disk, night, &mut sizes, &reference[night]) {
            *moments.entry(moment).or_default() += 1;
        }
    }
    moments
}

/// Starts the job with a little room each time, until it finishes or [`STARTS`] is reached.
fn fill_again_and_again(
    server: &Server,
    disk: &SmallDisk,
    night: usize,
    sizes: &mut Sizes,
    reference: &Files,
) -> Vec<Moment> {
    let job = Job::new(server, disk.path("state.sqlite"), disk.path("report"));
    for earlier in 0..night {
        assert_eq!(job.run(earlier).code, DISCREPANT);
    }
    let run = i64::try_from(night + 1).expect("few");
    let (mut earlier, mut kept, mut moments) = (job.report(), BTreeSet::new(), Vec::new());
    for (start, most) in MOST.into_iter().enumerate() {
        let kib = sizes.next(most);
        let when = format!("night {night}, start {start} with {kib} KiB");
        disk.leave(kib);
        let before = server.journal.arrivals().len();
        let ended = job.end(&disk.bound(job.command(night)).output().expect("starts"));
        let asked = job.asked_since(before);
        assert!(asked.is_disjoint(&kept), "{when}: committed and asked for again: {:?}", asked.intersection(&kept));
        if ended.code == DISCREPANT {
            assert_same_files(&job.reproducible_files(), reference, &when);
            moments.push(Moment::Done);
            return moments;
        }
        assert_stopped(&job, disk, &ended, earlier.as_ref(), reference, &when);
        earlier = job.report();
        disk.make_room();
        let now = job.kept(run);
        assert!(kept.is_subset(&now), "{when}: a committed order is lost");
        assert!(now.difference(&kept).all(|order| asked.contains(order)), "{when}");
        moments.push(match (now.len(), asked.len()) {
            (ORDERS, _) => Moment::Reporting,
            (_, 0) => Moment::Opening,
            _ => Moment::Fetching,
        });
        kept = now;
    }
    job.assert_goes_on(night, &kept, reference, &format!("night {night}, with room"));
    assert_nothing_half(&disk.folder(), "with room");
    moments
}

/// Asserts that the job reports the full disk and leaves the earlier report; or that it has put the new report in place
/// and says that the run could not be marked as finished.
fn assert_stopped(
    job: &Job<'_>,
    disk: &SmallDisk,
    ended: &JobResult,
    earlier: Option<&Files>,
    reference: &Files,
    when: &str,
) {
    // A file-size limit applies to every file, so the state may reach it wherever it is.
    let full = if disk.is_mounted() { disk.folder() } else { job.state.with_file_name("") };
    assert_no_report(ended, disk.causes(), &full, when);
    assert_nothing_half(&disk.folder(), when);
    if ended.stderr.contains("is complete, but the run could not be marked as finished") {
        return assert_same_files(&job.reproducible_files(), reference, when);
    }
    match (job.report(), earlier) {
        (Some(report), Some(earlier)) => assert_same_files(&report, earlier, when),
        (report, earlier) => assert!(report.is_none() && earlier.is_none(), "{when}: {report:?}"),
    }
}

/// Asserts that every moment was hit. `Reporting` may be missing under a file-size limit: a report fits wherever its
/// state does, unless its page is the larger file.
fn assert_every_moment(moments: &BTreeMap<Moment, usize>, is_limit: bool) {
    let reporting = [Moment::Reporting].into_iter().filter(|_| !is_limit);
    for moment in [Moment::Opening, Moment::Fetching, Moment::Done].into_iter().chain(reporting) {
        assert!(moments.contains_key(&moment), "no disk was full at {moment:?}: {moments:?}");
    }
}

#[test]
fn a_disk_that_fills_at_any_moment_loses_nothing_and_leaves_no_half_report() {
    let is_limit = !SmallDisk::new().is_mounted();
    assert_every_moment(&fill(SmallDisk::new, 20_261_124), is_limit);
}

#[test]
fn a_limit_on_the_size_of_files_loses_nothing_and_leaves_no_half_report() {
    assert_every_moment(&fill(SmallDisk::limited, 50), true);
}

/// Tests a full disk that holds either the state or the report; the other is on a different disk.
fn apart(kib: &[u64], is_state_on_it: bool) {
    let (server, [reference, _]) = (sandbox(""), undisturbed());
    let mut stopped = 0;
    for kib in kib {
        let when = format!("{kib} KiB");
        let (disk, place) = (SmallDisk::new(), Place::new());
        let (state, report) = if is_state_on_it {
            (disk.path("state.sqlite"), place.path("report"))
        } else {
            (place.path("state.sqlite"), disk.path("report"))
        };
        let job = Job::new(&server, state, report);
        disk.leave(*kib);
        let before = server.journal.arrivals().len();
        let ended = job.end(&disk.bound(job.command(0)).output().expect("starts"));
        let asked = job.asked_since(before);
        if ended.code == DISCREPANT {
            assert_same_files(&job.reproducible_files(), &reference, &when);
            continue;
        }
        stopped += 1;
        assert_stopped(&job, &disk, &ended, None, &reference, &when);
        assert_nothing_half(&job.report.with_file_name(""), &when);
        disk.make_room();
        let kept = job.kept(1);
        if !is_state_on_it && disk.is_mounted() {
            assert_eq!(kept, super::orders().into_iter().collect::<BTreeSet<_>>(), "{when}: all orders");
        }
        assert!(kept.is_subset(&asked), "{when}");
        job.assert_goes_on(0, &kept, &reference, &when);
    }
    assert!(stopped >= 3, "only {stopped} jobs were stopped");
}

#[test]
fn the_disk_of_the_state_alone_is_full() {
    apart(&[8, 64, 120, 200, 260, 320, 600], true);
}

#[test]
fn the_disk_of_the_report_alone_is_full() {
    apart(&[4, 8, 16, 32, 56, 600], false);
}
