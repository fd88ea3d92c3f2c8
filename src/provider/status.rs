//! What the HTTP status of a reply means for what was asked for.

use super::answer::{Answer, Known, Lack};
use super::wire;
use crate::domain::outcome::Reason;

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than the program reads.
    TooLarge,
    /// It stopped before its end, or comes in an encoding that was not asked for.
    Broken(Reason),
}

impl<K: Known> Answer<K> {
    /// The meaning of a reply with that HTTP status.
    pub(super) fn of(status: u16, body: Result<&[u8], BodyError>) -> Self {
        // Of a reply that is no success only the status counts; its body is good for a text at most. That text is worth
        // another attempt where the status settles everything.
        let reason = |body: Result<&[u8], BodyError>| {
            Reason::new(format!("http-{status}"), body.map(wire::message).unwrap_or_default())
        };
        match status {
            200 => match body {
                Ok(body) => wire::decode(body),
                Err(BodyError::TooLarge) => {
                    let detail = "the reply is larger than 1 MiB; report it to the provider";
                    Self::Final(Lack::Unfetched(Reason::new("body-too-large", detail)).into())
                }
                Err(BodyError::Broken(reason)) => Self::Failed(reason),
            },
            300..=399 => {
                let detail = format!("HTTP status {status}: redirects are never followed; correct the base URL");
                Self::Final(Lack::Unfetched(Reason::new("redirect", detail)).into())
            }
            401 => Self::KeyRejected(reason(body)),
            408 => Self::Failed(reason(body)),
            429 => Self::Limited,
            400..=499 => match body {
                Err(BodyError::Broken(reason)) => Self::Failed(reason),
                body if status == 404 => Self::Final(Lack::NotFound(reason(body)).into()),
                body => Self::Final(Lack::Refused(reason(body)).into()),
            },
            _ => Self::Failed(reason(body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Evidence;

    const REFUSAL: &[u8] = br#"{"code": 403, "msg": "no"}"#;

    #[test]
    fn each_status_has_its_meaning() {
        let reason = |code: &str| Reason::new(code, "no");
        let of = |status| Answer::<Evidence>::of(status, Ok(REFUSAL));
        assert_eq!(of(200), Answer::Final(Evidence::Refused(reason("code-403"))));
        assert_eq!(of(400), Answer::Final(Evidence::Refused(reason("http-400"))));
        assert_eq!(of(401), Answer::KeyRejected(reason("http-401")));
        assert_eq!(of(403), Answer::Final(Evidence::Refused(reason("http-403"))));
        assert_eq!(of(404), Answer::Final(Evidence::NotFound(reason("http-404"))));
        assert_eq!(of(429), Answer::Limited);
        for status in [201, 204, 408, 500, 502, 503, 599, 600] {
            assert_eq!(of(status), Answer::Failed(reason(&format!("http-{status}"))));
        }
        for status in [300, 302, 304, 308] {
            assert!(matches!(of(status), Answer::Final(Evidence::Unfetched(reason)) if reason.code == "redirect"));
        }
    }

    #[test]
    fn a_broken_body_is_worth_another_attempt_where_it_would_have_been_read() {
        let broken = || Err(BodyError::Broken(Reason::new("cut-body", "x")));
        for status in [200, 400, 403, 404, 410] {
            assert_eq!(
                Answer::<Evidence>::of(status, broken()),
                Answer::Failed(Reason::new("cut-body", "x")),
                "{status}"
            );
        }
        assert_eq!(Answer::<Evidence>::of(401, broken()), Answer::KeyRejected(Reason::new("http-401", "")));
        assert_eq!(Answer::<Evidence>::of(429, broken()), Answer::Limited);
        assert_eq!(Answer::<Evidence>::of(503, broken()), Answer::Failed(Reason::new("http-503", "")));
        let gone = Answer::of(404, Err(BodyError::TooLarge));
        assert_eq!(gone, Answer::Final(Evidence::NotFound(Reason::new("http-404", ""))));
        let too_large = Answer::of(200, Err(BodyError::TooLarge));
        assert!(matches!(too_large, Answer::Final(Evidence::Unfetched(reason)) if reason.code == "body-too-large"));
    }
}
