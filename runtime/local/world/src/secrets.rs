//! A server of secrets (SDS) on a Unix socket, as SPIRE's agent is one.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, Secret, TlsCertificate, secret::Type,
};
use envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use futures_util::{Stream, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use prost::Message as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::authority::Leaf;

/// Of a message of gRPC: whether it is compressed, and its length.
const PREFIX: usize = 5;
const WAITING: usize = 16;

/// The server. It ends when this is dropped.
pub struct Secrets {
    known: watch::Sender<Known>,
    asked: Arc<Mutex<BTreeSet<String>>>,
    server: JoinHandle<()>,
}

/// By name, and how often anything of it changed.
#[derive(Clone, Default)]
struct Known {
    secrets: BTreeMap<String, Secret>,
    version: u64,
}

impl Secrets {
    /// Nobody must listen at this path yet.
    pub fn serve(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap_or_else(|error| panic!("no socket at {socket:?}: {error}"));
        let (known, told) = watch::channel(Known::default());
        let asked = Arc::new(Mutex::default());
        let server = tokio::spawn(accept(listener, told, Arc::clone(&asked)));
        Self { known, asked, server }
    }

    /// A certificate, from now on: who has another one under this name is told.
    pub fn show(&self, name: &str, leaf: &Leaf) {
        let (chain, key) = (Some(text(&leaf.certificate)), Some(text(&leaf.key)));
        let certificate = TlsCertificate { certificate_chain: chain, private_key: key, ..TlsCertificate::default() };
        self.tell(name, Type::TlsCertificate(certificate));
    }

    /// The authority (PEM) that is believed, likewise.
    pub fn believe(&self, name: &str, authority: &str) {
        let trusted = Some(text(authority));
        let context = CertificateValidationContext { trusted_ca: trusted, ..CertificateValidationContext::default() };
        self.tell(name, Type::ValidationContext(context));
    }

    /// The names that anybody asked for.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, name: &str, secret: Type) {
        self.known.send_modify(|known| {
            known.secrets.insert(name.to_owned(), Secret { name: name.to_owned(), r#type: Some(secret) });
            known.version += 1;
        });
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn text(pem: &str) -> DataSource {
    DataSource { specifier: Some(Specifier::InlineString(pem.to_owned())), ..DataSource::default() }
}

async fn accept(listener: UnixListener, known: watch::Receiver<Known>, asked: Arc<Mutex<BTreeSet<String>>>) {
    // Ends with the task.
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(serve(connection, known.clone(), Arc::clone(&asked)));
    }
}

async fn serve(connection: UnixStream, known: watch::Receiver<Known>, asked: Arc<Mutex<BTreeSet<String>>>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (answers, waiting) = mpsc::channel(WAITING);
        tokio::spawn(converse(request.into_body(), known.clone(), Arc::clone(&asked), answers));
        let response =
            Response::builder().header("content-type", "application/grpc").body(StreamBody::new(body(waiting)));
        async { response }
    });
    let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    // A caller that goes away concerns nobody else.
    drop(builder.serve_connection(TokioIo::new(connection), service).await);
}

fn body(answers: mpsc::Receiver<Bytes>) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    stream::unfold(answers, async |mut answers| {
        let answer = answers.recv().await?;
        Some((Ok(Frame::data(answer)), answers))
    })
}

/// One stream: what is asked for is told, and told again whenever it changes.
async fn converse(
    mut questions: Incoming,
    mut known: watch::Receiver<Known>,
    asked: Arc<Mutex<BTreeSet<String>>>,
    answers: mpsc::Sender<Bytes>,
) {
    let (mut read, mut wanted, mut type_url) = (Vec::new(), Vec::new(), String::new());
    loop {
        tokio::select! {
            frame = questions.frame() => {
                let Some(Ok(frame)) = frame else { return };
                read.extend_from_slice(&frame.into_data().unwrap_or_default());
                let mut is_new = false;
                while let Some(question) = next(&mut read) {
                    asked.lock().unwrap_or_else(PoisonError::into_inner).extend(question.resource_names.iter().cloned());
                    // Everything else says that an answer was taken, or was not.
                    is_new |= question.response_nonce.is_empty() || question.resource_names != wanted;
                    wanted = question.resource_names;
                    type_url = question.type_url;
                }
                if !is_new {
                    continue;
                }
            }
            changed = known.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        let answer = answer(&known.borrow_and_update(), &wanted, &type_url);
        if let Some(answer) = answer
            && answers.send(answer).await.is_err()
        {
            return;
        }
    }
}

/// The next message that is there as a whole.
fn next(read: &mut Vec<u8>) -> Option<DiscoveryRequest> {
    let length = read.get(1..PREFIX)?;
    let end = PREFIX + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
    let question = DiscoveryRequest::decode(read.get(PREFIX..end)?).expect("a question for secrets");
    read.drain(..end);
    Some(question)
}

fn answer(known: &Known, wanted: &[String], type_url: &str) -> Option<Bytes> {
    let secrets: Vec<&Secret> = wanted.iter().filter_map(|name| known.secrets.get(name)).collect();
    // Who asks too early hears of it as soon as it is known.
    if secrets.is_empty() {
        return None;
    }
    let version = known.version.to_string();
    let message = DiscoveryResponse {
        resources: secrets.into_iter().map(envoy::any).collect(),
        type_url: type_url.to_owned(),
        nonce: version.clone(),
        version_info: version,
        ..DiscoveryResponse::default()
    };
    let message = message.encode_to_vec();
    let mut bytes = vec![0];
    bytes.extend(u32::try_from(message.len()).expect("a message below 4 GiB").to_be_bytes());
    bytes.extend(message);
    Some(bytes.into())
}
