//! Where and for whom a server listens; nobody is served over a network without being known.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::identity::Identity;
use crate::limits::Limits;
use crate::server::machine::NewMachine;
use crate::stream::Stream;

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: Listen,
    pub tls: Option<TlsFiles>,
    /// Which names a client certificate stands for.
    pub identity: Identity,
    /// Whoever can connect is told what it asks for, although the address is not of this machine alone.
    pub insecure: bool,
    pub limits: Limits,
    /// Over which time streams are closed when the server stops.
    pub drain: Duration,
    /// After which time a connection is closed, ± 20 %, so that clients spread over replicas.
    pub max_connection_age: Duration,
    /// Makes the machine of a stream.
    pub machine: NewMachine,
}

/// PEM files, read again whenever they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Certificate authorities of clients: with it every client must have a certificate.
    pub client_ca: Option<PathBuf>,
}

/// An address, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Options that would serve strangers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error(
        "{0} can be reached from other machines, and clients without certificates could ask for anybody's configuration: \
         give `--tls-certificate`, `--tls-key` and `--client-ca`, or listen on 127.0.0.1, or say `--insecure`"
    )]
    Unauthenticated(SocketAddr),
    #[error("a client CA needs a certificate and a key of the server's own: give `--tls-certificate` and `--tls-key`")]
    ClientCaAlone,
    #[error("`{0}` must be more than 0")]
    Zero(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address like `127.0.0.1:18000` nor `unix:PATH`")]
pub struct NotAnAddress(String);

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, Self::PORT))),
            tls: None,
            identity: Identity::default(),
            insecure: false,
            limits: Limits::default(),
            drain: Duration::from_secs(5),
            max_connection_age: Duration::from_secs(30 * 60),
            machine: |variant, view| Box::new(Stream::new(variant, view)),
        }
    }
}

impl Options {
    pub const PORT: u16 = 18000;

    pub fn validate(&self) -> Result<(), NotAllowed> {
        if let Some(address) = self.open_to_strangers()
            && !self.insecure
        {
            return Err(NotAllowed::Unauthenticated(address));
        }
        let limits = &self.limits;
        let numbers = [
            ("max connections", limits.connections),
            ("max streams", limits.streams),
            ("max streams per connection", limits.streams_per_connection as usize),
            ("max new streams per second", limits.streams_per_second as usize),
            ("max message", limits.message),
            ("pushes", limits.pushes),
        ];
        numbers.into_iter().find(|(_, number)| *number == 0).map_or(Ok(()), |(name, _)| Err(NotAllowed::Zero(name)))
    }
}

impl Options {
    /// The address at which other machines get whatever they ask for.
    pub(super) fn open_to_strangers(&self) -> Option<SocketAddr> {
        let known = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        match self.listen {
            Listen::Tcp(address) if !known && !address.ip().to_canonical().is_loopback() => Some(address),
            _ => None,
        }
    }
}

impl FromStr for Listen {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        text.parse().map(Self::Tcp).map_err(|_| NotAnAddress(text.to_owned()))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
