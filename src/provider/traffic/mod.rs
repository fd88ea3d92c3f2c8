//! Decides whether and when the next request may go out: combines all rules that protect the provider.
//!
//! Pure: times are passed in, as durations since a fixed start, and randomness is seeded. The rules live in files of
//! their own: `pacer` (the allowed rate), `throttle` (how far 429s cut it), `gate` (`Retry-After`), `breaker` (a
//! failing provider), `budget` (retries). A request calls [`Traffic::turn`] until it gets a ticket, and hands the
//! ticket back with the kind of its reply.

mod breaker;
mod budget;
mod gate;
mod meter;
mod pacer;
mod throttle;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Stop;
use super::retry;
use crate::domain::outcome::Reason;
use breaker::{Breaker, Permission};
use budget::Budget;
use gate::Gate;
use meter::Meter;
use pacer::Pacer;
use throttle::Throttle;

/// A throttle on an unlimited rate is dropped once it allows more than this, in requests per second.
const AS_GOOD_AS_UNLIMITED: f64 = 100_000.0;

/// The limits that all traffic must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Requests per second; 0 is unlimited.
    pub(super) rate: u32,
    /// Whether a request counts against the rate until a second after its reply.
    pub(super) strict: bool,
    /// Maximum requests in flight.
    pub(super) concurrency: usize,
    /// The longest wait that the provider may impose.
    pub(super) max_wait: Duration,
    /// When all requests end.
    pub(super) deadline: Option<Duration>,
}

/// The two lines in which requests wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Orders and pages without a failed attempt.
    Untried,
    /// Retries after a failed attempt.
    Retry,
}

/// Why a request has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitReason {
    /// The allowed rate is used up.
    Rate,
    /// The maximum number of requests is in flight.
    Concurrency,
    /// The provider answered 429 and said how long to wait.
    RetryAfter,
    /// The provider answered 429 and did not say how long to wait.
    BackOff,
    /// The provider fails too often, so the breaker is open.
    Breaker,
    /// The retry budget is empty.
    RetryBudget,
}

impl WaitReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Rate, Self::Concurrency, Self::RetryAfter, Self::BackOff, Self::Breaker, Self::RetryBudget];

    /// The stable code used in the manifest.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
            Self::RetryAfter => "retry-after",
            Self::BackOff => "back-off",
            Self::Breaker => "breaker",
            Self::RetryBudget => "retry-budget",
        }
    }
}

/// The decision about a request.
#[derive(Debug)]
pub(super) enum Turn {
    /// Send it now.
    Go(Ticket),
    /// Try again at `until` or when a request comes back, whichever is first. `None`: only when a request comes back.
    Wait { until: Option<Duration>, why: WaitReason },
    /// All requests have ended.
    Ended(EndReason),
}

/// Why all requests have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    /// The remaining orders are unfetched, for this reason; a report follows.
    Unfetched(Reason),
    /// The whole run stops.
    Stop(Stop),
}

/// Permission for one request. It must be handed back.
#[derive(Debug)]
#[must_use]
pub(super) struct Ticket {
    lane: Lane,
    sent: Duration,
    is_probe: bool,
    has_departed: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyKind {
    /// A final answer.
    Answer,
    /// No usable reply.
    Failure,
    /// A limit such as 429, and the wait it asks for.
    Limited(Option<Duration>),
    /// The request was abandoned.
    Nothing,
}

/// A snapshot of the traffic, for the progress display.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    /// Requests per second allowed; `None` is unlimited.
    pub(super) allowed: Option<f64>,
    /// Requests sent in the last second.
    pub(super) used: u32,
    /// What holds up all requests, and the earliest moment at which it may end.
    pub(super) held_up: Option<(WaitReason, Duration)>,
}

/// The state of all traffic to the provider.
#[derive(Debug)]
pub(super) struct Traffic {
    limits: Limits,
    pacer: Option<Pacer>,
    throttle: Throttle,
    gate: Gate,
    breaker: Breaker,
    budget: Budget,
    sent: Meter,
    served: Meter,
    in_flight: usize,
    /// Orders and pages in hand without a failed attempt.
    untried: usize,
    more_follow: bool,
    end_reason: Option<EndReason>,
    chance: StdRng,
}

impl Traffic {
    /// A state without any traffic yet. `seed` determines all jitter.
    pub(super) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            pacer: (limits.rate > 0).then(|| Pacer::new(limits.rate)),
            throttle: Throttle::new(limits.rate),
            gate: Gate::new(limits.max_wait, limits.deadline),
            breaker: Breaker::new(),
            budget: Budget::new(limits.rate),
            sent: Meter::default(),
            served: Meter::default(),
            in_flight: 0,
            untried: 0,
            more_follow: true,
            end_reason: None,
            chance: StdRng::seed_from_u64(seed),
        }
    }

    /// Counts requests of an earlier run against the rate; `sent` is when they went out, oldest first.
    pub(super) fn remember(&mut self, sent: impl IntoIterator<Item = Duration>) {
        if let Some(pacer) = &mut self.pacer {
            pacer.remember(sent);
        }
    }

    /// The send times of the requests that still count against the rate at `now`.
    pub(super) fn counted(&self, now: Duration) -> Vec<Duration> {
        self.pacer.iter().flat_map(|pacer| pacer.counted(now)).collect()
    }

    /// Takes an order or page in hand; it counts as untried.
    pub(super) fn begin(&mut self) {
        self.untried += 1;
    }

    /// Stops counting one order or page as untried.
    pub(super) fn tried(&mut self) {
        self.untried = self.untried.saturating_sub(1);
    }

    /// No new orders will be taken in hand.
    pub(super) fn no_order_follows(&mut self) {
        self.more_follow = false;
    }

    /// Ends all requests. The first reason given is kept.
    pub(super) fn end(&mut self, reason: EndReason) {
        self.end_reason.get_or_insert(reason);
    }

    /// Why all requests have ended at `now`, if they have. Checks the gate, the breaker and the deadline.
    pub(super) fn check_end(&mut self, now: Duration) -> Option<&EndReason> {
        if self.end_reason.is_none() {
            let reason = if let Some(reason) = self.gate.stopped() {
                Some(reason.clone())
            } else if self.breaker.is_hopeless(now) {
                let why = "the provider failed too often for 10 minutes in total; run again when it has recovered";
                Some(Reason::new("provider-failing", why))
            } else if self.limits.deadline.is_some_and(|deadline| now >= deadline) {
                Some(Reason::new("deadline", "--deadline has passed"))
            } else {
                None
            };
            self.end_reason = reason.map(EndReason::Unfetched);
        }
        self.end_reason.as_ref()
    }

    /// Why all requests have ended, as far as a request has found out; checks nothing anew.
    pub(super) fn end_reason(&self) -> Option<&EndReason> {
        self.end_reason.as_ref()
    }

    /// Decides at `now` whether a request of this lane may go out.
    pub(super) fn turn(&mut self, now: Duration, lane: Lane) -> Turn {
        if let Some(ended) = self.check_end(now) {
            return Turn::Ended(ended.clone());
        }
        match self.obstacle(now, lane) {
            Err((until, why)) => {
                // A longer wait must wake at the deadline.
                let until = [until, self.limits.deadline].into_iter().flatten().min();
                Turn::Wait { until, why }
            }
            Ok(is_probe) => Turn::Go(self.go(now, lane, is_probe)),
        }
    }

    /// The request has certainly gone out.
    pub(super) fn note_departure(&mut self, now: Duration, ticket: &mut Ticket) {
        if !self.limits.strict {
            self.depart(now, ticket);
        }
    }

    /// Takes back a request's ticket at `now`; `kind` says how the request ended.
    pub(super) fn back(&mut self, now: Duration, mut ticket: Ticket, kind: ReplyKind) {
        self.depart(now, &mut ticket);
        self.in_flight = self.in_flight.saturating_sub(1);
        match kind {
            ReplyKind::Answer => {
                self.served.note(now);
                self.gate.answered(ticket.sent);
                if ticket.lane == Lane::Untried {
                    self.budget.earn();
                }
            }
            ReplyKind::Failure => self.served.note(now),
            ReplyKind::Limited(retry_after) => self.limited(now, ticket.sent, retry_after),
            ReplyKind::Nothing => {}
        }
        let failed = match kind {
            ReplyKind::Answer => false,
            ReplyKind::Failure => true,
            ReplyKind::Limited(_) | ReplyKind::Nothing if ticket.is_probe => return self.breaker.probe_lost(),
            ReplyKind::Limited(_) | ReplyKind::Nothing => return,
        };
        let jitter = self.chance.random();
        if ticket.is_probe {
            self.breaker.probed(now, failed, ticket.lane == Lane::Retry, jitter);
        } else if ticket.lane == Lane::Untried {
            self.breaker.attempted(now, failed, jitter);
        }
    }

    /// A random wait between zero and `ceiling`.
    pub(super) fn back_off(&mut self, ceiling: Duration) -> Duration {
        self.chance.random_range(Duration::ZERO..=ceiling)
    }

    /// The state of the traffic at `now`.
    pub(super) fn flow(&mut self, now: Duration) -> Flow {
        let gate = self.gate.closed_until(now).map(|until| (self.gate_reason(), until));
        let held_up = gate.or_else(|| self.breaker.open_until().map(|until| (WaitReason::Breaker, until)));
        Flow { allowed: self.rate(now), used: self.sent.last_second(now), held_up }
    }

    /// Whether a request that may go out at `now` is the breaker's probe.
    ///
    /// # Errors
    /// What holds the request up, and until when, if that is known.
    fn obstacle(&mut self, now: Duration, lane: Lane) -> Result<bool, (Option<Duration>, WaitReason)> {
        if let Some(until) = self.gate.closed_until(now) {
            return Err((Some(until), self.gate_reason()));
        }
        if self.untried == 0 && !self.more_follow {
            self.breaker.retire(now);
        }
        let is_probe = match self.breaker.permission(now) {
            Permission::Granted => false,
            Permission::Probe { of_retry, until } if of_retry != (lane == Lane::Retry) && now < until => {
                return Err((Some(until), WaitReason::Breaker));
            }
            Permission::Probe { .. } => true,
            Permission::AfterProbe => return Err((None, WaitReason::Breaker)),
            Permission::NotBefore(until) => return Err((Some(until), WaitReason::Breaker)),
        };
        if lane == Lane::Retry && self.budget.turn() > now {
            return Err((Some(self.budget.turn()), WaitReason::RetryBudget));
        }
        if self.in_flight >= self.room(now) {
            return Err((None, WaitReason::Concurrency));
        }
        let rate = self.rate(now);
        if let Some(pacer) = &mut self.pacer {
            pacer.slow_to(rate.unwrap_or(f64::MAX));
            match pacer.turn(now) {
                Some(turn) if turn <= now => {}
                turn => return Err((turn, WaitReason::Rate)),
            }
        }
        Ok(is_probe)
    }

    fn go(&mut self, now: Duration, lane: Lane, is_probe: bool) -> Ticket {
        if is_probe {
            self.breaker.probe();
        }
        if lane == Lane::Retry {
            self.budget.spend(now);
        }
        if let Some(pacer) = &mut self.pacer {
            pacer.take(now);
        }
        self.in_flight += 1;
        self.sent.note(now);
        Ticket { lane, sent: now, is_probe, has_departed: false }
    }

    fn depart(&mut self, now: Duration, ticket: &mut Ticket) {
        if !std::mem::replace(&mut ticket.has_departed, true)
            && let Some(pacer) = &mut self.pacer
        {
            pacer.note_departure(now);
        }
    }

    fn limited(&mut self, now: Duration, sent: Duration, retry_after: Option<Duration>) {
        // How long the gate has been open. Under a second, the measured rate says little.
        let busy = now.saturating_sub(self.gate.opens_at()).as_secs_f64();
        let served = f64::from(self.served.last_second(now));
        let measured = match self.throttle.rate(now) {
            Some(rate) if busy < 1.0 => rate,
            _ => served / busy.clamp(0.1, 1.0),
        };
        if self.throttle.limited(sent, now, measured) && self.pacer.is_none() {
            self.pacer = Some(Pacer::new(u32::MAX));
        }
        let chance = &mut self.chance;
        self.gate
            .limited(sent, now, retry_after, |streak| chance.random_range(Duration::ZERO..=retry::ceiling(streak)));
    }

    fn rate(&mut self, now: Duration) -> Option<f64> {
        let rate = self.throttle.rate(now)?;
        if self.limits.rate == 0 && rate > AS_GOOD_AS_UNLIMITED {
            (self.throttle, self.pacer) = (Throttle::new(0), None);
            return None;
        }
        Some(rate * self.breaker.share(now))
    }

    /// How many requests may be in flight at `now`.
    fn room(&self, now: Duration) -> usize {
        let most = self.limits.concurrency;
        // Floating point is fine here: rounding up admits at most one more.
        ((most as f64 * self.breaker.share(now)).ceil() as usize).clamp(1, most.max(1))
    }

    fn gate_reason(&self) -> WaitReason {
        if self.gate.has_retry_after() { WaitReason::RetryAfter } else { WaitReason::BackOff }
    }
}

#[cfg(test)]
mod tests;
