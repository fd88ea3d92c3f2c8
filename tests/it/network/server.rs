//! Servers that misbehave below HTTP: each connection is in the hands of the test, byte by byte.

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

/// A request, and the connection that it came over.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) connection: usize,
    pub(super) order: Order,
    /// Whether the key stands in the `Authorization` header and nowhere else.
    is_keyed: bool,
}

/// What a server was asked, and how often it was connected to.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<(usize, Vec<Asked>)>>);

impl Record {
    pub(super) fn connections(&self) -> usize {
        self.0.lock().expect("no test panics with it in hand").0
    }

    /// Every request so far, in the order of arrival.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let asked = self.0.lock().expect("no test panics with it in hand").1.clone();
        assert!(asked.iter().all(|asked| asked.is_keyed), "the key stands in the Authorization header alone");
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

    /// The most requests that arrived within any half-open window of that length.
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

    /// Notes a request; how often its order was asked for by now.
    fn note(&self, asked: Asked) -> usize {
        let mut record = self.0.lock().expect("no test panics with it in hand");
        record.1.push(asked);
        let (_, requests) = &*record;
        requests.iter().filter(|earlier| Some(earlier.order) == requests.last().map(|last| last.order)).count()
    }
}

/// A listener whose connections a test handles, for as long as it lives.
pub(super) struct RawServer {
    pub(super) address: SocketAddr,
    pub(super) record: Record,
    _runtime: Runtime,
}

impl RawServer {
    /// Hands each connection, and its number from 1, to `handle`.
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

    /// Hands each connection to `serve` as a line of requests.
    pub(super) fn start<F>(serve: impl Fn(Line) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::connected(move |stream, connection, record| serve(Line::new(stream, connection, record)))
    }

    /// Answers as the provider does.
    pub(super) fn calm() -> Self {
        Self::start(Line::answer_all)
    }

    /// Does `fault` to the requests that `strikes` names by order and how often it was asked for (from 1); answers the
    /// others.
    pub(super) fn faulty(fault: fn(Order) -> Vec<Act>, strikes: fn(Order, usize) -> bool) -> Self {
        Self::start(move |mut line| async move {
            while let Some(Request { order, time }) = line.request().await {
                if !strikes(order, time) {
                    line.send(&order.reply()).await;
                } else if !line.perform(fault(order)).await {
                    return;
                }
            }
        })
    }

    /// Its base URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}/api/open/v2", self.address)
    }
}

/// A request as a test sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) order: Order,
    /// How often its order was asked for, this time included.
    pub(super) time: usize,
}

/// What a server does in place of a proper reply. After the last act it goes on serving.
pub(super) enum Act {
    Send(Vec<u8>),
    /// One byte each so often.
    Trickle(Vec<u8>, Duration),
    /// The same again and again, for as long as anybody listens.
    Forever(Vec<u8>, Duration),
    /// Nothing more, for as long as anybody listens.
    Hang,
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
}

/// One connection, from the server's side.
pub(super) struct Line<S = TcpStream> {
    stream: S,
    connection: usize,
    record: Record,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(stream: S, connection: usize, record: Record) -> Self {
        Self { stream, connection, record, received: Vec::new() }
    }

    /// The next request; none once the client is gone.
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
        let order = Order::named(id).unwrap_or_else(|| panic!("nobody has an order {id}"));
        let is_keyed = head.contains(&format!("\r\nauthorization: Bearer {KEY}\r\n")) && head.matches(KEY).count() == 1;
        let time = self.record.note(Asked { at: Instant::now(), connection: self.connection, order, is_keyed });
        Some(Request { order, time })
    }

    /// Whether it could be sent.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Answers every request as the provider does.
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

impl Line<TcpStream> {
    /// Whether the connection can be used on.
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
