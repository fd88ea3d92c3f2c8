//! Finds out when a request has certainly gone out: at once over a connection that is already open, otherwise when its
//! reply arrives.
//!
//! The pacer needs to know. Otherwise a provider that is slow to accept connections (or to finish a TLS handshake, or
//! to read) would get all the requests that were released meanwhile in one burst.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// Whether the request being polled had to open a connection.
    static OPENS: Arc<AtomicBool>;
}

/// Runs `sending`; calls `departed` as soon as the request has certainly gone out or failed.
pub(super) async fn watch<T>(sending: impl Future<Output = T>, departed: impl FnOnce()) -> T {
    let opens = Arc::new(AtomicBool::new(false));
    let mut sending = std::pin::pin!(OPENS.scope(Arc::clone(&opens), sending));
    let mut departed = Some(departed);
    std::future::poll_fn(move |context| {
        let polled = sending.as_mut().poll(context);
        if polled.is_ready() || !opens.load(Ordering::Relaxed) {
            departed.take().into_iter().for_each(|departed| departed());
        }
        polled
    })
    .await
}

/// Layer for the HTTP client's connector that makes it report new connections to [`watch`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched;

/// A connector that reports when it opens a connection.
#[derive(Clone, Debug)]
pub(super) struct WatchedConnector<S>(S);

impl<S> Layer<S> for Watched {
    type Service = WatchedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        WatchedConnector(connector)
    }
}

impl<S: Service<R>, R> Service<R> for WatchedConnector<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        // Outside `watch` no request waits for the connection, so there is nothing to report.
        let _ = OPENS.try_with(|opens| opens.store(true, Ordering::Relaxed));
        self.0.call(target)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
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

    /// When `departed` is called for a request that takes 50 ms over an open connection, or 100 ms over a new one.
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
    async fn a_request_departs_at_once_or_with_its_reply() {
        assert!(departs_after(false).await < Duration::from_millis(50), "before the reply");
        assert!(departs_after(true).await >= Duration::from_millis(100), "not before the reply");
    }
}
