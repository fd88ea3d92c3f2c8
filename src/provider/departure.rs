//! When a request really goes out: at once over a connection that is open, else once a new one has been opened.
//!
//! The pacer must know. A provider that is slow to accept would otherwise get, all at the moment it accepts, every
//! request whose turn came while connections were opening.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// The state of the request that is being polled.
    static DEPARTURE: Arc<AtomicU8>;
}

/// No connection had to be opened so far.
const NO_CONNECTION: u8 = 0;
/// One is being opened.
const OPENING: u8 = 1;
/// One was opened, or could not be.
const OPENED: u8 = 2;

/// Runs the sending of a request; calls `departed` as soon as the request is on its way, or has failed.
pub(super) async fn watch<T>(sending: impl Future<Output = T>, departed: impl FnOnce()) -> T {
    let state = Arc::new(AtomicU8::new(NO_CONNECTION));
    let mut sending = std::pin::pin!(DEPARTURE.scope(Arc::clone(&state), sending));
    let mut departed = Some(departed);
    std::future::poll_fn(move |context| {
        let polled = sending.as_mut().poll(context);
        if polled.is_ready() || state.load(Ordering::Relaxed) != OPENING {
            departed.take().into_iter().for_each(|departed| departed());
        }
        polled
    })
    .await
}

/// Tells [`watch`] that connections are being opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched;

/// A connector that tells when it opens a connection.
#[derive(Clone, Debug)]
pub(super) struct WatchedConnector<S>(S);

impl<S> Layer<S> for Watched {
    type Service = WatchedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        WatchedConnector(connector)
    }
}

impl<S, R> Service<R> for WatchedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let opening = self.0.call(target);
        let departure = DEPARTURE.try_with(Arc::clone).ok();
        let note = move |state| departure.iter().for_each(|departure| departure.store(state, Ordering::Relaxed));
        note(OPENING);
        Box::pin(async move {
            let opened = opening.await;
            note(OPENED);
            opened
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    /// A connector that takes a while.
    #[derive(Clone)]
    struct Slow;

    impl Service<()> for Slow {
        type Response = ();
        type Error = ();
        type Future = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            Box::pin(async {
                sleep(Duration::from_millis(50)).await;
                Ok(())
            })
        }
    }

    /// How much of a request of 50 ms (over an open connection) or 100 ms (over a new one) had passed when it departed.
    async fn departs_after(opens: bool) -> Duration {
        let start = tokio::time::Instant::now();
        let mut departed = Duration::ZERO;
        let sending = async {
            if opens {
                Watched.layer(Slow).call(()).await.expect("a connection");
            }
            sleep(Duration::from_millis(50)).await;
        };
        watch(sending, || departed = start.elapsed()).await;
        departed
    }

    #[tokio::test]
    async fn a_request_departs_at_once_or_with_its_connection() {
        assert!(departs_after(false).await < Duration::from_millis(50), "before the reply");
        assert!(departs_after(true).await >= Duration::from_millis(50), "not before the connection");
    }
}
