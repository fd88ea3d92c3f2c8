//! Whether and when the next request may go: every rule that spares the provider, brought to one answer.
//!
//! Pure: time is handed in, as the time since some fixed start, and chance is seeded. The rules live in files of
//! their own: `pacer` (the allowance), `throttle` (what 429s leave of it), `gate` (Retry-After), `breaker` (a failing
//! provider), `budget` (retries). A request asks for its [`Traffic::turn`] until that is a ticket, and hands the ticket
//! back with what came of it.

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

/// Above so many requests per second, a throttle of an unlimited rate is none.
const AS_GOOD_AS_UNLIMITED: f64 = 100_000.0;

/// What the traffic must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Requests per second; 0 is unlimited.
    pub(super) rate: u32,
    /// Whether a request counts against the rate until a second after its reply.
    pub(super) strict: bool,
    /// Requests in flight.
    pub(super) concurrency: usize,
    /// The longest wait that the provider may impose.
    pub(super) max_wait: Duration,
    /// When nothing is to be asked any more.
    pub(super) deadline: Option<Duration>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// An order of which no attempt has failed yet.
    Untried,
    /// A retry.
    Retry,
}

/// Why a request has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitReason {
    /// The allowance is used.
    Rate,
    /// As many are in flight as may be.
    Concurrency,
    /// The provider said how long to wait.
    RetryAfter,
    /// The provider answered 429 and did not say how long to wait.
    BackOff,
    /// The provider fails too often.
    Breaker,
    /// Too few successes have paid for this retry.
    RetryBudget,
}

impl WaitReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Rate, Self::Concurrency, Self::RetryAfter, Self::BackOff, Self::Breaker, Self::RetryBudget];

    /// A stable word.
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

/// What a request is told.
#[derive(Debug)]
pub(super) enum Turn {
    /// Go at once.
    Go(Ticket),
    /// Ask again then, and whenever something has come back. `None`: only when something has come back.
    Wait { until: Option<Duration>, why: WaitReason },
    /// Nothing is asked any more.
    Ended(Ended),
}

/// Why nothing is asked any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// What is left is unfetched.
    Unfetched(Reason),
    /// The run ends.
    Stop(Stop),
}

/// A request under way. It must be handed back.
#[derive(Debug)]
#[must_use]
pub(super) struct Ticket {
    lane: Lane,
    sent: Duration,
    is_probe: bool,
    has_landed: bool,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyKind {
    /// An answer that settles the order's evidence.
    Answer,
    /// Nothing usable.
    Failure,
    /// A 429, and the wait it asks for.
    Limited(Option<Duration>),
    /// The request was given up.
    Nothing,
}

/// What the traffic is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    /// Requests per second that may go out; `None` is unlimited.
    pub(super) allowed: Option<f64>,
    /// Requests that went out in the last second.
    pub(super) used: u32,
    /// What holds up everybody, and until when at the earliest.
    pub(super) held_up: Option<(WaitReason, Duration)>,
}

/// All traffic to the provider.
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
    /// Orders in hand of which no attempt has failed yet.
    untried: usize,
    more_follow: bool,
    ended: Option<Ended>,
    chance: StdRng,
}

impl Traffic {
    /// No traffic yet. `seed` decides every jitter.
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
            ended: None,
            chance: StdRng::seed_from_u64(seed),
        }
    }

    /// Counts requests of an earlier run, the earliest first.
    pub(super) fn remember(&mut self, sent: impl IntoIterator<Item = Duration>) {
        if let Some(pacer) = &mut self.pacer {
            pacer.remember(sent);
        }
    }

    /// When the requests went out that still count against the rate at `now`.
    pub(super) fn counted(&self, now: Duration) -> Vec<Duration> {
        self.pacer.iter().flat_map(|pacer| pacer.counted(now)).collect()
    }

    /// An order is taken in hand.
    pub(super) fn begin(&mut self) {
        self.untried += 1;
    }

    /// An order in hand counts as untried no longer.
    pub(super) fn tried(&mut self) {
        self.untried = self.untried.saturating_sub(1);
    }

    /// Every order there is has been taken in hand.
    pub(super) fn no_order_follows(&mut self) {
        self.more_follow = false;
    }

    /// Nothing is to be asked from now on. The first reason counts.
    pub(super) fn end(&mut self, ended: Ended) {
        self.ended.get_or_insert(ended);
    }

    /// Why nothing is asked any more at `now`, where that is so.
    pub(super) fn ended(&mut self, now: Duration) -> Option<&Ended> {
        if self.ended.is_none() {
            let reason = if let Some(reason) = self.gate.stopped() {
                Some(reason.clone())
            } else if self.breaker.is_hopeless(now) {
                let why = "the provider failed too often for 10 minutes in all; run again when it is well";
                Some(Reason::new("provider-failing", why))
            } else if self.limits.deadline.is_some_and(|deadline| now >= deadline) {
                Some(Reason::new("deadline", "--deadline has passed"))
            } else {
                None
            };
            self.ended = reason.map(Ended::Unfetched);
        }
        self.ended.as_ref()
    }

    /// Why a request was refused for good, where one was.
    pub(super) fn has_ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Asks at `now` to send a request.
    pub(super) fn turn(&mut self, now: Duration, lane: Lane) -> Turn {
        if let Some(ended) = self.ended(now) {
            return Turn::Ended(ended.clone());
        }
        match self.obstacle(now, lane) {
            Err((until, why)) => {
                // The deadline is news to whoever waits longer.
                let until = [until, self.limits.deadline].into_iter().flatten().min();
                Turn::Wait { until, why }
            }
            Ok(is_probe) => Turn::Go(self.go(now, lane, is_probe)),
        }
    }

    /// The request is on its way to the provider for certain.
    pub(super) fn landed(&mut self, now: Duration, ticket: &mut Ticket) {
        if !self.limits.strict {
            self.land(now, ticket);
        }
    }

    /// Takes back the ticket of a request, at `now`.
    pub(super) fn back(&mut self, now: Duration, mut ticket: Ticket, came: ReplyKind) {
        self.land(now, &mut ticket);
        self.in_flight = self.in_flight.saturating_sub(1);
        match came {
            ReplyKind::Answer => {
                self.served.note(now);
                self.gate.answered(ticket.sent);
                if ticket.lane == Lane::Untried {
                    self.budget.earn();
                }
            }
            ReplyKind::Failure => self.served.note(now),
            ReplyKind::Limited(asked) => self.limited(now, ticket.sent, asked),
            ReplyKind::Nothing => {}
        }
        let failed = match came {
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

    /// A wait from zero to `ceiling`.
    pub(super) fn back_off(&mut self, ceiling: Duration) -> Duration {
        self.chance.random_range(Duration::ZERO..=ceiling)
    }

    /// What the traffic is like at `now`.
    pub(super) fn flow(&mut self, now: Duration) -> Flow {
        let gate = self.gate.closed_until(now).map(|until| (self.gate_reason(), until));
        let held_up = gate.or_else(|| self.breaker.open_until().map(|until| (WaitReason::Breaker, until)));
        Flow { allowed: self.rate(now), used: self.sent.last_second(now), held_up }
    }

    /// What keeps a request back at `now`, and until when; else whether it goes as the breaker's probe.
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
        Ticket { lane, sent: now, is_probe, has_landed: false }
    }

    fn land(&mut self, now: Duration, ticket: &mut Ticket) {
        if !std::mem::replace(&mut ticket.has_landed, true)
            && let Some(pacer) = &mut self.pacer
        {
            pacer.landed(now);
        }
    }

    fn limited(&mut self, now: Duration, sent: Duration, asked: Option<Duration>) {
        // How long requests have gone out without the gate between them: less than a second of it measures little.
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
        self.gate.limited(sent, now, asked, |streak| chance.random_range(Duration::ZERO..=retry::ceiling(streak)));
    }

    fn rate(&mut self, now: Duration) -> Option<f64> {
        let rate = self.throttle.rate(now)?;
        if self.limits.rate == 0 && rate > AS_GOOD_AS_UNLIMITED {
            (self.throttle, self.pacer) = (Throttle::new(0), None);
            return None;
        }
        Some(rate * self.breaker.share(now))
    }

    /// How many may be in flight.
    fn room(&self, now: Duration) -> usize {
        let most = self.limits.concurrency;
        // A float of a count: rounding it up admits one more at most.
        ((most as f64 * self.breaker.share(now)).ceil() as usize).clamp(1, most.max(1))
    }

    fn gate_reason(&self) -> WaitReason {
        if self.gate.is_asked() { WaitReason::RetryAfter } else { WaitReason::BackOff }
    }
}

#[cfg(test)]
mod tests;
