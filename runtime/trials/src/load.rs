//! Constant load: connections that are kept, requests one after the other, every answer counted. Nothing is tried again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The header in which answers say what the proxy that gave them was last told; those without say it by their status.
pub const STATE: &str = "x-state";
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a request that was lost, so that a dead proxy does not make a busy loop.
const PAUSE_AFTER_LOSS: Duration = Duration::from_millis(5);
/// No answer for so long: nobody gets one.
const STALLED: Duration = Duration::from_millis(400);
/// So many losses are told one by one.
const TOLD: usize = 20;

/// What is sent, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    pub address: SocketAddr,
    pub host: String,
    pub path: String,
    pub connections: usize,
    /// A status beside 200 that is no loss.
    pub also: Option<u16>,
    /// Between an answer and the next request of a connection.
    pub pause: Duration,
}

/// Load that is being made. Dropping it ends it.
#[derive(Debug)]
pub struct Load {
    seen: Arc<Mutex<Seen>>,
    stop: watch::Sender<bool>,
    connections: JoinSet<()>,
}

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    /// Answers but 200, and requests without an answer.
    pub lost: u64,
    /// The first of them: when, counted from the load's start, and what happened.
    pub losses: Vec<(Duration, String)>,
    /// The longest time between a request and its answer.
    pub slowest: Duration,
    /// How often a connection was opened.
    pub connects: u64,
}

#[derive(Debug)]
struct Seen {
    started: Instant,
    tally: Tally,
    /// What the answer to the latest request said, the request's place in time, and since when they say nothing else.
    state: Option<(String, Instant, Instant)>,
    /// By what they said.
    answers: BTreeMap<String, Answers>,
}

/// Answers that said the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    pub count: u64,
    /// When the first of them came.
    pub first: Instant,
    /// When the last of their requests was sent.
    pub asked_last: Instant,
}

impl Plan {
    /// Eight connections without a pause.
    pub fn full(address: SocketAddr) -> Self {
        Self {
            address,
            host: "trial".to_owned(),
            path: "/".to_owned(),
            connections: 8,
            also: None,
            pause: Duration::ZERO,
        }
    }

    /// Some thousand requests a second: steady, and not at the cost of everything else on the machine.
    pub fn steady(address: SocketAddr) -> Self {
        Self { pause: Duration::from_millis(3), ..Self::full(address) }
    }

    pub fn start(self) -> Load {
        let stop = watch::Sender::new(false);
        let (tally, answers) = (Tally::default(), BTreeMap::new());
        let seen = Seen { started: Instant::now(), tally, state: None, answers };
        let mut load = Load { seen: Arc::new(Mutex::new(seen)), stop, connections: JoinSet::new() };
        load.add(&self);
        load
    }
}

impl Load {
    /// More requests, which are counted with the others.
    pub fn add(&mut self, plan: &Plan) {
        for _ in 0..plan.connections {
            self.connections.spawn(requests(plan.clone(), Arc::clone(&self.seen), self.stop.subscribe()));
        }
    }

    /// So far.
    pub fn tally(&self) -> Tally {
        lock(&self.seen).tally.clone()
    }

    /// What was answered so far, by what the answers said.
    pub fn answers(&self) -> BTreeMap<String, Answers> {
        lock(&self.seen).answers.clone()
    }

    /// When the first of the answers came since which all say this; `None` while any says something else.
    pub fn only(&self, state: &str) -> Option<Instant> {
        lock(&self.seen).state.as_ref().filter(|(said, ..)| said == state).map(|(_, _, since)| *since)
    }

    /// Waits until all answers say this. Returns since when.
    pub async fn wait_for(&self, state: &str, within: Duration) -> Option<Instant> {
        let deadline = Instant::now() + within;
        loop {
            match self.only(state) {
                None if Instant::now() < deadline => sleep(Duration::from_millis(1)).await,
                found => return found,
            }
        }
    }

    /// Waits for the first good answer; whether one came.
    pub async fn wait_for_any(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while lock(&self.seen).state.is_none() && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
        lock(&self.seen).state.is_some()
    }

    /// Waits until so many more requests were answered, or lost.
    pub async fn more(&self, requests: u64) {
        let target = self.tally().requests + requests;
        while self.tally().requests < target {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until no request is answered any more: none for a while that would do for many.
    pub async fn stalls(&self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        let (mut requests, mut since) = (self.tally().requests, Instant::now());
        while since.elapsed() < STALLED {
            anyhow::ensure!(Instant::now() < deadline, "requests are answered: {:?}", self.tally());
            sleep(Duration::from_millis(5)).await;
            let now = self.tally().requests;
            if now > requests {
                (requests, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// Ends after the answers that are due.
    pub async fn stop(mut self) -> Tally {
        self.stop.send_replace(true);
        while self.connections.join_next().await.is_some() {}
        self.tally()
    }
}

async fn requests(plan: Plan, seen: Arc<Mutex<Seen>>, stop: watch::Receiver<bool>) {
    let request = format!("GET {} HTTP/1.1\r\nhost: {}\r\n\r\n", plan.path, plan.host);
    let mut connection = None;
    while !*stop.borrow() {
        let asked = Instant::now();
        let outcome = match timeout(PATIENCE, exchange(&mut connection, plan.address, request.as_bytes(), &seen)).await
        {
            Ok(Ok(answer)) if answer.status == 200 || Some(answer.status) == plan.also => Ok(answer),
            Ok(Ok(answer)) => Err(format!("{}: {}", answer.status, answer.body)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        };
        let lost = outcome.is_err();
        match &outcome {
            Ok(answer) if answer.closes => connection = None,
            Ok(_) => {}
            // What is left of it cannot be told from the next answer.
            Err(_) => connection = None,
        }
        lock(&seen).count(asked, outcome);
        if lost {
            sleep(PAUSE_AFTER_LOSS).await;
        } else if !plan.pause.is_zero() {
            sleep(plan.pause).await;
        }
    }
}

struct Answer {
    status: u16,
    state: String,
    body: String,
    /// The connection's last.
    closes: bool,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

async fn exchange(
    connection: &mut Option<Connection>,
    address: SocketAddr,
    request: &[u8],
    seen: &Mutex<Seen>,
) -> io::Result<Answer> {
    if connection.is_none() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        lock(seen).tally.connects += 1;
        *connection = Some(Connection { stream, buffer: Vec::new() });
    }
    let Some(Connection { stream, buffer }) = connection else { return Err(io::ErrorKind::NotConnected.into()) };
    stream.write_all(request).await?;
    loop {
        if let Some(answer) = answer(buffer)? {
            return Ok(answer);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        }
    }
}

/// Takes an answer with a `content-length` out of the buffer, once all of it is there.
fn answer(buffer: &mut Vec<u8>) -> io::Result<Option<Answer>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status: u16 = status.ok_or_else(|| wrong("an answer without a status"))?;
    let (mut length, mut state, mut closes) = (0, String::new(), false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", value) => length = value.parse().map_err(|_| wrong("an answer of no length"))?,
            (STATE, value) => state = value.to_owned(),
            ("connection", value) => closes = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let whole = end + 4 + length;
    if buffer.len() < whole {
        return Ok(None);
    }
    let state = if state.is_empty() { status.to_string() } else { state };
    let body = String::from_utf8_lossy(buffer.get(end + 4..whole).unwrap_or_default()).into_owned();
    buffer.drain(..whole);
    Ok(Some(Answer { status, state, body, closes }))
}

impl Seen {
    fn count(&mut self, asked: Instant, outcome: Result<Answer, String>) {
        let now = Instant::now();
        let tally = &mut self.tally;
        tally.requests += 1;
        tally.slowest = tally.slowest.max(now.saturating_duration_since(asked));
        match outcome {
            Ok(answer) => {
                let new = Answers { count: 0, first: now, asked_last: asked };
                let answers = self.answers.entry(answer.state.clone()).or_insert(new);
                answers.count += 1;
                answers.asked_last = answers.asked_last.max(asked);
                match &mut self.state {
                    // What was asked before cannot tell what is so now.
                    Some((_, latest, _)) if *latest > asked => {}
                    Some((said, latest, _)) if *said == answer.state => *latest = asked,
                    state => *state = Some((answer.state, asked, now)),
                }
            }
            Err(reason) => {
                tally.lost += 1;
                if tally.losses.len() < TOLD {
                    tally.losses.push((now.saturating_duration_since(self.started), reason));
                }
            }
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
