//! A receiver of messages on a real socket. It verifies signatures with its own arithmetic, and misbehaves on demand.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The secret with which messages to this receiver are signed.
pub const SECRET: &str = "SECofthereceiver密钥";
/// A part of every URL of this receiver, and as secret.
pub const TOKEN: &str = "tokenoftheurl0123";

/// How the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    Good,
    Hangs,
    Fails,
    Redirects,
    /// Repeats what it got, with the secret, as an error.
    Echoes,
    /// Answers with status 200, and never ends its reply.
    NeverEnds,
}

/// A message that arrived: the first part of the path, the whole path with the query, and the body.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub service: String,
    pub uri: String,
    pub body: Vec<u8>,
}

impl Arrival {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The text for people, wherever the service has it.
    pub fn text(&self) -> String {
        let body = self.json();
        let text =
            ["/content/text", "/text/content", "/text"].into_iter().find_map(|path| body.pointer(path)?.as_str());
        text.expect("a text").to_owned()
    }
}

#[derive(Clone)]
struct Shared {
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    manners: Arc<Mutex<Manners>>,
}

pub struct Receiver {
    _runtime: Runtime,
    base: String,
    shared: Shared,
}

/// Takes TLS connections; those that fail are dropped.
struct TlsListener(TcpListener, TlsAcceptor);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Receiver {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts with TLS for `localhost`, if there is an acceptor.
    pub fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Shared { arrivals: Arc::default(), manners: Arc::new(Mutex::new(Manners::Good)) };
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let base = match tls {
            Some(acceptor) => {
                runtime.spawn(async move { axum::serve(TlsListener(listener, acceptor), router).await });
                format!("https://localhost:{port}")
            }
            None => {
                runtime.spawn(async move { axum::serve(listener, router).await });
                format!("http://127.0.0.1:{port}")
            }
        };
        Self { _runtime: runtime, base, shared }
    }

    /// The URL for a service, which holds the token.
    pub fn url(&self, service: &str) -> String {
        match service {
            "dingtalk" => format!("{}/dingtalk?access_token={TOKEN}", self.base),
            service => format!("{}/{service}/{TOKEN}", self.base),
        }
    }

    pub fn behave(&self, manners: Manners) {
        *self.shared.manners.lock().expect("no panic") = manners;
    }

    /// What arrived since the last call.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.shared.arrivals.lock().expect("no panic"))
    }
}

async fn receive(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let service = uri.path().split('/').nth(1).unwrap_or_default().to_owned();
    let arrival = Arrival { service: service.clone(), uri: uri.to_string(), body: body.to_vec() };
    shared.arrivals.lock().expect("no panic").push(arrival);
    let manners = *shared.manners.lock().expect("no panic");
    match manners {
        Manners::Good => {}
        Manners::Hangs => pending().await,
        Manners::Fails => return (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
        Manners::NeverEnds => {
            return Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>()).into_response();
        }
        Manners::Redirects => {
            return (StatusCode::FOUND, [("location", format!("/elsewhere/{TOKEN}"))]).into_response();
        }
        Manners::Echoes => {
            let echo = format!("{uri} {SECRET} \u{1b}[31m {}", String::from_utf8_lossy(&body));
            let reply = json!({ "code": 1, "msg": echo, "errcode": 1, "errmsg": echo });
            return (StatusCode::OK, reply.to_string()).into_response();
        }
    }
    let refusal =
        |code: i64, why: &str| json!({ "code": code, "msg": why, "errcode": code, "errmsg": why }).to_string();
    match service.as_str() {
        "feishu" if !is_from_feishus_sender(&body) => refusal(19021, "sign match fail").into_response(),
        "feishu" => json!({ "code": 0, "msg": "success" }).to_string().into_response(),
        "dingtalk" if !is_from_dingtalks_sender(&uri) => refusal(310_000, "sign not match").into_response(),
        "dingtalk" | "wecom" => json!({ "errcode": 0, "errmsg": "ok" }).to_string().into_response(),
        "slack" => "ok".into_response(),
        "webhook" if !is_signed(&headers, &body) => StatusCode::UNAUTHORIZED.into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

fn is_from_feishus_sender(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let (Some(time), Some(sign)) = (body["timestamp"].as_str(), body["sign"].as_str()) else { return false };
    let key = format!("{time}\n{SECRET}");
    is_now(time, 1) && sign == STANDARD.encode(hmac(key.as_bytes(), b""))
}

fn is_from_dingtalks_sender(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let parameters: HashMap<&str, &str> = query.split('&').filter_map(|part| part.split_once('=')).collect();
    let (Some(time), Some(sign)) = (parameters.get("timestamp"), parameters.get("sign")) else { return false };
    let expected = STANDARD.encode(hmac(SECRET.as_bytes(), format!("{time}\n{SECRET}").as_bytes()));
    let expected = expected.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    is_now(time, 1_000) && *sign == expected
}

fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let signature = headers.get("x-tieout-signature").and_then(|value| value.to_str().ok());
    let digits: String = hmac(SECRET.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect();
    signature == Some(&format!("sha256={digits}"))
}

/// Whether a time, in units of which so many make a second, is the current one. The services accept an hour.
fn is_now(time: &str, units: u64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let time = time.parse::<u64>().map(|time| Duration::from_secs(time / units));
    time.is_ok_and(|time| now.abs_diff(time) < Duration::from_secs(60))
}

/// HMAC-SHA256 as RFC 2104 defines it.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
