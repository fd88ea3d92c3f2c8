//! Sends messages: each target on its own, bounded in time, and with nothing in an error that is a secret.

use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use reqwest::{Client, Proxy, Request};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::command;
use super::message::{Message, cut};
use super::request::{Ping, arrived, request};
use super::target::{Kind, Target, Way};
use crate::domain::visible::visible;
use crate::https::{certificates, client, root_cause};

/// The longest time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The longest time of a ping at the beginning, which delays the job.
const START: Duration = Duration::from_secs(5);
/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];
/// The most bytes of a reply that are read.
const MAX_REPLY: usize = 8 << 10;
/// The most characters of an error.
const MAX_PROBLEM: usize = 200;

/// How to reach targets.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The proxy for https.
    pub proxy: Option<SecretString>,
    /// A PEM file of certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Variables of the environment that commands don't get.
    pub hidden: Vec<String>,
    /// What ends a text that had to be cut.
    pub cut_mark: String,
}

/// What a target is to get.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// A message.
    Message(Message),
    /// A ping.
    Ping(Ping),
}

/// Sends to each target its own, all at once, and returns how each ended, in the same sequence. An error holds no secret
/// of any of the targets in `all`.
pub fn send(parcels: &[(&Target, Parcel)], all: &[Target], network: &Network) -> Vec<Result<(), String>> {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return parcels.iter().map(|_| Err(format!("can't start the runtime: {error}"))).collect(),
    };
    let ended = runtime.block_on(join_all(parcels.iter().map(async |(target, parcel)| {
        let sent = one(target, parcel, network).await;
        sent.map_err(|problem| {
            let problem = all.iter().fold(problem, |problem, target| target.without_secrets(&problem));
            cut(&visible(problem.trim()), MAX_PROBLEM, |_| 1, "…")
        })
    })));
    // A resolver that hangs must not keep the job.
    runtime.shutdown_background();
    ended
}

async fn one(target: &Target, parcel: &Parcel, network: &Network) -> Result<(), String> {
    match (&target.way, parcel) {
        (Way::Command(arguments), Parcel::Message(message)) => {
            let (arguments, hidden, json) = (arguments.clone(), network.hidden.clone(), message.json.to_string());
            let ran = spawn_blocking(move || command::run(&arguments, &hidden, json)).await;
            ran.unwrap_or_else(|error| Err(error.to_string()))
        }
        (Way::Command(_), Parcel::Ping(_)) => Ok(()),
        (Way::Http { url, secret }, parcel) => {
            let url = url.url().map_err(|error| error.to_string())?;
            let client = client_of(url.scheme() == "https", network)?;
            let make = || match parcel {
                Parcel::Ping(ping) => ping.request(url.clone()),
                Parcel::Message(message) => {
                    let now = Timestamp::now().as_millisecond();
                    request(target.kind, url.clone(), secret.as_ref(), message, &network.cut_mark, now)
                }
            };
            let (limit, pauses): (_, &[Duration]) = match parcel {
                Parcel::Ping(Ping::Start) => (START, &[]),
                _ => (ATTEMPT, &PAUSES),
            };
            attempts(&client, target.kind, make, limit, pauses).await
        }
    }
}

/// How an attempt failed.
struct Failed {
    problem: String,
    /// Whether the next attempt may succeed. One that hangs is not repeated: every target would delay the job by as much.
    is_brief: bool,
}

async fn attempts(
    client: &Client,
    kind: Kind,
    make: impl Fn() -> Request,
    limit: Duration,
    pauses: &[Duration],
) -> Result<(), String> {
    let mut pauses = pauses.iter();
    loop {
        let seconds = limit.as_secs();
        let hangs = || Failed { problem: format!("it did not answer within {seconds} s"), is_brief: false };
        let ended = timeout(limit, attempt(client, kind, make())).await.unwrap_or_else(|_| Err(hangs()));
        let failed = match ended {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        match pauses.next() {
            Some(pause) if failed.is_brief => sleep(*pause).await,
            _ => return Err(failed.problem),
        }
    }
}

async fn attempt(client: &Client, kind: Kind, request: Request) -> Result<(), Failed> {
    let lost = |error: reqwest::Error| Failed { problem: root_cause(&error), is_brief: !error.is_timeout() };
    let mut response = client.execute(request).await.map_err(lost)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    if !kind.answers_in_words() && (200..=299).contains(&status) {
        // It has arrived, whatever becomes of the rest of the reply.
        return Ok(());
    }
    while body.len() < MAX_REPLY
        && let Some(chunk) = response.chunk().await.map_err(lost)?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_REPLY);
    arrived(kind, status, &body)
        .map_err(|problem| Failed { problem, is_brief: status == 429 || (500..=599).contains(&status) })
}

fn client_of(is_https: bool, network: &Network) -> Result<Client, String> {
    // Plain http to this machine needs neither certificates nor a proxy.
    let ca_file = network.ca_file.as_ref().filter(|_| is_https);
    let trusted =
        ca_file.map(|path| certificates(path).map_err(|problem| format!("--ca-file {}: {problem}", path.display())));
    let proxy = network.proxy.as_ref().filter(|_| is_https).map(|url| Proxy::all(url.expose_secret()));
    let proxy = proxy.transpose().map_err(|_| "the URL in --proxy can't be read".to_owned())?;
    let client = client(is_https, trusted.transpose()?.unwrap_or_default(), |builder| {
        proxy.iter().fold(builder.connect_timeout(CONNECT), |builder, proxy| builder.proxy(proxy.clone()))
    });
    client.map_err(|error| root_cause(&error))
}
