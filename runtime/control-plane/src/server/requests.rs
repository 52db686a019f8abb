//! What a client says, cut into gRPC messages. What is being received is bounded: each message, and all large ones
//! together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tonic::Status;

use crate::limits::Limits;

/// Messages above this count towards `Limits::large_messages`.
const LARGE: usize = 64 << 10;
const PREFIX: usize = 5;

#[derive(Debug)]
pub(super) struct Requests<B> {
    body: B,
    received: BytesMut,
    ended: bool,
    /// Until when the message that has begun must be there.
    until: Option<Instant>,
    /// The room that a large one takes.
    room: Option<OwnedSemaphorePermit>,
    bounds: Bounds,
}

#[derive(Clone, Debug)]
pub(super) struct Bounds {
    message: usize,
    time: Duration,
    large: Arc<Semaphore>,
    large_size: usize,
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        // A message must fit, or it would wait for ever.
        let size = limits.large_messages.max(limits.message).min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        Self {
            message: limits.message.min(size),
            time: limits.first_request,
            large: Arc::new(Semaphore::new(size)),
            large_size: size,
        }
    }
}

impl<B> Requests<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    pub(super) fn new(body: B, bounds: Bounds) -> Self {
        Self { body, received: BytesMut::new(), ended: false, until: None, room: None, bounds }
    }

    /// The next message, or nothing when the client has said all. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            let wanted = self.wanted()?;
            if let Some(length) = wanted
                && self.received.len() >= PREFIX + length
            {
                self.received.advance(PREFIX);
                let message = self.received.split_to(length).freeze();
                if self.received.is_empty() {
                    // What is left would keep the memory of the largest message for as long as the stream lives.
                    self.received = BytesMut::new();
                }
                (self.until, self.room) = (None, None);
                return Ok(Some(message));
            }
            if self.ended {
                if self.received.is_empty() {
                    return Ok(None);
                }
                return Err(Status::invalid_argument("the request ends in the middle of a message"));
            }
            let until = match self.until {
                _ if self.received.is_empty() => None,
                None => {
                    self.until = Some(Instant::now() + self.bounds.time);
                    self.until
                }
                until => until,
            };
            match until {
                None => self.receive(wanted).await?,
                Some(until) => timeout_at(until, self.receive(wanted)).await.map_err(|_| {
                    Status::deadline_exceeded(format!("a request took longer than {:?} to arrive", self.bounds.time))
                })??,
            }
        }
    }

    /// The length of the message that has begun, once it is known.
    fn wanted(&self) -> Result<Option<usize>, Status> {
        let Some((compressed, length)) = self.received.split_first() else { return Ok(None) };
        match compressed {
            0 => {}
            1 => return Err(Status::unimplemented("compressed messages are not understood")),
            _ => return Err(Status::invalid_argument("this is no gRPC message")),
        }
        let Some(length) = length.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > self.bounds.message {
            let message = format!("a request of {length} bytes is larger than {} bytes", self.bounds.message);
            return Err(Status::resource_exhausted(message));
        }
        Ok(Some(length))
    }

    async fn receive(&mut self, wanted: Option<usize>) -> Result<(), Status> {
        if let Some(length) = wanted.filter(|length| *length > LARGE && self.room.is_none()) {
            let length = u32::try_from(length.min(self.bounds.large_size)).unwrap_or(u32::MAX);
            let room = Arc::clone(&self.bounds.large).acquire_many_owned(length).await;
            self.room = Some(room.map_err(|_| Status::unavailable("the control plane is shutting down"))?);
        }
        match self.body.frame().await {
            None => self.ended = true,
            Some(Err(_)) => return Err(Status::cancelled("the client went away")),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    self.received.extend_from_slice(&data);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tonic::Code;

    use super::*;

    /// All messages of a body that comes in these pieces, and how it ends.
    async fn read(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Code>) {
        let limits = Limits { message: 100_000, ..Limits::default() };
        let frames: Vec<Result<Frame<Bytes>, Infallible>> =
            pieces.iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
        let mut requests = Requests::new(StreamBody::new(stream::iter(frames)), Bounds::new(&limits));
        let mut messages = Vec::new();
        loop {
            match requests.next().await {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => return (messages, None),
                Err(status) => return (messages, Some(status.code())),
            }
        }
    }

    #[tokio::test]
    async fn messages_come_out_however_they_are_cut() {
        let whole: &[u8] = b"\0\0\0\0\x02ab\0\0\0\0\0\0\0\0\0\x01c";
        let expected = (vec![b"ab".to_vec(), Vec::new(), b"c".to_vec()], None);
        assert_eq!(read(&[whole]).await, expected);
        let pieces: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&pieces).await, expected);
    }

    #[tokio::test]
    async fn a_large_message_gives_its_room_back() {
        let message = [&[0][..], &90_000_u32.to_be_bytes(), &[7; 90_000]].concat();
        let pieces: Vec<&[u8]> = (0..3).map(|_| &message[..]).collect();
        let (messages, end) = read(&pieces).await;
        assert_eq!((messages.len(), end), (3, None));
    }

    #[tokio::test]
    async fn what_is_no_message_has_a_status() {
        assert_eq!(read(&[b"\0\0\0\0\x02a"]).await, (Vec::new(), Some(Code::InvalidArgument)));
        assert_eq!(read(&[b"\0\0"]).await, (Vec::new(), Some(Code::InvalidArgument)));
        assert_eq!(read(&[b"\x01\0\0\0\0"]).await, (Vec::new(), Some(Code::Unimplemented)));
        assert_eq!(read(&[b"GET / HTTP/1.1"]).await, (Vec::new(), Some(Code::InvalidArgument)));
        assert_eq!(read(&[b"\0\xff\xff\xff\xff"]).await, (Vec::new(), Some(Code::ResourceExhausted)));
        assert_eq!(read(&[]).await, (Vec::new(), None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_does_not_end_is_not_waited_for() {
        let body = StreamBody::new(Box::pin(stream::unfold(0_u8, |sent| async move {
            match sent {
                0 => Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"\0\0\0\0\x09abc"))), 1)),
                _ => std::future::pending().await,
            }
        })));
        let mut requests = Requests::new(body, Bounds::new(&Limits::default()));
        assert_eq!(requests.next().await.unwrap_err().code(), Code::DeadlineExceeded);
    }
}
