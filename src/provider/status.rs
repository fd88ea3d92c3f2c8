//! What the HTTP status of a reply means for the requested order or page.

use super::answer::{Answer, FinalAnswer, Unavailable};
use super::limit::{LimitSigns, speaks_of_limit};
use super::wire;
use crate::domain::outcome::Reason;

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than 1 MiB.
    TooLarge,
    /// It broke off, stalled, or is compressed although that was not requested.
    Broken(Reason),
}

impl<K: FinalAnswer> Answer<K> {
    /// Interprets a reply with this HTTP status. Only the provider's envelope says anything about the order: a page
    /// from a gateway, a firewall or a wrong address says nothing, whatever its status.
    pub(super) fn of(status: u16, body: Result<&[u8], BodyError>, signs: LimitSigns<'_>) -> Self {
        let reason = |body: Result<&[u8], BodyError>| {
            Reason::new(format!("http-{status}"), body.map(wire::message).unwrap_or_default())
        };
        match status {
            200 => match body {
                Ok(body) => wire::decode(body, signs).or_limited(signs),
                Err(BodyError::TooLarge) => {
                    let detail = "the reply is larger than 1 MiB; report it to the provider";
                    Self::Final(Unavailable::Unfetched(Reason::new("body-too-large", detail)).into())
                }
                Err(BodyError::Broken(reason)) => Self::Failed(reason),
            },
            401 => Self::KeyRejected(reason(body)),
            429 => Self::Limited(reason(body)),
            _ if signs.has_retry_after => Self::Limited(reason(body)),
            300..=399 => {
                let detail = format!("HTTP status {status}: redirects are never followed; correct the base URL");
                Self::Final(Unavailable::Unfetched(Reason::new("redirect", detail)).into())
            }
            400..=499 if status != 408 => match body {
                Err(BodyError::Broken(reason)) => Self::Failed(reason),
                Err(BodyError::TooLarge) => Self::Failed(foreign(status)),
                Ok(body) => match wire::code_of(body) {
                    None => Self::Failed(foreign(status)),
                    Some(code) if signs.are_clear(&code) => Self::Limited(reason(Ok(body))),
                    Some(_) if speaks_of_limit(&wire::message(body)) => Self::Limited(reason(Ok(body))),
                    Some(_) if status == 404 => Self::Final(Unavailable::NotFound(reason(Ok(body))).into()),
                    Some(_) => Self::Final(Unavailable::Refused(reason(Ok(body))).into()),
                },
            },
            _ => Self::Failed(reason(body)),
        }
    }

    /// Turns a failure with a `Retry-After` into a limit.
    fn or_limited(self, signs: LimitSigns<'_>) -> Self {
        match self {
            Self::Failed(reason) if signs.has_retry_after => Self::Limited(reason),
            answer => answer,
        }
    }
}

/// The reason for a 4xx reply without the provider's envelope.
fn foreign(status: u16) -> Reason {
    Reason::new(format!("http-{status}"), "the reply is not from the provider: it is not JSON with a code")
}

#[cfg(test)]
mod tests {
    use super::super::limit::RetryCodes;
    use super::*;
    use crate::domain::outcome::Evidence;

    const REFUSAL: &[u8] = br#"{"code": 403, "msg": "no"}"#;

    fn answer(status: u16, body: Result<&[u8], BodyError>) -> Answer<Evidence> {
        Answer::of(status, body, LimitSigns { codes: &RetryCodes::default(), has_retry_after: false })
    }

    #[test]
    fn each_status_has_its_meaning() {
        let reason = |code: &str| Reason::new(code, "no");
        let of = |status| answer(status, Ok(REFUSAL));
        assert_eq!(of(200), Answer::Final(Evidence::Refused(reason("code-403"))));
        assert_eq!(of(400), Answer::Final(Evidence::Refused(reason("http-400"))));
        assert_eq!(of(401), Answer::KeyRejected(reason("http-401")));
        assert_eq!(of(403), Answer::Final(Evidence::Refused(reason("http-403"))));
        assert_eq!(of(404), Answer::Final(Evidence::NotFound(reason("http-404"))));
        assert_eq!(of(429), Answer::Limited(reason("http-429")));
        for status in [201, 204, 408, 500, 502, 503, 599, 600] {
            assert_eq!(of(status), Answer::Failed(reason(&format!("http-{status}"))));
        }
        for status in [300, 302, 304, 308] {
            assert!(matches!(of(status), Answer::Final(Evidence::Unfetched(reason)) if reason.code == "redirect"));
        }
    }

    #[test]
    fn only_an_envelope_says_anything_about_an_order() {
        for body in [&b"<html>not found</html>"[..], b"", b"{}", br#"{"error": "no"}"#, br#"{"code": null}"#, b"[404]"]
        {
            for status in [400, 402, 403, 404, 405, 410, 451] {
                let failed = matches!(answer(status, Ok(body)), Answer::Failed(reason) if reason.code == format!("http-{status}"));
                assert!(failed, "{status} {body:?}");
            }
        }
    }

    #[test]
    fn a_limit_is_recognised_without_status_429() {
        let limited = |status: u16, body: &str, signs: LimitSigns<'_>| {
            matches!(Answer::<Evidence>::of(status, Ok(body.as_bytes()), signs), Answer::Limited(_))
        };
        let codes = RetryCodes::new(["10029".to_owned()]);
        let plain = LimitSigns { codes: &codes, has_retry_after: false };
        let with_wait = LimitSigns { has_retry_after: true, ..plain };
        for status in [302, 403, 404, 408, 410, 500, 503] {
            assert!(limited(status, "<html>", with_wait) && !limited(status, "<html>", plain), "{status}");
        }
        for body in [r#"{"code":429}"#, r#"{"code":"10029"}"#, r#"{"code":7,"msg":"too frequent"}"#] {
            assert!([200, 400, 403].iter().all(|status| limited(*status, body, plain)), "{body}");
        }
        assert!(limited(200, r#"{"code":503,"msg":"x"}"#, with_wait) && limited(200, "<html>", with_wait));
        for (status, body) in [(200, r#"{"code":0,"msg":"busy"}"#), (200, r#"{"code":401}"#), (401, r#"{"code":1}"#)] {
            assert!(!limited(status, body, with_wait), "{status} {body}");
        }
        assert!(!limited(200, r#"{"code":503,"msg":"busy"}"#, plain), "retried like any failure");
    }

    #[test]
    fn a_broken_body_is_retried_if_it_would_have_been_read() {
        let broken = || Err(BodyError::Broken(Reason::new("cut-body", "x")));
        for status in [200, 400, 403, 404, 410] {
            assert_eq!(answer(status, broken()), Answer::Failed(Reason::new("cut-body", "x")), "{status}");
        }
        assert_eq!(answer(401, broken()), Answer::KeyRejected(Reason::new("http-401", "")));
        assert_eq!(answer(429, broken()), Answer::Limited(Reason::new("http-429", "")));
        assert_eq!(answer(503, broken()), Answer::Failed(Reason::new("http-503", "")));
        assert!(matches!(answer(404, Err(BodyError::TooLarge)), Answer::Failed(reason) if reason.code == "http-404"));
        let too_large = answer(200, Err(BodyError::TooLarge));
        assert!(matches!(too_large, Answer::Final(Evidence::Unfetched(reason)) if reason.code == "body-too-large"));
    }
}
