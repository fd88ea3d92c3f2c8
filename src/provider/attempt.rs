//! One attempt: a GET, its reply within bounds of time and size, and what the reply means.

use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, Url, redirect, retry as http_retry};
use tokio::time::timeout;

use super::key::{ApiKey, destination};
use super::wire::{self, Decoded};
use super::{Options, ProviderError, retry};
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Reason};

const CONNECT: Duration = Duration::from_secs(5);
const FIRST_BYTE: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(10);
/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;
const PATH: &str = "workflow/run/info";

/// What one attempt came to.
#[derive(Debug)]
pub(super) enum Answer {
    /// The order's evidence: nothing more to ask.
    Evidence(Evidence),
    /// The key is not accepted.
    KeyRejected(String),
    /// Too many requests; how long to wait, if the reply says.
    Throttled(Option<Duration>),
    /// Nothing usable; asking again may help.
    Failed(Reason),
}

/// The HTTP client and where it asks.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    key: ApiKey,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(options: &Options, key: ApiKey) -> Result<Self, ProviderError> {
        let mut url = destination(&options.base_url)?;
        let path = format!("{}/{PATH}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, key.authorization()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let http = reqwest::Client::builder()
            .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(http_retry::never())
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(options.concurrency)
            .connect_timeout(CONNECT.min(options.timeout))
            .build()
            .map_err(ProviderError::Client)?;
        Ok(Self { http, url, key, timeout: options.timeout })
    }

    /// Asks once; says also whether there was a reply of whatever kind.
    pub(super) async fn ask(&self, id: &RunOrderId) -> (Answer, bool) {
        let mut replied = false;
        let answer = match timeout(self.timeout, self.exchange(id, &mut replied)).await {
            Ok(answer) => answer,
            Err(_) => failed("timeout", format!("no whole reply within {:?}", self.timeout)),
        };
        (answer, replied)
    }

    async fn exchange(&self, id: &RunOrderId, replied: &mut bool) -> Answer {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("run_order_id", id.as_str());
        let response = match timeout(FIRST_BYTE, self.http.get(url).send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return transport(&error),
            Err(_) => return failed("timeout", format!("no reply began within {FIRST_BYTE:?}")),
        };
        *replied = true;
        let status = response.status().as_u16();
        let wait = {
            let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
            retry::retry_after(header(RETRY_AFTER), header(DATE))
        };
        match status {
            300..400 => {
                // Never followed: the key belongs to the configured host.
                let reason = Reason::new("redirect", format!("HTTP {status}: redirects are not followed"));
                return Answer::Evidence(Evidence::Unfetched(reason));
            }
            408 | 500..=599 => return failed(format!("http-{status}"), "the server failed".to_owned()),
            _ => {}
        }
        match body(response).await {
            Ok(body) => self.understand(status, &body, wait),
            // The status says it all, whatever became of the body.
            Err(_) if status == 429 => Answer::Throttled(wait),
            Err(answer) => answer,
        }
    }

    fn understand(&self, status: u16, body: &[u8], wait: Option<Duration>) -> Answer {
        let said = || self.key.redact(&wire::message(body));
        let reason = || Reason::new(format!("http-{status}"), said());
        match status {
            200 => match wire::decode(body) {
                Decoded::Order(order) => Answer::Evidence(Evidence::Fetched(order)),
                Decoded::Malformed(reason) => Answer::Evidence(Evidence::Malformed(reason)),
                Decoded::NotJson => failed("not-json", "the reply is no JSON".to_owned()),
                Decoded::Code(code) => self.business_code(&code, said(), wait),
            },
            401 => Answer::KeyRejected(said()),
            404 => Answer::Evidence(Evidence::NotFound(reason())),
            429 => Answer::Throttled(wait),
            400..=499 => Answer::Evidence(Evidence::Refused(reason())),
            _ => failed(format!("http-{status}"), "an unexpected status".to_owned()),
        }
    }

    /// What a code other than 0 in a reply of status 200 means.
    fn business_code(&self, code: &str, said: String, wait: Option<Duration>) -> Answer {
        let code = self.key.redact(code);
        let reason = Reason::new(format!("code-{code}"), said);
        match code.parse::<i64>() {
            Ok(401) => Answer::KeyRejected(reason.detail),
            Ok(404) => Answer::Evidence(Evidence::NotFound(reason)),
            Ok(429) => Answer::Throttled(wait),
            Ok(500..=599) => Answer::Failed(reason),
            _ => Answer::Evidence(Evidence::Refused(reason)),
        }
    }
}

/// The body, within bounds; an unexpected end of it is a failure.
async fn body(mut response: Response) -> Result<Vec<u8>, Answer> {
    let mut body = Vec::new();
    loop {
        let chunk = match timeout(SILENCE, response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Err(transport(&error)),
            Err(_) => return Err(failed("timeout", format!("the reply fell silent for {SILENCE:?}"))),
        };
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > LARGEST_BODY {
            let reason = Reason::new("body-too-large", format!("the reply is larger than {LARGEST_BODY} bytes"));
            return Err(Answer::Evidence(Evidence::Unfetched(reason)));
        }
        body.extend_from_slice(&chunk);
    }
}

fn failed(code: impl Into<String>, detail: String) -> Answer {
    Answer::Failed(Reason::new(code, detail))
}

/// A fault of the connection, in words that name neither URL nor header.
fn transport(error: &reqwest::Error) -> Answer {
    let (code, detail) = if error.is_timeout() {
        ("timeout", "the connection timed out")
    } else if error.is_connect() {
        ("connect", "no connection could be made")
    } else if error.is_body() || error.is_decode() {
        ("cut-body", "the reply was cut short")
    } else {
        ("transport", "the connection broke")
    };
    failed(code, detail.to_owned())
}
