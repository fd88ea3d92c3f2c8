//! Accepts connections and serves each until it is closed by the client, by a planned fault, or by stopping the
//! sandbox.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::front::Front;
use super::line::{Line, Stopping};

/// Serves until asked to stop, then waits until the requests in progress are answered.
///
/// # Errors
/// The first error received from `broken`, which ends serving.
pub(super) async fn serve(
    mut listener: TcpListener,
    front: Front,
    stopping: Stopping,
    mut broken: mpsc::UnboundedReceiver<io::Error>,
) -> io::Result<()> {
    let front = Arc::new(front);
    // Every connection holds a sender; nothing is ever sent.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let mut stop = stopping.clone();
    loop {
        let stream = tokio::select! {
            (stream, _) = Listener::accept(&mut listener) => stream,
            () = stop.requested() => break,
            Some(error) = broken.recv() => return Err(error),
        };
        // If this fails, the connection is closed already.
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, Arc::clone(&front), stopping.clone(), open.clone()));
    }
    drop((listener, open));
    all_closed.recv().await;
    Ok(())
}

async fn connection(stream: TcpStream, front: Arc<Front>, mut stopping: Stopping, _open: mpsc::Sender<Infallible>) {
    let line = Arc::new(Line::default());
    let may_close = front.has_faults();
    let service = service_fn({
        let line = Arc::clone(&line);
        move |request| {
            let (front, line) = (Arc::clone(&front), Arc::clone(&line));
            async move { front.answer(request, &line).await }
        }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut last = false;
    loop {
        tokio::select! {
            // It has ended, whatever the result.
            _ = &mut connection => break,
            () = stopping.requested(), if !last => {}
            () = line.closed(), if may_close && !last => {}
        }
        last = true;
        Pin::new(&mut connection).graceful_shutdown();
    }
    if line.is_reset() {
        // If this fails, the client sees a normal close instead of a reset.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
