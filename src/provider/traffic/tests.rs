//! All the rules together in simulated time, against a simulated provider with latencies, stalls, limits and failures.
//! Nothing here sleeps.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use proptest::prelude::*;

use super::super::answer::Answer;
use super::super::retry::{Attempts, Next};
use super::*;
use crate::domain::outcome::Evidence;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Travel time of a request to the provider; up to 2 ms are added.
const WAY: Duration = Duration::from_millis(20);

/// How the simulated provider and machine behave.
#[derive(Clone, Copy, Debug)]
struct Behaviour {
    /// Start, end, requests admitted in any second, and `Retry-After` of the 429 that further ones get.
    limit: Option<(Duration, Duration, u32, Option<Duration>)>,
    /// Start and end of an outage in which every request fails.
    down: Option<(Duration, Duration)>,
    /// Orders of every 100 that fail at each attempt.
    hopeless: u64,
    /// Orders of every 100 that fail at their first attempt.
    shy: u64,
    /// The longest latency, in milliseconds.
    latency: u64,
    /// Timers of every 1,000 that are late by up to three seconds.
    stalls: u32,
}

const WELL: Behaviour = Behaviour { limit: None, down: None, hopeless: 0, shy: 0, latency: 100, stalls: 0 };

/// The result of a simulated run.
struct Ran {
    arrivals: Vec<Duration>,
    fetched: usize,
    unfetched: Vec<String>,
    end: Duration,
}

struct World {
    behaviour: Behaviour,
    traffic: Traffic,
    now: Duration,
    chance: StdRng,
    untried: VecDeque<(u64, Attempts)>,
    retries: VecDeque<(u64, Attempts)>,
    /// Future events by time: indexes into `happenings`.
    ahead: BinaryHeap<Reverse<(Duration, u64)>>,
    happenings: Vec<Option<Happening>>,
    admitted: VecDeque<Duration>,
    ran: Ran,
    /// Requests that got an answer.
    answered: u64,
}

enum Happening {
    /// An order's back-off ends.
    Due(u64, Attempts),
    /// An attempt is back.
    Back(u64, Attempts, Ticket, Answer<Evidence>, Option<Duration>),
}

impl World {
    fn run(limits: Limits, behaviour: Behaviour, orders: u64, seed: u64) -> Ran {
        let mut world = Self {
            behaviour,
            traffic: Traffic::new(limits, seed),
            now: Duration::ZERO,
            chance: StdRng::seed_from_u64(seed ^ 0xabcd),
            untried: VecDeque::new(),
            retries: VecDeque::new(),
            ahead: BinaryHeap::new(),
            happenings: Vec::new(),
            admitted: VecDeque::new(),
            answered: 0,
            ran: Ran { arrivals: Vec::new(), fetched: 0, unfetched: Vec::new(), end: Duration::ZERO },
        };
        let (mut next, most) = (0, limits.concurrency * 4);
        loop {
            let done = world.ran.fetched + world.ran.unfetched.len();
            while next < orders && (usize::try_from(next).expect("few") - done) < most {
                world.traffic.begin();
                world.untried.push_back((next, Attempts::new(5)));
                next += 1;
            }
            if next == orders {
                world.traffic.no_order_follows();
            }
            if done == usize::try_from(orders).expect("few") {
                world.ran.end = world.now;
                return world.ran;
            }
            let before = world.ran.fetched + world.ran.unfetched.len();
            let wake = [world.serve(Lane::Untried), world.serve(Lane::Retry)].into_iter().flatten().min();
            if world.ran.fetched + world.ran.unfetched.len() == before {
                world.advance(wake);
            }
        }
    }

    /// Sends all that may go out from one lane. Returns when the first in line must try again.
    fn serve(&mut self, lane: Lane) -> Option<Duration> {
        loop {
            let queue = if lane == Lane::Untried { &mut self.untried } else { &mut self.retries };
            let (order, attempts) = queue.pop_front()?;
            match self.traffic.turn(self.now, lane) {
                Turn::Go(ticket) => self.send(order, attempts, ticket),
                Turn::Wait { until, .. } => {
                    let queue = if lane == Lane::Untried { &mut self.untried } else { &mut self.retries };
                    queue.push_front((order, attempts));
                    return until;
                }
                Turn::Ended(EndReason::Unfetched(reason)) => self.ran.unfetched.push(reason.code),
                Turn::Ended(ended) => panic!("{ended:?}"),
            }
        }
    }

    fn send(&mut self, order: u64, attempts: Attempts, mut ticket: Ticket) {
        self.traffic.note_departure(self.now, &mut ticket);
        let arrival = self.now + WAY + Duration::from_micros(self.chance.random_range(0..1_900));
        self.ran.arrivals.push(arrival);
        let (answer, wait) = self.answer(order, arrival, attempts.is_untried());
        let latency = Duration::from_micros(self.chance.random_range(1_000..=self.behaviour.latency * 1_000));
        self.at(arrival + latency, Happening::Back(order, attempts, ticket, answer, wait));
    }

    fn answer(&mut self, order: u64, arrival: Duration, is_first: bool) -> (Answer<Evidence>, Option<Duration>) {
        let failed = (Answer::Failed(Reason::new("http-502", "")), None);
        if self.behaviour.down.is_some_and(|(from, until)| (from..until).contains(&arrival)) {
            return failed;
        }
        while self.admitted.front().is_some_and(|at| *at + SECOND <= arrival) {
            self.admitted.pop_front();
        }
        if let Some((from, until, limit, wait)) = self.behaviour.limit
            && (from..until).contains(&arrival)
            && self.admitted.len() >= limit as usize
        {
            return (Answer::Limited(Reason::new("http-429", "")), wait);
        }
        self.admitted.push_back(arrival);
        // Scattered, so that hopeless orders are not neighbours.
        let dice = order.wrapping_mul(7_919) % 100;
        if dice < self.behaviour.hopeless || (is_first && dice < self.behaviour.shy) {
            return failed;
        }
        (Answer::Final(Evidence::NotFound(Reason::new("", ""))), None)
    }

    fn at(&mut self, time: Duration, happening: Happening) {
        self.ahead.push(Reverse((time, self.happenings.len() as u64)));
        self.happenings.push(Some(happening));
    }

    /// Advances to the next moment at which anything can change.
    fn advance(&mut self, wake: Option<Duration>) {
        let next = self.ahead.peek().map(|Reverse((time, _))| *time);
        let time = [wake, next].into_iter().flatten().min().expect("an event or a timer is pending");
        let late = match self.chance.random_range(0..1_000) {
            dice if dice < self.behaviour.stalls => Duration::from_millis(self.chance.random_range(0..3_000)),
            _ => Duration::from_micros(self.chance.random_range(0..1_500)),
        };
        // Sockets wake at once, timers a little late.
        let timer = wake.is_some_and(|wake| next.is_none_or(|next| wake < next));
        self.now = self.now.max(time) + if timer || late > 2 * MS { late } else { Duration::ZERO };
        while let Some(Reverse((time, number))) = self.ahead.peek().copied()
            && time <= self.now
        {
            self.ahead.pop();
            let happening = self.happenings[usize::try_from(number).expect("few")].take();
            self.happen(happening.expect("once"));
        }
    }

    fn happen(&mut self, happening: Happening) {
        let (order, mut attempts, ticket, answer, wait) = match happening {
            Happening::Due(order, attempts) => return self.retries.push_back((order, attempts)),
            Happening::Back(order, attempts, ticket, answer, wait) => (order, attempts, ticket, answer, wait),
        };
        let kind = match answer {
            Answer::Limited(_) => ReplyKind::Limited(wait),
            Answer::Failed(_) => ReplyKind::Failure,
            _ => ReplyKind::Answer,
        };
        self.answered += u64::from(matches!(kind, ReplyKind::Answer));
        let was_untried = attempts.is_untried();
        self.traffic.back(self.now, ticket, kind);
        let next = attempts.next(answer, self.answered);
        if was_untried && next != Next::Again {
            self.traffic.tried();
        }
        match next {
            Next::Done(Evidence::Unfetched(reason)) => self.ran.unfetched.push(reason.code),
            Next::Done(_) => self.ran.fetched += 1,
            Next::Again if attempts.is_untried() => self.untried.push_back((order, attempts)),
            Next::Again => self.retries.push_back((order, attempts)),
            Next::AgainWithin(ceiling) => {
                let due = self.now + self.traffic.back_off(ceiling);
                self.at(due, Happening::Due(order, attempts));
            }
            Next::Stop(stop) => panic!("{stop}"),
        }
    }
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limits(rate: u32, concurrency: usize) -> Limits {
    Limits { rate, strict: false, concurrency, max_wait: 300 * SECOND, deadline: None }
}

fn fullest_second(times: &[Duration]) -> usize {
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut first = 0;
    let counts = times.iter().enumerate().map(|(last, time)| {
        while times[first] + SECOND <= *time {
            first += 1;
        }
        last - first + 1
    });
    counts.max().unwrap_or(0)
}

/// Arrivals per second between two times, in seconds.
fn arrived(ran: &Ran, from: u64, until: u64) -> f64 {
    let span = s(from)..s(until);
    ran.arrivals.iter().filter(|at| span.contains(*at)).count() as f64 / (until - from) as f64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_second_holds_more_than_the_rate_and_every_order_ends(
        rate in prop_oneof![1_u32..30, Just(100), Just(500)],
        concurrency in 1_usize..40,
        seed: u64,
        latency in 2_u64..3_000,
        stalls in 0_u32..30,
        hopeless in 0_u64..30,
        shy in 0_u64..=100,
        storm in prop::option::of((0_u64..20, 1_u64..30, 1_u32..200, prop::option::of(1_u64..5))),
        outage in prop::option::of((0_u64..20, 1_u64..90)),
    ) {
        let behaviour = Behaviour {
            limit: storm.map(|(from, long, limit, wait)| {
                (s(from), s(from + long), limit, wait.map(s))
            }),
            down: outage.map(|(from, long)| (s(from), s(from + long))),
            hopeless,
            shy,
            latency,
            stalls,
        };
        let ran = World::run(limits(rate, concurrency), behaviour, u64::from(rate) * 20 + 50, seed);
        prop_assert!(fullest_second(&ran.arrivals) <= rate as usize);
        prop_assert_eq!(ran.fetched + ran.unfetched.len(), rate as usize * 20 + 50);
    }

    #[test]
    fn the_rate_is_used_to_99_percent(rate in 2_u32..400, seed: u64) {
        let ran = World::run(limits(rate, 100), WELL, u64::from(rate) * 30, seed);
        let (first, last) = (ran.arrivals[0], ran.arrivals[ran.arrivals.len() - 1]);
        let used = (ran.arrivals.len() - 1) as f64 / (last - first).as_secs_f64() / f64::from(rate);
        prop_assert!(used >= 0.99, "{} of the rate", used);
    }
}

#[test]
fn a_storm_at_half_the_rate_is_survived_and_recovered_from() {
    for wait in [None, Some(SECOND)] {
        let limit = Some((10 * SECOND, 70 * SECOND, 50, wait));
        let ran = World::run(limits(100, 32), Behaviour { limit, ..WELL }, 14_000, 7);
        assert_eq!(ran.fetched, 14_000, "every order is fetched");
        assert!(arrived(&ran, 0, 10) > 98.0);
        let during = arrived(&ran, 20, 70);
        assert!((25.0..=55.0).contains(&during), "{during} a second of 50");
        let after = arrived(&ran, 110, 120);
        assert!(after > 98.0, "{after} a second of 100");
    }
}

#[test]
fn an_unlimited_rate_finds_the_limit_of_the_provider() {
    let limit = Some((Duration::ZERO, 3_600 * SECOND, 50, Some(SECOND)));
    let ran = World::run(limits(0, 64), Behaviour { limit, ..WELL }, 5_000, 7);
    assert_eq!(ran.fetched, 5_000);
    assert!(ran.arrivals.len() < 8_000, "{} requests for 5,000 orders", ran.arrivals.len());
    assert!(ran.end < 200 * SECOND, "{:?} where 100 s is the least", ran.end);
}

#[test]
fn an_endless_storm_of_429s_ends_the_run() {
    for wait in [None, Some(2 * SECOND)] {
        let limit = Some((Duration::ZERO, Duration::MAX, 0, wait));
        let ran = World::run(limits(20, 16), Behaviour { limit, ..WELL }, 1_000, 7);
        assert_eq!((ran.fetched, ran.unfetched.len()), (0, 1_000));
        assert!(ran.unfetched.iter().all(|code| code == "rate-limited"));
        assert!((600 * SECOND..=660 * SECOND).contains(&ran.end), "{:?}", ran.end);
    }
}

#[test]
fn an_outage_is_waited_out_and_costs_few_orders() {
    let down = Some((10 * SECOND, 250 * SECOND));
    let ran = World::run(limits(50, 16), Behaviour { down, ..WELL }, 5_000, 7);
    assert_eq!(ran.fetched + ran.unfetched.len(), 5_000);
    // Only orders in hand when it began, or used as probes, were retried until their retries were spent.
    assert!(ran.unfetched.len() <= 64, "{} unfetched", ran.unfetched.len());
    let during = arrived(&ran, 30, 250);
    assert!(during < 1.0, "{during} requests a second at a provider that is down");
}

#[test]
fn an_endless_outage_ends_the_run() {
    let down = Some((Duration::ZERO, Duration::MAX));
    let ran = World::run(limits(50, 16), Behaviour { down, ..WELL }, 5_000, 7);
    assert_eq!(ran.unfetched.len(), 5_000);
    assert!(ran.unfetched.iter().filter(|code| *code == "provider-failing").count() > 4_900);
    assert!(ran.end < 720 * SECOND, "{:?}", ran.end);
}

#[test]
fn hopeless_orders_fail_alone() {
    let ran = World::run(limits(100, 16), Behaviour { hopeless: 20, ..WELL }, 3_000, 7);
    assert_eq!((ran.fetched, ran.unfetched.len()), (2_400, 600));
    let worst = World::run(limits(100, 16), Behaviour { hopeless: 100, ..WELL }, 15, 7);
    assert_eq!(worst.unfetched.len(), 15, "too few to open the breaker");
    assert!(worst.unfetched.iter().all(|code| code == "http-502"));
}

#[test]
fn a_provider_that_fails_every_order_once_is_fetched_from() {
    let ran = World::run(limits(20, 16), Behaviour { shy: 100, ..WELL }, 300, 7);
    assert_eq!((ran.fetched, ran.unfetched.len()), (300, 0), "by {:?}", ran.end);
}

#[test]
fn a_deadline_ends_all_requests() {
    let ran = World::run(Limits { deadline: Some(30 * SECOND), ..limits(10, 4) }, WELL, 1_000, 7);
    assert!((295..=301).contains(&ran.fetched), "{} fetched", ran.fetched);
    assert!(ran.unfetched.iter().all(|code| code == "deadline"));
    assert!(ran.end < 31 * SECOND, "{:?}", ran.end);
}

#[test]
fn a_strict_rate_counts_from_the_reply() {
    let behaviour = Behaviour { latency: 2_000, ..WELL };
    let ran = World::run(Limits { strict: true, ..limits(20, 64) }, behaviour, 1_000, 7);
    assert_eq!(ran.fetched, 1_000);
    assert!(fullest_second(&ran.arrivals) <= 20);
    // Each of twenty slots is held for a second plus, on average, half the longest latency.
    let used = arrived(&ran, 5, 60);
    assert!((8.0..=11.0).contains(&used), "{used} a second");
}
