//! A whole request with its response, through one filter.

use super::{CONTINUE, LONGEST_WAIT_MILLIS, NANOS_PER_MILLI, StreamId, Vm};
use crate::header_map::HeaderMap;
use crate::host::Stream;
use crate::{Outcome, Trap};

/// A request, and how the upstream answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The request's headers, pseudo headers first.
    pub request: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its body, which comes in one piece.
    pub body: Vec<u8>,
    /// Its trailers.
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The headers of the upstream's response.
    pub response: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Vm {
    /// Sends one request with its body through the filter, and the response to it, with as much virtual time as the
    /// filter asks for.
    ///
    /// A filter that holds the headers is shown the body only with [`allow_on_headers_stop_iteration`]. The filter's own
    /// answer passes its response callback too, as in Envoy.
    ///
    /// [`allow_on_headers_stop_iteration`]: crate::Options::allow_on_headers_stop_iteration
    pub fn exchange(&mut self, exchange: &Exchange) -> Result<Outcome, Trap> {
        let is_end = exchange.body.is_empty() && exchange.trailers.is_empty();
        let request = exchange.request.iter().map(|(name, value)| (name, value)).collect();
        let stream = self.open_with(request, is_end)?;
        if self.is_open(stream) && (is_end || !self.stops_iteration) {
            self.wait(stream)?;
        }
        if !is_end && (self.stops_iteration || !self.is_open(stream)) && !self.is_answered(stream) {
            self.send_body(stream, exchange)?;
            self.wait(stream)?;
        }
        if !self.is_open(stream) {
            self.respond(stream, exchange)?;
        }
        self.finish(stream)
    }

    /// Lets virtual time pass until the filter lets the request go.
    fn wait(&mut self, stream: StreamId) -> Result<(), Trap> {
        let latest = self.store.data().clock_nanos + LONGEST_WAIT_MILLIS * NANOS_PER_MILLI;
        while self.is_open(stream) {
            match self.store.data().tick {
                Some(tick) if tick.next_nanos <= latest => self.tick(tick.next_nanos)?,
                _ => break,
            }
        }
        Ok(())
    }

    fn send_body(&mut self, stream: StreamId, exchange: &Exchange) -> Result<(), Trap> {
        let context = stream.0;
        let size = u32::try_from(exchange.body.len()).unwrap_or(u32::MAX);
        let ends = u32::from(exchange.trailers.is_empty());
        self.with_stream(stream, |stream| stream.body = Some(exchange.body.clone()));
        let mut action = CONTINUE;
        if !exchange.body.is_empty() {
            action = self
                .call(context, "proxy_on_request_body", (context, size, ends), |callbacks| {
                    callbacks.on_request_body.clone()
                })?
                .unwrap_or(CONTINUE);
        }
        if !exchange.trailers.is_empty() {
            let count = u32::try_from(exchange.trailers.len()).unwrap_or(u32::MAX);
            action = self
                .call(context, "proxy_on_request_trailers", (context, count), |callbacks| {
                    callbacks.on_request_trailers.clone()
                })?
                .unwrap_or(CONTINUE);
        }
        self.with_stream(stream, |stream| {
            stream.body = None;
            stream.continued |= action == CONTINUE;
        });
        self.settle();
        Ok(())
    }

    fn respond(&mut self, stream: StreamId, exchange: &Exchange) -> Result<(), Trap> {
        let context = stream.0;
        let given = self.store.data().streams.get(&context).and_then(|stream| stream.reply.clone());
        let headers = given.as_ref().map_or(&exchange.response, |reply| &reply.headers);
        let headers = HeaderMap::of_response(headers);
        let count = u32::try_from(headers.pairs().len()).unwrap_or(u32::MAX);
        self.with_stream(stream, |stream| stream.response = Some(headers));
        self.call(context, "proxy_on_response_headers", (context, count, 1), |callbacks| {
            callbacks.on_response_headers.clone()
        })?;
        self.with_stream(stream, |stream| {
            if let (Some(reply), Some(headers)) = (&mut stream.reply, &stream.response) {
                reply.headers = headers.pairs().to_vec();
            }
        });
        Ok(())
    }

    fn is_answered(&self, stream: StreamId) -> bool {
        let stream = self.store.data().streams.get(&stream.0);
        stream.is_none_or(|stream| stream.reply.is_some() || stream.closed)
    }

    fn with_stream(&mut self, stream: StreamId, act: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.store.data_mut().streams.get_mut(&stream.0) {
            act(stream);
        }
    }
}
