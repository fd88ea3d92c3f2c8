//! A provider of raw bytes, for what the sandbox can't do: it answers each request as a test says, then closes the
//! connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The most bytes of a request's head.
const HEAD: usize = 16 * 1024;

pub(super) struct RawServer {
    pub(super) url: String,
    requests: Arc<AtomicUsize>,
}

impl RawServer {
    /// Answers each request with the bytes that `answer` returns for its head. It listens until the process ends.
    pub(super) fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}/api/open/v2", listener.local_addr().expect("an address"));
        let (answer, requests) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
                thread::spawn(move || {
                    let Some(head) = head(&mut stream) else { return };
                    counted.fetch_add(1, Ordering::Relaxed);
                    // The client may have gone; the test looks at the client's result.
                    let _ = stream.write_all(&answer(&head));
                });
            }
        });
        Self { url, requests }
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A reply: `status` is the status line after `HTTP/1.1`, `headers` are whole lines.
pub(super) fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}").into_bytes()
}

/// The order that a request's head asks for.
pub(super) fn order_of(head: &str) -> &str {
    head.split("run_order_id=").nth(1).and_then(|rest| rest.split([' ', '&']).next()).expect("an order is asked for")
}

/// The body of the reply that the server at a base URL gives to a request with this head.
pub(super) fn body_from(url: &str, head: &str) -> String {
    let address = url.trim_start_matches("http://").split('/').next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = head.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a text");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1024]);
    while !bytes.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        assert!(bytes.len() <= HEAD, "a request without end");
    }
    String::from_utf8(bytes).ok()
}
