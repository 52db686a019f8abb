//! What a stream answers, as HTTP/2 takes it: messages are handed on as they are, one at a time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::{Code, Status};

/// The parts of one encoded message.
pub(super) type Message = Vec<Bytes>;

/// Parts below this are copied together, up to [`FRAME`] bytes: a frame for each costs more.
const SMALL: usize = 4 << 10;
const FRAME: usize = 16 << 10;
/// Larger parts are handed on in pieces of this, without a copy.
const PIECE: usize = 32 << 10;

/// The end that a stream's task writes to. One message is on its way at a time: whoever wants to write another waits
/// until the transport has taken it.
#[derive(Debug)]
pub(super) struct Sender {
    messages: mpsc::UnboundedSender<(Message, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    taken: Arc<AtomicU64>,
    end: Arc<OnceLock<Status>>,
}

/// The end that the transport reads from. When the task is gone without a word, the status is `INTERNAL`.
#[derive(Debug)]
pub(super) struct Responses {
    messages: mpsc::UnboundedReceiver<(Message, OwnedSemaphorePermit)>,
    taken: Arc<AtomicU64>,
    end: Arc<OnceLock<Status>>,
    /// Of the message that is being taken.
    chunks: VecDeque<Bytes>,
    /// The room that it takes.
    room: Option<OwnedSemaphorePermit>,
    ended: bool,
}

pub(super) fn channel() -> (Sender, Responses) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (end, taken) = (Arc::new(OnceLock::new()), Arc::new(AtomicU64::new(0)));
    let responses = Responses {
        messages: receiver,
        taken: Arc::clone(&taken),
        end: Arc::clone(&end),
        chunks: VecDeque::new(),
        room: None,
        ended: false,
    };
    (Sender { messages: sender, room: Arc::new(Semaphore::new(1)), taken, end }, responses)
}

impl Sender {
    /// Until the transport has taken the message before.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.room).acquire_owned().await {
            Ok(room) => room,
            // It is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn send(&self, message: Message, room: OwnedSemaphorePermit) {
        // Nobody listens any more: `closed` tells.
        let _ = self.messages.send((message, room));
    }

    /// Whether everything was taken.
    pub(super) fn is_idle(&self) -> bool {
        self.room.available_permits() > 0
    }

    /// A number that grows whenever the transport takes something.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Until nobody listens any more.
    pub(super) async fn closed(&self) {
        self.messages.closed().await;
    }

    /// The status that follows the last message.
    pub(super) fn end(self, status: Status) {
        let _ = self.end.set(status);
    }
}

impl Body for Responses {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(chunk) = self.take_chunk() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.messages.poll_recv(ctx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some((message, room))) => {
                self.chunks = chunks(message);
                self.room = Some(room);
                let first = self.take_chunk().unwrap_or_default();
                Poll::Ready(Some(Ok(Frame::data(first))))
            }
            Poll::Ready(None) => {
                self.ended = true;
                let status = self.end.get().cloned().unwrap_or_else(|| Status::internal("the stream failed"));
                Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

impl Responses {
    fn take_chunk(&mut self) -> Option<Bytes> {
        let front = self.chunks.front_mut()?;
        let chunk = if front.len() > PIECE { front.split_to(PIECE) } else { self.chunks.pop_front()? };
        self.taken.fetch_add(1, Ordering::Relaxed);
        if self.chunks.is_empty() {
            self.room = None;
        }
        Some(chunk)
    }
}

/// The message with gRPC's prefix. Large parts are not copied.
fn chunks(message: Message) -> VecDeque<Bytes> {
    let length: usize = message.iter().map(Bytes::len).sum();
    let mut chunks = VecDeque::new();
    let mut small = BytesMut::with_capacity(5 + length.min(FRAME));
    small.put_u8(0);
    small.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    for part in message {
        let fits = part.len() < SMALL && small.len() + part.len() <= FRAME;
        if !fits && !small.is_empty() {
            chunks.push_back(small.split().freeze());
        }
        if part.len() >= SMALL {
            chunks.push_back(part);
        } else {
            small.extend_from_slice(&part);
        }
    }
    if !small.is_empty() {
        chunks.push_back(small.freeze());
    }
    chunks
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // A message that is no header value goes; the code stays.
        trailers = HeaderMap::new();
        let _ = Status::new(status.code(), "").add_header(&mut trailers);
    }
    trailers
}

/// An answer that is a status alone.
pub(super) fn status(status: &Status) -> http::Response<tonic::body::Body> {
    let mut response = http::Response::new(tonic::body::Body::empty());
    *response.headers_mut() = trailers(status);
    response.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
    response
}

/// A stream of messages.
pub(super) fn stream(responses: Responses) -> http::Response<tonic::body::Body> {
    let mut response = http::Response::new(tonic::body::Body::new(responses));
    response.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
    response
}

const GRPC: http::HeaderValue = http::HeaderValue::from_static("application/grpc");

/// The status of an orderly end.
pub(super) fn ok() -> Status {
    Status::new(Code::Ok, "")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn there_is_room_again_when_the_last_byte_was_taken() {
        let (sender, mut responses) = channel();
        let room = sender.room().await;
        sender.send(vec![Bytes::from(vec![0; 3 * PIECE])], room);
        for taken in 1..=4 {
            assert!(!sender.is_idle());
            responses.frame().await.unwrap().unwrap();
            assert_eq!(sender.taken(), taken);
        }
        assert!(sender.is_idle());
    }

    #[tokio::test]
    async fn a_stream_that_ends_without_a_word_is_an_internal_error_and_what_was_sent_comes_before() {
        let (sender, mut responses) = channel();
        let room = sender.room().await;
        sender.send(Vec::new(), room);
        drop(sender);
        assert!(responses.frame().await.unwrap().unwrap().is_data());
        let trailers = responses.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "13");
        assert!(responses.frame().await.is_none());
    }

    #[test]
    fn small_parts_travel_together_and_large_ones_are_not_copied() {
        let large = Bytes::from(vec![7; 100_000]);
        let message =
            vec![Bytes::from_static(b"ab"), Bytes::from_static(b"c"), large.clone(), Bytes::from_static(b"d")];
        let chunks = chunks(message);
        assert_eq!(chunks.len(), 3);
        assert_eq!(&chunks[0][..], [&[0][..], &100_004_u32.to_be_bytes(), b"abc"].concat());
        assert_eq!(chunks[1].as_ptr(), large.as_ptr());
        assert_eq!(&chunks[2][..], b"d");
    }

    #[test]
    fn an_empty_message_is_its_prefix() {
        assert_eq!(chunks(Vec::new()).into_iter().collect::<Vec<_>>(), [Bytes::from_static(&[0; 5])]);
    }

    #[test]
    fn many_small_parts_make_few_frames() {
        let chunks = chunks(vec![Bytes::from(vec![1; 1000]); 100]);
        assert_eq!(chunks.iter().map(Bytes::len).sum::<usize>(), 100_005);
        assert_eq!(chunks.len(), 7);
    }
}
