//! One request from the line to its end, whatever is asked for: in line → its turn → GET → what the reply means → done, or
//! in line again after a wait. Nothing is held while waiting.

use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use tokio::time::{sleep_until, timeout_at};

use super::answer::{Answer, Known, Unavailable, presentable};
use super::clock::ClockReading;
use super::first_replies::{Conclusion, Said};
use super::http::Reply;
use super::limit::LimitSigns;
use super::retry::{Course, Next};
use super::traffic::{Ended, Lane, ReplyKind, Ticket, Turn};
use super::{Provider, Stop, wire};
use crate::domain::outcome::Reason;

impl Provider {
    /// Asks until it is known what there is at that address; with the body of the reply that decided it, where that may be
    /// kept.
    pub(super) async fn ask<K: Known>(&self, url: Url) -> Result<(K, Option<Vec<u8>>), Stop> {
        let mut course = Course::new(self.retries);
        let mut untried = Some(Untried::begin(self));
        loop {
            let lane = if course.is_untried() { Lane::Untried } else { Lane::Retry };
            let flight = match self.turn(lane).await {
                Ok(flight) => flight,
                Err(Ended::Unfetched(reason)) => return Ok((Unavailable::Unfetched(reason).into(), None)),
                Err(Ended::Stop(stop)) => return Err(stop),
            };
            let (answer, reply) = self.attempt::<K>(flight, url.clone()).await;
            let failed = if let Answer::Failed(reason) = &answer { Some(reason.code.clone()) } else { None };
            if !matches!(answer, Answer::Limited(_)) {
                untried = None;
            }
            let answered = self.tally().answers;
            match course.next(answer, answered) {
                Next::Done(known) => return Ok((known, reply)),
                Next::Again => {}
                Next::AgainWithin(ceiling) => {
                    failed.iter().for_each(|reason| self.tally().retry(reason));
                    self.back_off(ceiling).await;
                }
                Next::Stop(stop) => return Err(self.end(stop)),
            }
            debug_assert!(untried.is_some() == course.is_untried());
        }
    }

    /// Waits in line until a request may go.
    async fn turn(&self, lane: Lane) -> Result<Flight<'_>, Ended> {
        let mut line = pin!(self.lanes[lane as usize].lock());
        let ended = self.ended.notified();
        let _first_in_line = tokio::select! {
            biased;
            first = &mut line => first,
            () = ended => return Err(self.why_ended()),
        };
        loop {
            // From here on nothing that comes back is missed.
            let back = self.back.notified();
            let asked = self.now();
            let turn = self.traffic().turn(asked, lane);
            let (until, why) = match turn {
                Turn::Go(ticket) => {
                    self.tally().requests += 1;
                    return Ok(Flight { provider: self, ticket: Some(ticket), sent: asked });
                }
                Turn::Ended(ended) => {
                    self.ended.notify_waiters();
                    return Err(ended);
                }
                Turn::Wait { until, why } => (until, why),
            };
            match until {
                Some(until) => _ = timeout_at(self.at(until), back).await,
                None => back.await,
            }
            self.tally().wait(why, self.now().saturating_sub(asked));
        }
    }

    /// One request and what it gave, with the body of the reply where that may be kept.
    async fn attempt<K: Known>(&self, mut flight: Flight<'_>, url: Url) -> (Answer<K>, Option<Vec<u8>>) {
        let got = self.http.get(url, self.deadline, || flight.landed()).await;
        let latency = self.now().saturating_sub(flight.sent);
        let (answer, came, body) = match got {
            Err(reason) => (Answer::Failed(reason), ReplyKind::Failure, None),
            Ok(reply) => {
                self.tally().reply(latency, reply.body.as_ref().map_or(0, Vec::len));
                self.note_first(&reply);
                if let Some(provider) = reply.date.filter(|_| reply.body.as_deref().is_ok_and(wire::is_envelope)) {
                    self.clock.get_or_init(|| ClockReading { ours: Timestamp::now(), provider });
                }
                let signs = LimitSigns { codes: &self.retry_codes, has_retry_after: reply.retry_after.is_some() };
                let answer = Answer::of(reply.status, reply.body.as_deref().map_err(Clone::clone), signs);
                let came = match &answer {
                    Answer::Limited(_) => ReplyKind::Limited(reply.retry_after.filter(|wait| !wait.is_zero())),
                    Answer::Failed(_) => ReplyKind::Failure,
                    Answer::Final(_) | Answer::KeyRejected(_) => ReplyKind::Answer,
                };
                self.tally().answers += u64::from(matches!(came, ReplyKind::Answer));
                (answer, came, reply.body.ok())
            }
        };
        flight.back(came);
        (self.presentable(answer), body.filter(|body| str::from_utf8(body).is_ok_and(|text| !self.key.is_in(text))))
    }

    /// Learns from the first replies whether they come from the provider, and whether the key may read anything.
    fn note_first(&self, reply: &Reply) {
        if self.first().is_settled() {
            return;
        }
        let in_words = reply.body.as_deref().is_ok_and(wire::is_envelope);
        let concluded = self.first().note(Said::by(reply.status, in_words), in_words);
        let status = reply.status;
        match concluded {
            None => {}
            Some(Conclusion::NotTheApi) => _ = self.end(Stop::NotTheApi(format!("http-{status}"))),
            Some(Conclusion::Forbidden) => {
                let detail = "not asked for: the first 20 replies all refuse; check that the key may read run orders";
                self.end_with(Ended::Unfetched(Reason::new(format!("http-{status}"), detail)));
            }
        }
    }

    /// Waits before a retry, in no line; less where nothing is asked any more.
    async fn back_off(&self, ceiling: Duration) {
        let ended = self.ended.notified();
        if self.traffic().ended(self.now()).is_some() {
            return;
        }
        let until = self.now() + self.traffic().back_off(ceiling);
        tokio::select! {
            () = sleep_until(self.deadline.map_or(self.at(until), |deadline| deadline.min(self.at(until)))) => {}
            () = ended => {}
        }
    }

    /// The answer with every text of the provider made fit to be shown. What repeats the key is not kept: facts are
    /// evidence, which nothing is cut out of.
    fn presentable<K: Known>(&self, mut answer: Answer<K>) -> Answer<K> {
        let present = |reason: &mut Reason| {
            reason.detail = presentable(&reason.detail, |text| self.key.redact(text));
        };
        match &mut answer {
            Answer::KeyRejected(reason) | Answer::Failed(reason) | Answer::Limited(reason) => present(reason),
            Answer::Final(known) => {
                known.each_reason(present);
                if let Some(field) = known.field_with(|text| self.key.is_in(text)) {
                    let detail = format!("{field} repeats the API key; report it to the provider");
                    answer = Answer::Final(Unavailable::Malformed(Reason::new("holds-key", detail)).into());
                }
            }
        }
        answer
    }
}

/// Something in hand that no attempt has failed yet, until dropped.
struct Untried<'p>(&'p Provider);

impl<'p> Untried<'p> {
    fn begin(provider: &'p Provider) -> Self {
        provider.traffic().begin();
        Self(provider)
    }
}

impl Drop for Untried<'_> {
    fn drop(&mut self) {
        self.0.traffic().tried();
    }
}

/// A request in flight. It is handed back however it ends.
struct Flight<'p> {
    provider: &'p Provider,
    /// `None` once handed back.
    ticket: Option<Ticket>,
    sent: Duration,
}

impl Flight<'_> {
    fn landed(&mut self) {
        if let Some(ticket) = &mut self.ticket {
            self.provider.traffic().landed(self.provider.now(), ticket);
        }
    }

    fn back(&mut self, came: ReplyKind) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        if matches!(came, ReplyKind::Limited(_)) {
            self.provider.tally().throttled += 1;
        }
        self.provider.traffic().back(self.provider.now(), ticket, came);
        self.provider.back.notify_waiters();
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.back(ReplyKind::Nothing);
    }
}
