//! Servers that misbehave below HTTP: a test controls each connection byte by byte.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::job::KEY;
use super::orders::Order;

/// A request and the connection it arrived on.
#[derive(Clone, Debug)]
pub(super) struct RecordedRequest {
    pub(super) at: Instant,
    pub(super) connection: usize,
    pub(super) order: Order,
    /// Whether the key is in the `Authorization` header and nowhere else.
    is_keyed: bool,
}

/// The number of connections to a server, and all requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<(usize, Vec<RecordedRequest>)>>);

impl Record {
    pub(super) fn connections(&self) -> usize {
        self.0.lock().expect("no test panics with it in hand").0
    }

    /// All requests so far, in order of arrival; asserts that each has the key in its `Authorization` header alone.
    pub(super) fn asked(&self) -> Vec<RecordedRequest> {
        let asked = self.0.lock().expect("no test panics with it in hand").1.clone();
        assert!(asked.iter().all(|asked| asked.is_keyed), "the key is only in the Authorization header");
        asked
    }

    /// How often each order was asked for.
    pub(super) fn times(&self) -> BTreeMap<u64, usize> {
        let mut times = BTreeMap::new();
        for asked in self.asked() {
            *times.entry(asked.order.0).or_default() += 1;
        }
        times
    }

    /// The most arrivals within any half-open window of that length.
    pub(super) fn most_within(&self, window: Duration) -> usize {
        let mut arrivals: Vec<Instant> = self.asked().iter().map(|asked| asked.at).collect();
        arrivals.sort();
        let within = |first: &Instant| arrivals.iter().filter(|at| **at >= *first && **at < *first + window).count();
        arrivals.iter().map(within).max().unwrap_or(0)
    }

    fn connected(&self) -> usize {
        let mut record = self.0.lock().expect("no test panics with it in hand");
        record.0 += 1;
        record.0
    }

    /// Records a request; returns how often its order has been asked for.
    fn note(&self, asked: RecordedRequest) -> usize {
        let mut record = self.0.lock().expect("no test panics with it in hand");
        record.1.push(asked);
        let (_, requests) = &*record;
        requests.iter().filter(|earlier| Some(earlier.order) == requests.last().map(|last| last.order)).count()
    }
}

/// A server whose connections a test handles; it stops when dropped.
pub(super) struct RawServer {
    pub(super) address: SocketAddr,
    pub(super) record: Record,
    _runtime: Runtime,
}

impl RawServer {
    /// Passes each connection, with its number from 1, to `handle`.
    pub(super) fn connected<F>(handle: impl Fn(TcpStream, usize, Record) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let (address, record) = (listener.local_addr().expect("its address"), Record::default());
        runtime.spawn({
            let record = record.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(handle(stream, record.connected(), record.clone()));
                }
            }
        });
        Self { address, record, _runtime: runtime }
    }

    /// Passes each connection to `serve` as a [`Connection`].
    pub(super) fn start<F>(serve: impl Fn(Connection) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::connected(move |stream, number, record| serve(Connection::new(stream, number, record)))
    }

    /// A server without faults.
    pub(super) fn faultless() -> Self {
        Self::start(Connection::answer_all)
    }

    /// Performs `fault` on the requests that `selects` picks, by order and by how often it was asked for (from 1);
    /// answers the others.
    pub(super) fn faulty(fault: fn(Order) -> Vec<Act>, selects: fn(Order, usize) -> bool) -> Self {
        Self::start(move |mut connection| async move {
            while let Some(Request { order, time }) = connection.request().await {
                if !selects(order, time) {
                    connection.send(&order.reply()).await;
                } else if !connection.perform(fault(order)).await {
                    return;
                }
            }
        })
    }

    /// The base URL of its API.
    pub(super) fn url(&self) -> String {
        format!("http://{}/api/open/v2", self.address)
    }
}

/// A request as a test sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) order: Order,
    /// How often its order was asked for, including this request.
    pub(super) time: usize,
}

/// What a server does instead of a proper reply. After the last act it continues to serve.
pub(super) enum Act {
    Send(Vec<u8>),
    /// Sends the bytes one by one, with this pause after each.
    Trickle(Vec<u8>, Duration),
    /// Sends the bytes again and again, with this pause, until the client is gone.
    Forever(Vec<u8>, Duration),
    /// Sends nothing more until the client is gone.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
}

/// One connection, from the server's side.
pub(super) struct Connection<S = TcpStream> {
    stream: S,
    number: usize,
    record: Record,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S, number: usize, record: Record) -> Self {
        Self { stream, number, record, received: Vec::new() }
    }

    /// The next request; `None` once the client is gone.
    pub(super) async fn request(&mut self) -> Option<Request> {
        const END: &[u8] = b"\r\n\r\n";
        let length = loop {
            if let Some(at) = self.received.windows(END.len()).position(|bytes| bytes == END) {
                break at + END.len();
            }
            if self.stream.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.received.drain(..length).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        let id = head.split(' ').nth(1).and_then(|target| target.split("run_order_id=").nth(1)).expect("a target");
        let order = Order::named(id).unwrap_or_else(|| panic!("there is no order {id}"));
        let is_keyed = head.contains(&format!("\r\nauthorization: Bearer {KEY}\r\n")) && head.matches(KEY).count() == 1;
        let time = self.record.note(RecordedRequest { at: Instant::now(), connection: self.number, order, is_keyed });
        Some(Request { order, time })
    }

    /// Sends bytes; returns whether that succeeded.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Answers every request properly.
    pub(super) async fn answer_all(mut self) {
        while let Some(request) = self.request().await {
            self.send(&request.order.reply()).await;
        }
    }

    /// Waits until the client is gone.
    pub(super) async fn until_gone(&mut self) {
        while self.stream.read_buf(&mut self.received).await.unwrap_or(0) > 0 {}
    }
}

impl Connection<TcpStream> {
    /// Performs acts; returns whether the connection can still be used.
    pub(super) async fn perform(&mut self, acts: Vec<Act>) -> bool {
        for act in acts {
            let goes_on = match act {
                Act::Send(bytes) => self.send(&bytes).await,
                Act::Trickle(bytes, pause) => self.trickle(&bytes, pause).await,
                Act::Forever(bytes, pause) => {
                    while self.send(&bytes).await {
                        sleep(pause).await;
                    }
                    false
                }
                Act::Hang => {
                    self.until_gone().await;
                    false
                }
                Act::Close => {
                    let _ = self.stream.shutdown().await;
                    false
                }
                Act::Reset => {
                    self.stream.set_zero_linger().expect("an option of every socket");
                    false
                }
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    async fn trickle(&mut self, bytes: &[u8], pause: Duration) -> bool {
        for byte in bytes {
            if !self.send(&[*byte]).await {
                return false;
            }
            sleep(pause).await;
        }
        true
    }
}
