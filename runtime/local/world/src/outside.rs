//! Servers that are no part of a mesh, at the addresses and names by which the mesh calls them.
//!
//! Each gets a loopback address of its own. Names are told by a name server, addresses are replaced in Envoy's
//! configuration: [`Outside::detours`] is for `local::Options`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use local::echo::{self, Echo, Identity, Tries};
use local::{Claim, Detours, Subnet};
use tokio::net::TcpListener;

use crate::datagrams::Datagrams;
use crate::names::Names;
use crate::tls::TlsServer;

const NAME_SERVER_PORT: u16 = 5353;

/// What a server speaks.
pub enum Serves {
    /// HTTP/1.1, HTTP/2, gRPC, WebSocket: see [`echo`].
    Http,
    /// The same below TLS.
    Tls(TlsServer),
    Tcp,
    /// Such as statsd.
    Datagrams,
}

/// Everything outside of a mesh.
pub struct Outside {
    free: Box<dyn Iterator<Item = IpAddr> + Send>,
    hosts: BTreeMap<IpAddr, IpAddr>,
    names: Names,
    echoes: BTreeMap<String, Vec<Echo>>,
    datagrams: BTreeMap<String, Datagrams>,
    detours: Detours,
    _claim: Claim,
}

impl Outside {
    pub async fn new() -> Self {
        let claim = Subnet::claim().expect("a free range");
        let mut free = claim.subnet().addresses().map(IpAddr::V4);
        let address = free.next().expect("an address");
        let names = Names::serve(SocketAddr::new(address, NAME_SERVER_PORT)).await.expect("a free port");
        let detours = Detours { addresses: BTreeMap::new(), resolver: Some(names.address()), mark: None };
        Self {
            free: Box::new(free),
            hosts: BTreeMap::new(),
            names,
            echoes: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            detours,
            _claim: claim,
        }
    }

    /// Starts a server for `api.example:8443` or `198.51.100.9:4317`, as the mesh says it. The same name again is
    /// another server, at one more address of that name.
    pub async fn add(&mut self, host_port: &str, speaks: Serves) -> SocketAddr {
        let (host, port) = host_port.rsplit_once(':').expect("a host and a port");
        let port: u16 = port.parse().expect("a port");
        let address = SocketAddr::new(self.place(host, host_port, port), port);
        if let Serves::Datagrams = speaks {
            let server = Datagrams::listen(address).await.expect("a free port");
            self.datagrams.insert(host_port.to_owned(), server);
            return address;
        }
        let identity = Identity { node: None, service: host.to_owned(), endpoint: host_port.to_owned() };
        let listener = TcpListener::bind(address).await.expect("a free port");
        let echo = match speaks {
            Serves::Tls(server) => echo::serve_behind(listener, identity, Tries::default(), Arc::new(server)),
            Serves::Tcp => echo::serve_tcp(listener, identity),
            Serves::Http | Serves::Datagrams => echo::serve(listener, identity, Tries::default()),
        };
        self.echoes.entry(host_port.to_owned()).or_default().push(echo.expect("a bound socket"));
        address
    }

    /// The server of this name; of several the first.
    #[track_caller]
    pub fn echo(&self, host_port: &str) -> &Echo {
        self.echoes(host_port).first().unwrap_or_else(|| panic!("no server is called `{host_port}`"))
    }

    pub fn echoes(&self, host_port: &str) -> &[Echo] {
        self.echoes.get(host_port).map(Vec::as_slice).unwrap_or_default()
    }

    #[track_caller]
    pub fn datagrams(&self, host_port: &str) -> &Datagrams {
        self.datagrams.get(host_port).unwrap_or_else(|| panic!("no receiver is called `{host_port}`"))
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    pub fn detours(&self) -> &Detours {
        &self.detours
    }

    /// From now on (before the mesh starts) Envoys that dial this address reach another one.
    pub fn detour(&mut self, written: SocketAddr, real: SocketAddr) {
        self.detours.addresses.insert(written, real);
    }

    fn place(&mut self, host: &str, host_port: &str, port: u16) -> IpAddr {
        if let Ok(written) = host_port.parse::<SocketAddr>() {
            let real = match self.hosts.get(&written.ip()) {
                Some(real) => *real,
                None => {
                    let real = self.fresh();
                    self.hosts.insert(written.ip(), real);
                    real
                }
            };
            self.detour(written, SocketAddr::new(real, port));
            return real;
        }
        let mut addresses = self.names.get(host);
        let servers =
            self.echoes.get(host_port).map_or(0, Vec::len) + usize::from(self.datagrams.contains_key(host_port));
        match addresses.get(servers) {
            Some(address) => *address,
            None => {
                let address = self.fresh();
                addresses.push(address);
                self.names.set(host, &addresses);
                address
            }
        }
    }

    fn fresh(&mut self) -> IpAddr {
        self.free.next().expect("no more than two hundred servers")
    }
}
