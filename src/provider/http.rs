//! One GET: over a connection that goes to the configured host alone, bounded in time and size.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url, redirect};
use tokio::time::{Instant, timeout_at};

use super::status::BodyError;
use super::{ApiKey, Options, ProviderError, key, retry};
use crate::domain::id::RunOrderId;
use crate::domain::outcome::Reason;

/// The most bytes of a body that are read, whatever `Content-Length` says.
const MAX_BODY: usize = 1 << 20;
/// The longest time to a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest time to a reply's headers, connecting included.
const FIRST_BYTE: Duration = Duration::from_secs(15);
/// The longest silence within a body.
const SILENCE: Duration = Duration::from_secs(10);

/// The client, bound to one endpoint and one key.
pub(super) struct Http {
    client: Client,
    endpoint: Url,
    authorization: HeaderValue,
    timeout: Duration,
}

/// A reply whose headers came.
pub(super) struct Reply {
    pub(super) status: u16,
    /// How long the provider asks to wait, where it does so readably.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Result<Vec<u8>, BodyError>,
}

impl Http {
    pub(super) fn new(options: &Options, key: &ApiKey) -> Result<Self, ProviderError> {
        let mut endpoint = key::destination(&options.base_url)?;
        endpoint.set_path(&format!("{}/workflow/run/info", endpoint.path().trim_end_matches('/')));
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        let client = Client::builder()
            .tls_backend_rustls()
            .https_only(endpoint.scheme() == "https")
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT.min(options.timeout))
            .pool_max_idle_per_host(options.concurrency)
            .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .build()
            .map_err(|error| ProviderError::Client(root_cause(&error)))?;
        Ok(Self { client, endpoint, authorization: key.authorization()?, timeout: options.timeout })
    }

    /// The address of one order. Whatever stands in the ID stays within the one parameter.
    pub(super) fn url(&self, id: &RunOrderId) -> Url {
        let mut query = String::from("run_order_id=");
        for byte in id.as_str().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => query.push(char::from(byte)),
                // Writing to a text never fails.
                _ => _ = write!(query, "%{byte:02X}"),
            }
        }
        let mut url = self.endpoint.clone();
        url.set_query(Some(&query));
        url
    }

    /// One attempt. The reason of a failure names neither the address nor any header.
    pub(super) async fn get(&self, url: Url) -> Result<Reply, Reason> {
        let start = Instant::now();
        let end = start + self.timeout;
        let request = self.client.get(url).header(AUTHORIZATION, self.authorization.clone());
        let response = match timeout_at(end.min(start + FIRST_BYTE), request.send()).await {
            Ok(sent) => sent.map_err(|error| failure(&error))?,
            Err(_) => return Err(timed_out("no reply within", FIRST_BYTE.min(self.timeout))),
        };
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = retry::retry_after(header(RETRY_AFTER), header(DATE));
        Ok(Reply { status: response.status().as_u16(), retry_after, body: self.body(response, end).await })
    }

    async fn body(&self, mut response: Response, end: Instant) -> Result<Vec<u8>, BodyError> {
        let mut body = Vec::new();
        loop {
            let silence = Instant::now() + SILENCE;
            match timeout_at(end.min(silence), response.chunk()).await {
                Ok(Ok(Some(chunk))) if chunk.len() > MAX_BODY - body.len() => return Err(BodyError::TooLarge),
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(body),
                Ok(Err(error)) => return Err(BodyError::Broken(Reason::new("cut-body", root_cause(&error)))),
                Err(_) if silence < end => {
                    return Err(BodyError::Broken(timed_out("silence in the body for", SILENCE)));
                }
                Err(_) => return Err(BodyError::Broken(timed_out("not the whole reply within", self.timeout))),
            }
        }
    }
}

fn timed_out(what: &str, limit: Duration) -> Reason {
    Reason::new("timeout", format!("{what} {} s", limit.as_secs_f64()))
}

fn failure(error: &reqwest::Error) -> Reason {
    let code = match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "connect",
        _ => "connection",
    };
    Reason::new(code, root_cause(error))
}

/// The innermost cause, for the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if cause.is::<reqwest::Error>() { "the HTTP client gives no cause".to_owned() } else { cause.to_string() }
}
