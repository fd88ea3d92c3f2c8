//! Carries out a fault: turns the right reply into what is sent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};

use super::super::die::Die;
use super::super::header::HeaderText;
use super::super::line::{HangUp, Line, Stopping};
use super::super::reply::Reply;
use super::fault::Fault;
use super::rule::Rule;
use super::{compress, distort};

/// By how many bytes the `Content-Length` of a short body is too large.
const MISSING: usize = 64;
/// Delay before a reset, so that a client on the same machine can first read what was sent.
const RESET_LATER: Duration = Duration::from_millis(20);
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const HTML_BODY: &str = "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n";

/// The request and the connection that a fault affects.
pub(in crate::sandbox) struct Scene {
    /// The requested order's ID; empty if none was requested.
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) seed: u64,
    pub(in crate::sandbox) line: Arc<Line>,
    pub(in crate::sandbox) stopping: Stopping,
}

/// Carries out a rule's fault on a request that would get the reply `right`.
///
/// # Errors
/// [`HangUp`] if no reply is sent at all.
pub(in crate::sandbox) async fn commit(
    rule: &Rule,
    mut scene: Scene,
    right: impl Future<Output = Response>,
) -> Result<Response, HangUp> {
    let mut response = match &rule.fault {
        Fault::CloseBeforeHeaders => return Err(HangUp),
        Fault::ResetBeforeHeaders => {
            scene.line.reset();
            return Err(HangUp);
        }
        Fault::HangBeforeHeaders => {
            scene.stopping.requested().await;
            return Err(HangUp);
        }
        Fault::Slow { delay } => {
            scene.wait(*delay).await;
            right.await
        }
        Fault::Html { status, retry_after } => with_retry_after(page(*status), retry_after.as_ref()),
        Fault::Empty => with_type(JSON, Body::empty()),
        Fault::Status { status, retry_after } => {
            with_retry_after(Reply::failure(*status, "a planned failure").into_response(), retry_after.as_ref())
        }
        Fault::TooMany { retry_after } => with_retry_after(Reply::too_many().into_response(), retry_after.as_ref()),
        Fault::Redirect { to } => {
            with(Reply::failure(302, "see elsewhere").into_response(), header::LOCATION, to.value())
        }
        Fault::NullData => Reply::enveloped(200, "0", "success", "null").into_response(),
        fault => distorted(fault, scene, RightReply::of(right.await).await?)?,
    };
    if let Some(date) = &rule.date {
        response.headers_mut().insert(header::DATE, date.value());
    }
    Ok(response)
}

/// The reply that the request would have got without the fault.
struct RightReply {
    status: StatusCode,
    body: String,
}

impl RightReply {
    async fn of(response: Response) -> Result<Self, HangUp> {
        let status = response.status();
        let body = body::to_bytes(response.into_body(), usize::MAX).await.map_err(|_| HangUp)?;
        Ok(Self { status, body: String::from_utf8(body.into()).map_err(|_| HangUp)? })
    }
}

/// Builds the reply for faults that alter the right reply.
fn distorted(fault: &Fault, scene: Scene, right: RightReply) -> Result<Response, HangUp> {
    let RightReply { status, body } = right;
    let length = body.len();
    let mut response = match fault {
        Fault::CutBody | Fault::ResetBody => {
            let reset = matches!(fault, Fault::ResetBody).then_some(scene.line);
            let mut half = Bytes::from(body);
            half.truncate(length / 2);
            sized(length, then_hang_up(half, reset))
        }
        Fault::ShortBody => sized(length + MISSING, then_hang_up(body.into(), None)),
        Fault::HangAfterHeaders => sized(length, scene.nothing()),
        Fault::Trickle { interval } => sized(length, scene.byte_by_byte(body.into(), *interval)),
        Fault::ChunkedEndless { interval } => with_type(JSON, Body::from_stream(scene.spaces(body.into(), *interval))),
        Fault::CloseAfter => sized(length, then_close(body.into(), scene.line)),
        Fault::GzipBomb => gzipped(compress::bomb(&body).map_err(|_| HangUp)?),
        Fault::Gzip => gzipped(compress::gzip(&body).map_err(|_| HangUp)?),
        Fault::WrongContentType => with_type(HTML, body),
        Fault::Oversize => with_type(JSON, distort::padded(&body)),
        Fault::DuplicateKeys => with_type(JSON, distort::duplicate_keys(&body)),
        Fault::WrongOrder => {
            let other = format!("wfrun_{}", Die::of(scene.seed, &["other order", &scene.id]).hex());
            with_type(JSON, distort::other_order(&body, &other))
        }
        Fault::TrailingBytes => with_type(JSON, distort::trailing(&body)),
        Fault::Deep => with_type(JSON, distort::deep(&body)),
        Fault::Code { code, retry_after } => {
            return Ok(with_retry_after(with_type(JSON, distort::coded(&body, code)), retry_after.as_ref()));
        }
        Fault::CloseBeforeHeaders
        | Fault::ResetBeforeHeaders
        | Fault::HangBeforeHeaders
        | Fault::Slow { .. }
        | Fault::Html { .. }
        | Fault::Empty
        | Fault::Status { .. }
        | Fault::TooMany { .. }
        | Fault::Redirect { .. }
        | Fault::NullData => with_type(JSON, body),
    };
    *response.status_mut() = status;
    Ok(response)
}

impl Scene {
    async fn wait(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stopping.requested() => {}
        }
    }

    /// Waits for `time`.
    ///
    /// # Errors
    /// [`HangUp`] if the sandbox is asked to stop first.
    async fn waited(&mut self, time: Duration) -> Result<(), HangUp> {
        tokio::select! {
            biased;
            () = self.stopping.requested() => Err(HangUp),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    fn nothing(mut self) -> impl Stream<Item = Result<Bytes, HangUp>> {
        stream::once(async move {
            self.stopping.requested().await;
            Err(HangUp)
        })
    }

    /// The body byte by byte, one every `interval`, the first at once.
    fn byte_by_byte(self, body: Bytes, interval: Duration) -> impl Stream<Item = Result<Bytes, HangUp>> {
        stream::try_unfold((self, body, Duration::ZERO), move |(mut scene, mut left, wait)| async move {
            if left.is_empty() {
                return Ok(None);
            }
            if !wait.is_zero() {
                scene.waited(wait).await?;
            }
            Ok(Some((left.split_to(1), (scene, left, interval))))
        })
    }

    /// The body, then a space every `interval`.
    fn spaces(self, body: Bytes, interval: Duration) -> impl Stream<Item = Result<Bytes, HangUp>> {
        let spaces = stream::try_unfold(self, move |mut scene| async move {
            scene.waited(interval).await?;
            Ok(Some((Bytes::from_static(b" "), scene)))
        });
        stream::once(async { Ok(body) }).chain(spaces)
    }
}

fn then_hang_up(body: Bytes, reset: Option<Arc<Line>>) -> impl Stream<Item = Result<Bytes, HangUp>> {
    let hang_up = async move {
        // Yield, so that the bytes so far are sent before the error ends the body.
        tokio::task::yield_now().await;
        if let Some(line) = reset {
            // A reset discards what the client has not read yet, so give it time to read.
            tokio::time::sleep(RESET_LATER).await;
            line.reset();
        }
        Err(HangUp)
    };
    stream::once(async { Ok(body) }).chain(stream::once(hang_up))
}

/// The body; the connection is closed once it has been sent. The headers, sent before, don't announce this.
fn then_close(body: Bytes, line: Arc<Line>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    struct Closing(Arc<Line>);

    impl Drop for Closing {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    stream::unfold((Some(body), Closing(line)), |(body, closing)| async { Some((Ok(body?), (None, closing))) })
}

/// A reply with this `Content-Length`, whatever the body's real length.
fn sized<E>(length: usize, body: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Response
where
    E: std::error::Error + Send + Sync + 'static,
{
    with(with_type(JSON, Body::from_stream(body)), header::CONTENT_LENGTH, length.into())
}

fn gzipped(body: Vec<u8>) -> Response {
    with(with_type(JSON, body), header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
}

fn page(status: u16) -> Response {
    let mut response = with_type(HTML, HTML_BODY);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn with_type(content_type: HeaderValue, body: impl Into<Body>) -> Response {
    with(Response::new(body.into()), header::CONTENT_TYPE, content_type)
}

fn with_retry_after(response: Response, retry_after: Option<&HeaderText>) -> Response {
    match retry_after {
        Some(text) => with(response, header::RETRY_AFTER, text.value()),
        None => response,
    }
}

fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}
