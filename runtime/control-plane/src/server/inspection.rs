//! The client status service (CSDS) over the network: who may ask, and for what.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body::Body;
use prost::Message as _;
use tokio::time::timeout;
use tonic::Status;

use super::Server;
use super::connection::Connection;
use super::requests::Requests;
use super::responses::Sender;
use crate::csds::{ClientStatusRequest, statuses};

/// Answers each request, or one. A client that is known by its certificate is told of the proxies it stands for alone.
pub(super) async fn answer<B>(
    server: &Arc<Server>,
    connection: &Connection,
    mut requests: Requests<B>,
    sender: &Sender,
    once: bool,
) -> Result<(), Status>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut ending = connection.ending.subscribe();
    let limits = &server.options.limits;
    // Whoever opens a stream may ask again much later.
    let patience = if once { limits.first_request } else { Duration::from_secs(24 * 3600) };
    loop {
        let message = tokio::select! {
            message = timeout(patience, requests.next()) => {
                message.map_err(|_| Status::deadline_exceeded("no request came"))??
            }
            () = sender.closed() => return Ok(()),
            _ = ending.wait_for(Option::is_some) => return Err(Status::unavailable("this connection is closing")),
        };
        let Some(message) = message else {
            return if once { Err(Status::invalid_argument("there is no request")) } else { Ok(()) };
        };
        let request = ClientStatusRequest::decode(message)
            .map_err(|_| Status::invalid_argument("this is no `ClientStatusRequest`"))?;
        let certificate = connection.certificate.as_ref();
        if certificate.is_some_and(|certificate| !certificate.is_valid(SystemTime::now())) {
            return Err(Status::unauthenticated("the client's certificate is not valid any more"));
        }
        let published = Arc::clone(&server.current.borrow().published);
        let may_see = |proxy: &str| certificate.is_none_or(|it| server.stands_for(it, proxy, published.names()));
        // Answers are large where there are many streams: few are made at a time, for clients that read them.
        let answer = async {
            let turn = server.inspections.acquire().await;
            let answer = statuses(&server.shared.registry, &request, may_see).await;
            (turn, answer)
        };
        let (turn, answer) = tokio::select! {
            answer = answer => answer,
            () = sender.closed() => return Ok(()),
            _ = ending.wait_for(Option::is_some) => return Err(Status::unavailable("this connection is closing")),
        };
        let answer = answer.map_err(|error| Status::resource_exhausted(error.to_string()))?;
        sender.send(vec![Bytes::from(answer)], sender.room().await);
        let taken = tokio::select! {
            taken = timeout(limits.send, sender.room()) => taken.is_ok(),
            () = sender.closed() => return Ok(()),
        };
        drop(turn);
        if !taken {
            return Err(Status::unavailable(format!("an answer was not taken within {:?}", limits.send)));
        }
        if once {
            return Ok(());
        }
    }
}
