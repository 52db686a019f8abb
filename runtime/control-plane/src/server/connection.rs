//! One connection: its handshake, its HTTP/2, and the reasons for which it ends.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Server, route};
use crate::identity::Certificate;

/// A connection without a stream is closed after this.
const IDLE: Duration = Duration::from_secs(60);
/// Streams that are told to end are gone by then.
const GRACE: Duration = Duration::from_secs(2);
/// From saying that a connection closes to ending its streams.
const NOTICE: Duration = Duration::from_millis(100);
/// Streams a connection may open at once, and one per this time afterwards: whoever needs more is resetting them.
const BURST: u32 = 200;
const REFILL: Duration = Duration::from_millis(50);

/// What the streams of a connection know of it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: String,
    pub(super) certificate: Option<Certificate>,
    /// Why its streams must end now.
    pub(super) ending: watch::Sender<Option<&'static str>>,
    active: AtomicUsize,
    opened: AtomicBool,
    last_active: Mutex<Instant>,
    budget: Mutex<(u32, Instant)>,
    /// Nothing more is to be had here.
    abused: Notify,
}

/// A stream that is open.
#[derive(Debug)]
pub(super) struct Active(Arc<Connection>);

/// Serves a connection until it ends. `number` tells connections apart.
pub(super) async fn serve<T>(server: Arc<Server>, io: T, peer: String, number: u64)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(tls) = &server.tls else { return serve_http(server, io, peer, None, number).await };
    let handshake = timeout(server.options.limits.first_request, tls.acceptor().accept(io));
    let io = match handshake.await {
        Ok(Ok(io)) => io,
        Ok(Err(error)) => {
            server.shared.metrics.refused("handshake");
            tracing::debug!(%peer, %error, "a handshake failed");
            return;
        }
        Err(_) => return server.shared.metrics.refused("handshake_timeout"),
    };
    let certificate = match io.get_ref().1.peer_certificates().and_then(<[_]>::first) {
        None => None,
        Some(der) => match Certificate::read(der) {
            None => return server.shared.metrics.refused("certificate"),
            certificate => certificate,
        },
    };
    serve_http(server, io, peer, certificate, number).await;
}

async fn serve_http<T>(server: Arc<Server>, io: T, peer: String, certificate: Option<Certificate>, number: u64)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let began = Instant::now();
    let connection = Arc::new(Connection {
        peer,
        certificate,
        ending: watch::Sender::new(None),
        active: AtomicUsize::new(0),
        opened: AtomicBool::new(false),
        last_active: Mutex::new(began),
        budget: Mutex::new((BURST, began)),
        abused: Notify::new(),
    });
    let service = {
        let (server, connection) = (Arc::clone(&server), Arc::clone(&connection));
        service_fn(move |request| {
            let (server, connection) = (Arc::clone(&server), Arc::clone(&connection));
            async move { Ok::<_, Infallible>(route::answer(&server, &connection, request).await) }
        })
    };
    let mut http = pin!(builder(&server).serve_connection(TokioIo::new(io), service));
    let mut stopping = server.stopping.subscribe();
    let first = began + server.options.limits.first_request;
    let age = began + spread(server.options.max_connection_age, number);
    let mut look = first;
    let mut last = None;
    // When its streams end, and why.
    let mut ends: Option<(Instant, &str)> = None;
    loop {
        let next = [Some(look), ends.is_none().then_some(age), ends.map(|(at, _)| at).filter(|_| last.is_none()), last]
            .into_iter()
            .flatten()
            .min();
        tokio::select! {
            result = http.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(peer = connection.peer, %error, "a connection failed");
                }
                return;
            }
            () = connection.abused.notified() => {
                server.shared.metrics.refused("too_many_resets");
                tracing::warn!(peer = connection.peer, "closed a connection that opens streams without using them");
                return;
            }
            // A connection that was accepted just before hears of it too.
            _ = stopping.wait_for(|stopping| *stopping), if ends.is_none() => {
                // One after the other: not all clients at once look for another server.
                let at = Instant::now() + server.options.drain.mul_f64(fraction(number));
                ends = Some((at, "this control plane is shutting down"));
                http.as_mut().graceful_shutdown();
            }
            () = sleep_until(next.unwrap_or(look)) => {
                let now = Instant::now();
                if last.is_some_and(|last| now >= last) {
                    return;
                }
                if last.is_some() {
                    look = now + IDLE;
                } else if let Some((at, why)) = ends {
                    if now >= at {
                        connection.ending.send_replace(Some(why));
                        last = Some(now + GRACE);
                    }
                    look = now + IDLE;
                } else if now >= age {
                    // The client must hear that this connection is closing before it looks for another stream.
                    ends = Some((now + NOTICE, "this connection is old: open another"));
                    http.as_mut().graceful_shutdown();
                } else if now >= look {
                    if let Some(idle) = connection.idle_until(first)
                        && now >= idle
                    {
                        http.as_mut().graceful_shutdown();
                        last = Some(now + NOTICE);
                    }
                    look = connection.idle_until(first).map_or(now + IDLE, |idle| idle.max(now + Duration::from_millis(10)));
                }
            }
        }
    }
}

fn builder(server: &Server) -> http2::Builder<TokioExecutor> {
    let limits = &server.options.limits;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive_timeout)
        .max_concurrent_streams(limits.streams_per_connection)
        .max_header_list_size(limits.header_list)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(256 << 10)
        .max_send_buf_size(64 << 10);
    builder
}

impl Connection {
    /// Counts a stream; nothing when the connection opens too many.
    pub(super) fn open(self: &Arc<Self>) -> Option<Active> {
        self.opened.store(true, Ordering::Relaxed);
        {
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            let earned = budget.1.elapsed().as_nanos() / REFILL.as_nanos();
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            if earned > 0 {
                *budget = (budget.0.saturating_add(earned).min(BURST), Instant::now());
            }
            let Some(left) = budget.0.checked_sub(1) else {
                self.abused.notify_one();
                return None;
            };
            budget.0 = left;
        }
        self.active.fetch_add(1, Ordering::Relaxed);
        Some(Active(Arc::clone(self)))
    }

    /// When it is to be closed if nobody opens a stream; nothing while one is open.
    fn idle_until(&self, first: Instant) -> Option<Instant> {
        if !self.opened.load(Ordering::Relaxed) {
            return Some(first);
        }
        let idle = self.active.load(Ordering::Relaxed) == 0;
        idle.then(|| *self.last_active.lock().unwrap_or_else(PoisonError::into_inner) + IDLE)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        *self.0.last_active.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// ± 20 %.
fn spread(time: Duration, number: u64) -> Duration {
    time.mul_f64(0.8 + 0.4 * fraction(number))
}

/// In 0..1, evenly spread over connections that follow each other.
fn fraction(number: u64) -> f64 {
    let golden = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    f64::from(u32::try_from(golden).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_follow_each_other_end_at_times_that_are_spread() {
        let ages: Vec<Duration> = (0..100).map(|number| spread(Duration::from_secs(1800), number)).collect();
        for tenth in 0..10 {
            let from = Duration::from_secs(1440) + Duration::from_secs(72) * tenth;
            let among = ages.iter().filter(|age| (from..from + Duration::from_secs(72)).contains(*age)).count();
            assert!((7..=13).contains(&among), "{among} of 100 in tenth {tenth}");
        }
    }
}
