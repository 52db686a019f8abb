//! Answers on the wire: whole, in drops, or broken off.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::Frame;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer before it is sent.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) request_id: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn whole(self) -> Response<Body> {
        let text = self.text.clone();
        self.response(Full::new(Bytes::from(text)).map_err(io::Error::other).boxed_unsync())
    }

    /// Says how long it will be, and ends in the middle.
    pub(crate) fn truncated(self) -> Response<Body> {
        let half = Bytes::copy_from_slice(&self.text.as_bytes()[..self.text.len() / 2]);
        let end = io::Error::other("this is where the answer is broken off");
        let frames = stream::iter([Ok(Frame::data(half)), Err(end)]);
        self.response(StreamBody::new(frames).boxed_unsync())
    }

    /// A byte, a pause, a byte.
    pub(crate) fn slow(self, bytes_per_second: u64) -> Response<Body> {
        let pause = Duration::from_secs_f64(1.0 / (bytes_per_second.max(1) as f64));
        let text = Bytes::copy_from_slice(self.text.as_bytes());
        let drops = stream::unfold(text, move |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            let drop = rest.split_to(1);
            tokio::time::sleep(pause).await;
            Some((Ok(Frame::data(drop)), rest))
        });
        self.response(StreamBody::new(drops).boxed_unsync())
    }

    fn response(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: String| {
            headers.extend(
                http::HeaderValue::from_str(&value).ok().map(|value| (http::HeaderName::from_static(name), value)),
            );
        };
        set("content-type", self.content_type.to_owned());
        set("content-length", self.text.len().to_string());
        set("x-amzn-requestid", self.request_id);
        response
    }
}
