//! The request that carries a message, and whether its reply means that the message has arrived.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::message::{Message, cut};
use super::sign;
use super::target::Kind;

/// The header with the signature of a generic webhook.
const SIGNATURE: HeaderName = HeaderName::from_static("x-tieout-signature");
/// The media type of all messages.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What a target for pings is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// A job begins.
    Start,
    /// It has ended well: with exit code 0, or with 1, which is a finding.
    Success,
    /// It has ended in any other way.
    Fail,
}

impl Ping {
    /// The ping at the end of a job.
    #[must_use]
    pub const fn of_exit(code: u8) -> Self {
        if code <= 1 { Self::Success } else { Self::Fail }
    }

    /// The request for it.
    pub(super) fn request(self, mut url: Url) -> Request {
        let end = match self {
            Self::Start => "/start",
            Self::Success => "",
            Self::Fail => "/fail",
        };
        let path = format!("{}{end}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Request::new(Method::GET, url)
    }
}

/// The request that carries a message, signed at this time. `mark` ends a text that had to be cut.
pub(super) fn request(
    kind: Kind,
    mut url: Url,
    secret: Option<&SecretString>,
    message: &Message,
    mark: &str,
    milliseconds: i64,
) -> Request {
    let text = text(kind, &message.text, mark);
    let mut signature = None;
    let body = match kind {
        Kind::Feishu => {
            let mut body = json!({ "msg_type": "text", "content": { "text": text } });
            if let (Some(secret), Value::Object(body)) = (secret, &mut body) {
                let seconds = milliseconds.div_euclid(1_000);
                body.insert("timestamp".to_owned(), seconds.to_string().into());
                body.insert("sign".to_owned(), sign::feishu(seconds, secret.expose_secret()).into());
            }
            body
        }
        Kind::DingTalk => {
            if let Some(secret) = secret {
                let signature = sign::dingtalk(milliseconds, secret.expose_secret());
                url.query_pairs_mut()
                    .append_pair("timestamp", &milliseconds.to_string())
                    .append_pair("sign", &signature);
            }
            json!({ "msgtype": "text", "text": { "content": text } })
        }
        Kind::WeCom => json!({ "msgtype": "text", "text": { "content": text } }),
        Kind::Slack => json!({ "text": text }),
        Kind::Webhook | Kind::Command | Kind::Healthchecks => message.json.clone(),
    };
    let body = body.to_string().into_bytes();
    if let (Kind::Webhook, Some(secret)) = (kind, secret) {
        signature = HeaderValue::try_from(format!("sha256={}", sign::webhook(&body, secret.expose_secret()))).ok();
    }
    let mut request = Request::new(Method::POST, url);
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    request.headers_mut().extend(signature.map(|signature| (SIGNATURE, signature)));
    *request.body_mut() = Some(body.into());
    request
}

/// The text as the service takes it: not too long, and with nothing that mentions everyone or becomes a link.
fn text(kind: Kind, text: &str, mark: &str) -> String {
    let (most, width) = kind.limit();
    match kind {
        Kind::Slack => {
            let text = cut(text, most, width, mark);
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        }
        _ => cut(&text.replace('<', "＜"), most, width, mark),
    }
}

/// Whether a reply is a word such as `invalid_token`, as Slack answers.
fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether a reply means that the message has arrived.
///
/// # Errors
/// What the service says instead, which may repeat secrets.
pub(super) fn arrived(kind: Kind, status: u16, body: &[u8]) -> Result<(), String> {
    // Only whole JSON replies and single words are shown: in others a secret may be cut or written in any way.
    let reply: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = ["msg", "errmsg", "StatusMessage", "error"].iter().find_map(|key| reply.get(key)?.as_str());
    let message = message.or_else(|| str::from_utf8(body).ok().filter(|text| is_word(text)));
    let says = |ours: String| match message {
        Some(message) => format!("{ours}: {message}"),
        None => ours,
    };
    match status {
        200..=299 => {}
        300..=399 => return Err(format!("HTTP {status}: redirects are not followed; give the final URL")),
        _ => return Err(says(format!("HTTP {status}"))),
    }
    let code_keys: &[&str] = match kind {
        Kind::Feishu => &["code", "StatusCode"],
        Kind::DingTalk | Kind::WeCom => &["errcode"],
        Kind::Slack if body.trim_ascii() == b"ok" => return Ok(()),
        Kind::Slack => return Err(says("it did not answer ok".to_owned())),
        Kind::Webhook | Kind::Command | Kind::Healthchecks => return Ok(()),
    };
    match code_keys.iter().find_map(|key| reply.get(key)?.as_i64()) {
        Some(0) => Ok(()),
        Some(code) if message.is_none() => Err(format!("it answered with code {code}: it does not say why")),
        Some(code) => Err(says(format!("it answered with code {code}"))),
        None => Err(says(format!("its answer is not that of {}", kind.code()))),
    }
}

#[cfg(test)]
mod tests;
