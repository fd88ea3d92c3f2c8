//! A full disk, at random moments.

use std::collections::{BTreeMap, BTreeSet};

use super::small::SmallDisk;
use super::{DISCREPANT, Ended, Job, ORDERS, assert_no_report, assert_nothing_half, sandbox, undisturbed};
use crate::support::{Files, Place, Server, assert_same_files};

/// How many disks are filled.
const ROUNDS: usize = 16;
/// How often each is, at most.
const STARTS: usize = 5;
/// The most room of each start, in KiB: too little for more than a few orders, then for a report, and at last enough to
/// end before the disk is full.
const MOST: [u64; STARTS] = [60, 200, 800, 800, 800];

/// A generator of sizes that are the same in every run of the test (an LCG of Knuth's).
struct Sizes(u64);

impl Sizes {
    /// The next size of at least one and less than so many KiB.
    fn next(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (self.0 >> 33) % (most - 1)
    }
}

/// When a job came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Before anything was asked.
    Opening,
    Fetching,
    /// When everything had been fetched.
    Reporting,
    /// The disk held it all.
    Done,
}

/// Fills disks at random moments of a first night, and of a second one after a report, a few times each; returns how often
/// it was when.
fn fill(disk: impl Fn() -> SmallDisk, seed: u64) -> BTreeMap<Moment, usize> {
    let (server, calm) = (sandbox(""), undisturbed());
    let (mut sizes, mut moments) = (Sizes(seed), BTreeMap::new());
    for round in 0..ROUNDS {
        let night = round % 2;
        let disk = disk();
        for moment in fill_again_and_again(&server, &disk, night, &mut sizes, &calm[night]) {
            *moments.entry(moment).or_default() += 1;
        }
    }
    moments
}

/// Each start gets a little room, until one has it all.
fn fill_again_and_again(
    server: &Server,
    disk: &SmallDisk,
    night: usize,
    sizes: &mut Sizes,
    calm: &Files,
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
            assert_same_files(&job.evident(), calm, &when);
            moments.push(Moment::Done);
            return moments;
        }
        assert_stopped(&job, disk, &ended, earlier.as_ref(), calm, &when);
        earlier = job.report();
        disk.make_room();
        let now = job.kept(run);
        assert!(kept.is_subset(&now), "{when}: what was committed is lost");
        assert!(now.difference(&kept).all(|order| asked.contains(order)), "{when}");
        moments.push(match (now.len(), asked.len()) {
            (ORDERS, _) => Moment::Reporting,
            (_, 0) => Moment::Opening,
            _ => Moment::Fetching,
        });
        kept = now;
    }
    job.assert_goes_on(night, &kept, calm, &format!("night {night}, with room"));
    assert_nothing_half(&disk.folder(), "with room");
    moments
}

/// It says so, and the report that was there is the one that is there; or the new one, where the disk was full when that
/// had been put in its place, and then it says that.
fn assert_stopped(job: &Job<'_>, disk: &SmallDisk, ended: &Ended, earlier: Option<&Files>, calm: &Files, when: &str) {
    // A limit holds for every file: it may be the state that meets it, wherever that is.
    let full = if disk.is_mounted() { disk.folder() } else { job.state.with_file_name("") };
    assert_no_report(ended, disk.causes(), &full, when);
    assert_nothing_half(&disk.folder(), when);
    if ended.said.contains("is whole, but the state can't be told so") {
        return assert_same_files(&job.evident(), calm, when);
    }
    match (job.report(), earlier) {
        (Some(report), Some(earlier)) => assert_same_files(&report, earlier, when),
        (report, earlier) => assert!(report.is_none() && earlier.is_none(), "{when}: {report:?}"),
    }
}

/// Asserts that disks were full at every moment. Under a limit on the size of files a report may fit wherever its
/// state does: only its page can be the larger file.
fn assert_every_moment(moments: &BTreeMap<Moment, usize>, is_limit: bool) {
    let reporting = [Moment::Reporting].into_iter().filter(|_| !is_limit);
    for moment in [Moment::Opening, Moment::Fetching, Moment::Done].into_iter().chain(reporting) {
        assert!(moments.contains_key(&moment), "no disk was full when {moment:?}: {moments:?}");
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

/// The disk of the one is full, and the other is elsewhere.
fn apart(kib: &[u64], is_state_on_it: bool) {
    let (server, [calm, _]) = (sandbox(""), undisturbed());
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
            assert_same_files(&job.evident(), &calm, &when);
            continue;
        }
        stopped += 1;
        assert_stopped(&job, &disk, &ended, None, &calm, &when);
        assert_nothing_half(&job.report.with_file_name(""), &when);
        disk.make_room();
        let kept = job.kept(1);
        if !is_state_on_it && disk.is_mounted() {
            assert_eq!(kept, super::orders().into_iter().collect::<BTreeSet<_>>(), "{when}: all of it");
        }
        assert!(kept.is_subset(&asked), "{when}");
        job.assert_goes_on(0, &kept, &calm, &when);
    }
    assert!(stopped >= 3, "{stopped} were stopped");
}

#[test]
fn the_disk_of_the_state_alone_is_full() {
    apart(&[8, 64, 120, 200, 260, 320, 600], true);
}

#[test]
fn the_disk_of_the_report_alone_is_full() {
    apart(&[4, 8, 16, 32, 56, 600], false);
}
