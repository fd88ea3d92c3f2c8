//! Concludes from the first replies that the key or the address is wrong, which is not a finding about orders. Pure.

/// This many replies, all of one kind, are enough to conclude.
const ENOUGH: u32 = 20;

/// What a reply says about the key and the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplySign {
    /// An envelope of the provider with status 403.
    Forbidden,
    /// A 4xx status without the provider's envelope.
    Elsewhere,
    /// Nothing: the provider, or a gateway before it, is busy or broken.
    Nothing,
    /// Any other envelope: this is the API, and it accepts the request.
    Known,
}

impl ReplySign {
    /// Classifies a reply by its HTTP status and by whether its body is the provider's envelope (`is_envelope`).
    pub(super) const fn of(status: u16, is_envelope: bool) -> Self {
        match (status, is_envelope) {
            (403, true) => Self::Forbidden,
            (408 | 429 | 500.., _) => Self::Nothing,
            (_, true) => Self::Known,
            (400..=499, false) => Self::Elsewhere,
            (_, false) => Self::Nothing,
        }
    }
}

/// What the first replies prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// The key may not read run orders.
    Forbidden,
    /// Something other than the provider's API answers.
    NotTheApi,
}

/// Tracks the first replies for as long as they are all alike.
#[derive(Debug, Default)]
pub(super) struct FirstReplies {
    alike: Option<(ReplySign, u32)>,
    settled: bool,
    /// Whether any reply was the provider's envelope.
    has_envelope: bool,
}

impl FirstReplies {
    /// Whether further replies can't lead to a conclusion any more.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether any reply was the provider's envelope.
    pub(super) const fn has_envelope(&self) -> bool {
        self.has_envelope
    }

    /// Notes a reply and returns the conclusion once it is certain.
    pub(super) fn note(&mut self, sign: ReplySign, is_envelope: bool) -> Option<Conclusion> {
        self.has_envelope |= is_envelope;
        if self.settled || sign == ReplySign::Nothing {
            return None;
        }
        let count = match self.alike {
            None => 1,
            Some((first, count)) if first == sign => count + 1,
            Some(_) => ENOUGH,
        };
        let all_alike = self.alike.is_none_or(|(first, _)| first == sign);
        self.settled = self.has_envelope && (count >= ENOUGH || sign == ReplySign::Known);
        self.alike = Some((sign, count));
        match sign {
            ReplySign::Forbidden if count >= ENOUGH && all_alike => Some(Conclusion::Forbidden),
            ReplySign::Elsewhere if count >= ENOUGH && all_alike && !self.has_envelope => Some(Conclusion::NotTheApi),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concluded(sign: impl Iterator<Item = ReplySign>) -> Option<(usize, Conclusion)> {
        let mut first = FirstReplies::default();
        let is_envelope = |sign| matches!(sign, ReplySign::Known | ReplySign::Forbidden);
        sign.enumerate().find_map(|(at, sign)| first.note(sign, is_envelope(sign)).map(|found| (at + 1, found)))
    }

    #[test]
    fn twenty_equal_replies_lead_to_a_conclusion() {
        let all = |sign| std::iter::repeat_n(sign, 100);
        assert_eq!(concluded(all(ReplySign::Forbidden)), Some((20, Conclusion::Forbidden)));
        assert_eq!(concluded(all(ReplySign::Elsewhere)), Some((20, Conclusion::NotTheApi)));
        assert_eq!(concluded(all(ReplySign::Known)), None);
        assert_eq!(concluded(all(ReplySign::Nothing)), None);
    }

    #[test]
    fn one_different_reply_prevents_a_conclusion() {
        for position in 0..20 {
            for other in [ReplySign::Known, ReplySign::Elsewhere] {
                let replies = (0..100).map(|at| if at == position { other } else { ReplySign::Forbidden });
                assert_eq!(concluded(replies), None, "{other:?} at {position}");
            }
        }
        let busy = (0..100).map(|at| if at % 2 == 0 { ReplySign::Nothing } else { ReplySign::Forbidden });
        assert_eq!(concluded(busy), Some((40, Conclusion::Forbidden)), "busy replies say nothing about the key");
    }

    #[test]
    fn any_envelope_proves_that_it_is_the_api() {
        let mut first = FirstReplies::default();
        assert_eq!(first.note(ReplySign::of(500, true), true), None);
        assert!(first.has_envelope() && !first.is_settled());
        assert!((0..100).all(|_| first.note(ReplySign::Elsewhere, false).is_none()));
    }

    #[test]
    fn what_a_status_says() {
        assert_eq!(ReplySign::of(403, true), ReplySign::Forbidden);
        assert_eq!(ReplySign::of(404, true), ReplySign::Known, "the provider has no such order");
        for status in [400, 403, 404, 405, 410] {
            assert_eq!(ReplySign::of(status, false), ReplySign::Elsewhere);
        }
        for status in [200, 302, 408, 429, 500, 503] {
            assert_eq!(ReplySign::of(status, false), ReplySign::Nothing);
        }
        assert_eq!(ReplySign::of(200, true), ReplySign::Known);
    }
}
