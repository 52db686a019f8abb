//! The client status service (CSDS) over the network: who may ask, and for what.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http_body::Body;
use prost::Message as _;
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
    loop {
        let message = tokio::select! {
            message = requests.next() => message?,
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
        let may_see =
            |proxy: &str| certificate.is_none_or(|certificate| server.options.identity.allows(certificate, proxy));
        let response = statuses(&server.shared.registry, &request, may_see);
        let room = tokio::select! {
            room = sender.room() => room,
            () = sender.closed() => return Ok(()),
        };
        sender.send(vec![Bytes::from(response.encode_to_vec())], room);
        if once {
            return Ok(());
        }
    }
}
