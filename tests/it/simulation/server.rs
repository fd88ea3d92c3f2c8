//! The provider: a small HTTP/1.1 server that answers from the truth, records every reply, and can hold requests while
//! a job is killed.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::calendar::{Created, IN_MAY, minute_after, written};
use super::truth::{FIELDS, Failure, Limit, ListAmounts, Order, Reply, money};

/// What was answered to a request.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are about orders")]
pub(super) enum Answer {
    /// The reply to a request for an order, by its ID.
    Order(String, Reply),
    /// A page of the list; `None` where it was refused.
    List(Option<ListAmounts>),
}

/// One request in the log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The start of the job that sent it.
    pub(super) start: usize,
    pub(super) answer: Answer,
    pub(super) is_served: bool,
    /// Whether it arrived before the trap went off.
    pub(super) is_early: bool,
}

/// The data that the server answers from.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) orders: Vec<Order>,
    pub(super) refuses_list: bool,
    /// The most orders that the list has; its total counts no more either.
    pub(super) list_cap: Option<usize>,
    /// How many seconds the provider's clock is ahead of this machine's.
    pub(super) clock_ahead: i64,
    pub(super) log: Vec<Entry>,
    start: usize,
    /// Requests of this start so far.
    requests: usize,
    trap: Option<Trap>,
}

/// A trap that goes off at a request.
struct Trap {
    at: usize,
    /// Whether that request and later ones wait for [`Provider::release`].
    holds: bool,
    is_off: bool,
    released: Option<Release>,
}

/// What happens to held requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    Serve,
    Cut,
}

#[derive(Default)]
struct ServerState {
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// The provider; it stops when dropped.
pub(super) struct Provider {
    state: Arc<ServerState>,
    pub(super) port: u16,
}

impl Provider {
    pub(super) fn start(orders: Vec<Order>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state =
            Arc::new(ServerState { desk: Mutex::new(Desk { orders, ..Desk::default() }), ..ServerState::default() });
        let served = Arc::downgrade(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(state) = served.upgrade() else { return };
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { state, port }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.state.desk.lock().expect("no connection panics")
    }

    /// Begins a new start of the job; returns its number.
    pub(super) fn begin_start(&self) -> usize {
        let mut desk = self.desk();
        (desk.requests, desk.trap) = (0, None);
        desk.start += 1;
        desk.start
    }

    /// Lays a trap at the n-th request of this start.
    pub(super) fn lay_trap(&self, at: usize, holds: bool) {
        self.desk().trap = Some(Trap { at, holds, is_off: false, released: None });
    }

    /// Waits a moment for the trap; returns whether it went off.
    pub(super) fn wait_for_trap(&self, moment: Duration) -> bool {
        let is_set = |desk: &mut Desk| desk.trap.as_ref().is_some_and(|trap| !trap.is_off);
        let (desk, _) = self.state.changed.wait_timeout_while(self.desk(), moment, is_set).expect("no panic");
        desk.trap.as_ref().is_some_and(|trap| trap.is_off)
    }

    /// Releases held requests.
    pub(super) fn release(&self, how: Release) {
        if let Some(trap) = &mut self.desk().trap {
            trap.released = Some(how);
        }
        self.state.changed.notify_all();
    }

    pub(super) fn log(&self) -> Vec<Entry> {
        self.desk().log.clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.release(Release::Cut);
        // One last connection wakes the accepting thread, which then ends.
        let (port, state) = (self.port, std::mem::take(&mut self.state));
        drop(state);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, state: &ServerState) {
    let _ = stream.set_nodelay(true);
    let (mut input, mut output) = (BufReader::new(stream), stream);
    while let Some(target) = request(&mut input) {
        let Some((at, HttpReply { status, header, body }, ahead)) = state.answer(&target) else { return };
        let date = (Timestamp::now() + SignedDuration::from_secs(ahead)).strftime("%a, %d %b %Y %H:%M:%S GMT");
        let length = body.len();
        let reply = format!("HTTP/1.1 {status} -\r\n{header}Date: {date}\r\nContent-Length: {length}\r\n\r\n{body}");
        state.desk.lock().expect("no panic").log[at].is_served = true;
        if output.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// An HTTP reply.
struct HttpReply {
    status: u16,
    /// Header lines.
    header: &'static str,
    body: String,
}

const JSON: &str = "Content-Type: application/json\r\n";
const LIMITED: &str = "Content-Type: application/json\r\nRetry-After: 0\r\n";
const PAGE: &str = "Content-Type: text/html\r\n";

/// The target of the next request; `None` once the client is gone.
fn request(input: &mut impl BufRead) -> Option<String> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        match input.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line.trim_end().is_empty() => break,
            Ok(_) => head.push(line),
        }
    }
    head.first()?.split(' ').nth(1).map(str::to_owned)
}

impl ServerState {
    /// Records a request and returns the reply; `None` if the job was killed meanwhile.
    fn answer(&self, target: &str) -> Option<(usize, HttpReply, i64)> {
        let mut desk = self.desk.lock().expect("no panic");
        desk.requests += 1;
        let (answer, sent) = desk.reply(target);
        let ahead = desk.clock_ahead;
        let (start, requests, at) = (desk.start, desk.requests, desk.log.len());
        let is_hit = desk.trap.as_ref().is_some_and(|trap| requests >= trap.at);
        desk.log.push(Entry { start, answer, is_served: false, is_early: !is_hit });
        if is_hit {
            let trap = desk.trap.as_mut()?;
            trap.is_off = true;
            self.changed.notify_all();
            if trap.holds {
                // A new trap releases the requests that the first one held.
                let first = trap.at;
                let own = |desk: &Desk| desk.trap.as_ref().filter(|trap| trap.at == first)?.released;
                let is_held = |desk: &mut Desk| {
                    let is_own = desk.trap.as_ref().is_some_and(|trap| trap.at == first);
                    desk.start == start && is_own && own(desk).is_none()
                };
                let desk = self.changed.wait_while(desk, is_held).expect("no panic");
                let is_cut = own(&desk) == Some(Release::Cut);
                return (desk.start == start && !is_cut).then_some((at, sent, ahead));
            }
        }
        Some((at, sent, ahead))
    }
}

impl Desk {
    fn reply(&mut self, target: &str) -> (Answer, HttpReply) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/api/open/v2/workflow/run/info" => {
                let id = query.strip_prefix("run_order_id=").unwrap_or_default();
                let reply = self.orders.iter_mut().find(|order| order.id == id).map_or(Reply::NotFound, Order::reply);
                let sent = order_sent(id, &reply);
                (Answer::Order(id.to_owned(), reply), sent)
            }
            "/api/open/v2/workflow/run/list" if !self.refuses_list => {
                let cap = self.list_cap.unwrap_or(usize::MAX);
                let listed: ListAmounts =
                    self.known().take(cap).map(|order| (order.id.clone(), order.listed())).collect();
                let items: Vec<String> = match query.split('&').any(|pair| pair == "page=1") {
                    true => self.known().take(cap).map(item_json).collect(),
                    false => Vec::new(),
                };
                let (items, total) = (items.join(","), listed.len());
                let body = format!(r#"{{"code":0,"msg":"ok","data":{{"items":[{items}],"total":{total}}}}}"#);
                (Answer::List(Some(listed)), HttpReply { status: 200, header: JSON, body })
            }
            _ => (Answer::List(None), refusal(400, "not today")),
        }
    }

    fn known(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| !order.is_gone)
    }
}

/// A refusal in the provider's own envelope.
fn refusal(status: u16, msg: &str) -> HttpReply {
    HttpReply { status, header: JSON, body: format!(r#"{{"code":{status},"msg":"{msg}","data":null}}"#) }
}

fn order_sent(id: &str, reply: &Reply) -> HttpReply {
    let (about, is_settled, amounts, created) = match reply {
        Reply::NotFound => return refusal(404, "no such order"),
        Reply::Failed(Failure::Internal) => return refusal(500, "internal error"),
        Reply::Failed(Failure::Gateway(status)) => {
            let body = format!("<html><title>{status}</title><h1>{status}</h1><hr>openresty</html>");
            return HttpReply { status: *status, header: PAGE, body };
        }
        Reply::Limited(Limit::Status) => return HttpReply { header: LIMITED, ..refusal(429, "slow down") },
        Reply::Limited(Limit::Refusal) => return HttpReply { header: LIMITED, ..refusal(403, "denied") },
        Reply::Limited(Limit::Words) => {
            let body = r#"{"code":50013,"msg":"requests are too frequent","data":null}"#.to_owned();
            return HttpReply { status: 200, header: LIMITED, body };
        }
        Reply::Malformed => {
            (id, true, [const { Some("0.123456789") }; 6].map(|text| text.map(str::to_owned)), Some(IN_MAY))
        }
        Reply::Foreign(other) => {
            (other.as_str(), true, [2, 1, 1, 1, 0, 1].map(|units| Some(money(units))), Some(IN_MAY))
        }
        Reply::Order { is_settled, amounts, created } => {
            (id, *is_settled, amounts.map(|amount| amount.map(money)), *created)
        }
    };
    let body = format!(r#"{{"code":0,"msg":"ok","data":{}}}"#, facts_json(about, is_settled, &amounts, created));
    HttpReply { status: 200, header: JSON, body }
}

fn facts_json(id: &str, is_settled: bool, amounts: &[Option<String>; 6], created: Created) -> String {
    let [created, updated] = [created, created.map(minute_after)].map(|time| quoted(time.map(written).as_deref()));
    let [freeze, run, settlement] =
        if is_settled { ["released", "succeeded", "settled"] } else { ["frozen", "running", "pending"] };
    let mut json = format!(
        r#"{{"run_order_id":"{id}","workflow_id":"{}","revision_id":"wfr_1","quote_currency":"CNY","freeze_status":"{freeze}","submission_status":"submitted","run_status":"{run}","settlement_status":"{settlement}","created_at":{created},"updated_at":{updated}"#,
        Order::workflow(id),
    );
    for (name, amount) in FIELDS.iter().zip(amounts) {
        _ = write!(json, r#","{name}":{}"#, quoted(amount.as_deref()));
    }
    json + "}"
}

fn item_json(order: &Order) -> String {
    let [quote, charged] = order.listed().map(|amount| quoted(amount.map(money).as_deref()));
    let (id, workflow) = (&order.id, Order::workflow(&order.id));
    let created = quoted(order.created.map(written).as_deref());
    let run = if order.is_settled { "succeeded" } else { "running" };
    format!(
        r#"{{"run_order_id":"{id}","workflow_id":"{workflow}","revision_id":"wfr_1","title":"a fox","run_status":"{run}","quote_amount":{quote},"final_amount":{charged},"created_at":{created}}}"#
    )
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("\"{text}\""))
}
