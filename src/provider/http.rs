//! One GET to the configured host only, bounded in time and size.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, AUTHORIZATION, CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Client, Method, Proxy, Request, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::departure::{self, Watched};
use super::status::BodyError;
use super::{ApiKey, ListQuery, Options, PAGE_SIZE, ProviderError, key, retry};
use crate::domain::id::RunOrderId;
use crate::domain::outcome::Reason;
use crate::https::{certificates, client, root_cause};

/// The longest body accepted, in bytes, whatever `Content-Length` says.
const MAX_BODY: usize = 1 << 20;
/// The longest time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest time until a reply's headers, connecting included.
const FIRST_BYTE: Duration = Duration::from_secs(15);
/// The longest pause within a body.
const SILENCE: Duration = Duration::from_secs(10);

/// The HTTP client, bound to one provider and one key.
pub(super) struct Http {
    client: Client,
    /// The provider's base URL.
    base: Url,
    /// The endpoint of one order.
    order: Url,
    /// The endpoint of the order list.
    list: Url,
    authorization: HeaderValue,
    timeout: Duration,
    /// Whether [`departure`] watches when requests go out: only a limited rate needs it.
    is_watched: bool,
}

/// A reply whose headers have arrived.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The wait that a readable `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
    /// `Date`, unless the reply comes from a cache.
    date: Option<HeaderValue>,
    pub(super) body: Result<Vec<u8>, BodyError>,
}

impl Reply {
    /// The provider's time; `None` if the reply has no readable `Date`, or comes from a cache.
    pub(super) fn date(&self) -> Option<Timestamp> {
        retry::http_date(self.date.as_ref()?.to_str().ok()?)
    }
}

impl Http {
    pub(super) fn new(options: &Options, key: &ApiKey) -> Result<Self, ProviderError> {
        let base = key::destination(&options.base_url)?;
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        let (order, list) = (at("/workflow/run/info"), at("/workflow/run/list"));
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        let is_watched = options.rate > 0;
        let is_https = base.scheme() == "https";
        let proxy = options.proxy.as_ref().map(|url| proxy(url, is_https)).transpose()?;
        let ca_file = |path: &Path| {
            certificates(path).map_err(|problem| ProviderError::CaFile { path: path.to_owned(), problem })
        };
        let trusted = options.ca_file.as_deref().map(ca_file).transpose()?.unwrap_or_default();
        let client = client(is_https, trusted, |builder| {
            let builder = builder
                .tcp_nodelay(true)
                .connect_timeout(CONNECT.min(options.timeout))
                .pool_max_idle_per_host(options.concurrency)
                .default_headers(headers.clone());
            let builder = if is_watched { builder.connector_layer(Watched) } else { builder };
            proxy.iter().fold(builder, |builder, proxy| builder.proxy(proxy.clone()))
        });
        let client = client.map_err(|error| ProviderError::Client(root_cause(&error)))?;
        Ok(Self {
            client,
            base,
            order,
            list,
            authorization: key.authorization()?,
            timeout: options.timeout,
            is_watched,
        })
    }

    /// The base URL in its normal form, so that one provider has one spelling.
    pub(super) fn base_url(&self) -> String {
        key::without_slash(&self.base)
    }

    /// Scheme, host and port of the provider.
    pub(super) fn origin(&self) -> String {
        self.order.origin().ascii_serialization()
    }

    /// The URL of one order.
    pub(super) fn order(&self, id: &RunOrderId) -> Url {
        with_query(&self.order, &[("run_order_id", id.as_str())])
    }

    /// The URL of a page of the order list; the first page is number 1.
    pub(super) fn list(&self, query: &ListQuery, page: u64) -> Url {
        let (page, size) = (page.to_string(), PAGE_SIZE.to_string());
        let filters = [("workflow_id", &query.workflow_id), ("status", &query.status)];
        let filters = filters.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let parameters: Vec<_> = filters.chain([("page", page.as_str()), ("page_size", size.as_str())]).collect();
        with_query(&self.list, &parameters)
    }

    /// Makes one attempt, which ends by `deadline`. Calls `departed` once the request has certainly gone out. The
    /// reason of a failure names neither the URL nor any header.
    pub(super) async fn get(
        &self,
        url: Url,
        deadline: Option<Instant>,
        departed: impl FnOnce(),
    ) -> Result<Reply, Reason> {
        let start = Instant::now();
        let end = deadline.map_or(start + self.timeout, |deadline| deadline.min(start + self.timeout));
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        let sending = timeout_at(end.min(start + FIRST_BYTE), self.client.execute(request));
        let sent = if self.is_watched { departure::watch(sending, departed).await } else { sending.await };
        let response = match sent {
            Ok(sent) => sent.map_err(|error| failure(&error))?,
            Err(_) => return Err(timed_out("no reply within", FIRST_BYTE.min(self.timeout))),
        };
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = retry::retry_after(header(RETRY_AFTER), header(DATE));
        // `Age` marks a reply from a cache, whose `Date` is when it was stored.
        let date = response.headers().get(DATE).filter(|_| header(AGE).is_none()).cloned();
        let status = response.status().as_u16();
        let body = if is_encoded(response.headers()) {
            let why = "the body is compressed, which was not requested";
            Err(BodyError::Broken(Reason::new("encoded-body", why)))
        } else {
            self.body(response, end).await
        };
        Ok(Reply { status, retry_after, date, body })
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
                    return Err(BodyError::Broken(timed_out("no data in the body for", SILENCE)));
                }
                Err(_) => return Err(BodyError::Broken(timed_out("no complete reply within", self.timeout))),
            }
        }
    }
}

/// Adds query parameters to a URL. Values are percent-encoded, so that none can add a parameter of its own.
fn with_query(endpoint: &Url, parameters: &[(&str, &str)]) -> Url {
    let mut query = String::new();
    for (name, value) in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => query.push(char::from(byte)),
                // Writing to a String can't fail.
                _ => _ = write!(query, "%{byte:02X}"),
            }
        }
    }
    let mut url = endpoint.clone();
    url.set_query(Some(&query));
    url
}

/// Whether `Content-Encoding` names a compression. Other values, such as a character set, are ignored.
fn is_encoded(headers: &HeaderMap) -> bool {
    const COMPRESSIONS: [&str; 7] = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"];
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|coding| COMPRESSIONS.iter().any(|compression| coding.trim().eq_ignore_ascii_case(compression)))
}

/// Reads the proxy's URL. An unreadable one is not shown: it may hold a password.
fn proxy(url: &SecretString, is_https: bool) -> Result<Proxy, ProviderError> {
    if !is_https {
        return Err(ProviderError::ProxySeesKey);
    }
    Proxy::all(url.expose_secret()).map_err(|_| ProviderError::UnreadableProxy)
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
