//! What the first replies say about all of them: a key or an address that is wrong is no finding about orders. Pure.

/// So many replies of one kind, and no other, say that of all.
const ENOUGH: u32 = 20;

/// What a reply says of the key and the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The provider refuses with status 403.
    Forbidden,
    /// A refusal, and not in the provider's words.
    Elsewhere,
    /// Nothing: the provider, or what stands before it, is busy or broken.
    Nothing,
    /// The provider knows what we ask it.
    Known,
}

impl Said {
    /// What a reply with that status says. `in_words` tells whether its body is JSON as the provider writes it.
    pub(super) const fn by(status: u16, in_words: bool) -> Self {
        match (status, in_words) {
            (403, true) => Self::Forbidden,
            (408 | 429 | 500.., _) => Self::Nothing,
            (_, true) => Self::Known,
            (400..=499, false) => Self::Elsewhere,
            (_, false) => Self::Nothing,
        }
    }
}

/// What the first replies come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// The key may read nothing.
    Forbidden,
    /// It is not the provider's API that answers.
    NotTheApi,
}

/// The replies so far, while they are all alike.
#[derive(Debug, Default)]
pub(super) struct FirstReplies {
    alike: Option<(Said, u32)>,
    settled: bool,
    /// Whether any reply was in the provider's words.
    in_words: bool,
}

impl FirstReplies {
    /// Whether nothing more is to be learnt.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether any reply was in the provider's words.
    pub(super) const fn in_words(&self) -> bool {
        self.in_words
    }

    /// Notes a reply; what they all come to, where that is now certain.
    pub(super) fn note(&mut self, said: Said, in_words: bool) -> Option<Conclusion> {
        self.in_words |= in_words;
        if self.settled || said == Said::Nothing {
            return None;
        }
        let count = match self.alike {
            None => 1,
            Some((first, count)) if first == said => count + 1,
            Some(_) => ENOUGH,
        };
        let all_alike = self.alike.is_none_or(|(first, _)| first == said);
        self.settled = self.in_words && (count >= ENOUGH || said == Said::Known);
        self.alike = Some((said, count));
        match said {
            Said::Forbidden if count >= ENOUGH && all_alike => Some(Conclusion::Forbidden),
            Said::Elsewhere if count >= ENOUGH && all_alike && !self.in_words => Some(Conclusion::NotTheApi),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concluded(said: impl Iterator<Item = Said>) -> Option<(usize, Conclusion)> {
        let mut first = FirstReplies::default();
        let in_words = |said| matches!(said, Said::Known | Said::Forbidden);
        said.enumerate().find_map(|(at, said)| first.note(said, in_words(said)).map(|found| (at + 1, found)))
    }

    #[test]
    fn twenty_alike_say_it_of_all() {
        let all = |said| std::iter::repeat_n(said, 100);
        assert_eq!(concluded(all(Said::Forbidden)), Some((20, Conclusion::Forbidden)));
        assert_eq!(concluded(all(Said::Elsewhere)), Some((20, Conclusion::NotTheApi)));
        assert_eq!(concluded(all(Said::Known)), None);
        assert_eq!(concluded(all(Said::Nothing)), None);
    }

    #[test]
    fn one_other_reply_and_they_are_findings_about_orders() {
        for position in 0..20 {
            for other in [Said::Known, Said::Elsewhere] {
                let replies = (0..100).map(|at| if at == position { other } else { Said::Forbidden });
                assert_eq!(concluded(replies), None, "{other:?} at {position}");
            }
        }
        let busy = (0..100).map(|at| if at % 2 == 0 { Said::Nothing } else { Said::Forbidden });
        assert_eq!(concluded(busy), Some((40, Conclusion::Forbidden)), "a busy provider says nothing of the key");
    }

    #[test]
    fn an_envelope_of_whatever_kind_shows_that_it_is_the_api() {
        let mut first = FirstReplies::default();
        assert_eq!(first.note(Said::by(500, true), true), None);
        assert!(first.in_words() && !first.is_settled());
        assert!((0..100).all(|_| first.note(Said::Elsewhere, false).is_none()));
    }

    #[test]
    fn what_a_status_says() {
        assert_eq!(Said::by(403, true), Said::Forbidden);
        assert_eq!(Said::by(404, true), Said::Known, "the provider knows of no such order");
        for status in [400, 403, 404, 405, 410] {
            assert_eq!(Said::by(status, false), Said::Elsewhere);
        }
        for status in [200, 302, 408, 429, 500, 503] {
            assert_eq!(Said::by(status, false), Said::Nothing);
        }
        assert_eq!(Said::by(200, true), Said::Known);
    }
}
