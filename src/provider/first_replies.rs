//! What the first replies say about all of them: a key or an address that is wrong is no finding about orders. Pure.

use super::Stop;

/// So many replies of one kind, and no other, end the run.
const ENOUGH: u32 = 20;

/// What a reply says of the key and the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Status 403.
    Forbidden,
    /// Status 404, and not in the provider's words.
    NoSuchPage,
    /// Nothing: the provider is busy or broken.
    Nothing,
    /// The provider knows what we ask it.
    Known,
}

impl Said {
    /// What a reply with that status says. `in_words` tells whether its body is JSON as the provider writes it.
    pub(super) const fn by(status: u16, in_words: bool) -> Self {
        match status {
            403 => Self::Forbidden,
            404 if !in_words => Self::NoSuchPage,
            408 | 429 | 500.. => Self::Nothing,
            _ => Self::Known,
        }
    }
}

/// The replies so far, while they are all alike.
#[derive(Debug, Default)]
pub(super) struct FirstReplies {
    alike: Option<(Said, u32)>,
    settled: bool,
}

impl FirstReplies {
    /// Notes a reply; why the run ends, where that is now certain.
    pub(super) fn note(&mut self, said: Said) -> Option<Stop> {
        if self.settled || said == Said::Nothing {
            return None;
        }
        let count = match self.alike {
            None => 1,
            Some((first, count)) if first == said => count + 1,
            Some(_) => ENOUGH,
        };
        self.settled = count >= ENOUGH || said == Said::Known;
        let all_alike = self.alike.is_none_or(|(first, _)| first == said);
        self.alike = Some((said, count));
        match said {
            Said::Forbidden if self.settled && all_alike => Some(Stop::Forbidden),
            Said::NoSuchPage if self.settled && all_alike => Some(Stop::NotTheApi),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops_at(said: impl Iterator<Item = Said>) -> Option<(usize, Stop)> {
        let mut first = FirstReplies::default();
        said.enumerate().find_map(|(at, said)| first.note(said).map(|stop| (at + 1, stop)))
    }

    #[test]
    fn twenty_alike_end_the_run() {
        let all = |said| std::iter::repeat_n(said, 100);
        assert_eq!(stops_at(all(Said::Forbidden)), Some((20, Stop::Forbidden)));
        assert_eq!(stops_at(all(Said::NoSuchPage)), Some((20, Stop::NotTheApi)));
        assert_eq!(stops_at(all(Said::Known)), None);
        assert_eq!(stops_at(all(Said::Nothing)), None);
    }

    #[test]
    fn one_other_reply_and_they_are_findings_about_orders() {
        for position in 0..20 {
            for other in [Said::Known, Said::NoSuchPage] {
                let replies = (0..100).map(|at| if at == position { other } else { Said::Forbidden });
                assert_eq!(stops_at(replies), None, "{other:?} at {position}");
            }
        }
        let busy = (0..100).map(|at| if at % 2 == 0 { Said::Nothing } else { Said::Forbidden });
        assert_eq!(stops_at(busy), Some((40, Stop::Forbidden)), "a busy provider says nothing of the key");
    }

    #[test]
    fn what_a_status_says() {
        assert_eq!(Said::by(403, true), Said::Forbidden);
        assert_eq!(Said::by(404, true), Said::Known, "the provider knows of no such order");
        assert_eq!(Said::by(404, false), Said::NoSuchPage);
        for status in [408, 429, 500, 503] {
            assert_eq!(Said::by(status, false), Said::Nothing);
        }
        assert_eq!(Said::by(200, true), Said::Known);
    }
}
