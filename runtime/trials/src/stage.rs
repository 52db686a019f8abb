//! What every trial needs: addresses of its own, backends, the mesh in its states.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use control_plane::{Published, Variant};
use local::subnet::Claim;
use local::{EnvoyBinary, Subnet};

use crate::backend::Backend;
use crate::load::{Load, Plan};
use crate::mesh::{self, Compiled, PORT, Places, edge};
use crate::proxy::{Proxy, Setup, module};

const BACKENDS: usize = 4;
const BACKEND_PORT: u16 = 3000;
const XDS_PORT: u16 = 18000;
const ADMIN_PORT: u16 = 18001;
/// The first answer of an Envoy that is ready.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// A place to perform on. Everything on it ends when it is dropped.
#[derive(Debug)]
pub struct Stage {
    pub binary: EnvoyBinary,
    pub places: Places,
    /// By number; all of them differ.
    pub states: Vec<State>,
    addresses: Vec<IpAddr>,
    _backends: Vec<Backend>,
    _claim: Claim,
}

/// A state of the mesh.
#[derive(Clone, Debug)]
pub struct State {
    /// As answers say it.
    pub name: String,
    pub compiled: Arc<Compiled>,
    pub published: Arc<Published>,
}

impl Stage {
    /// With one gateway.
    pub async fn set(binary: &EnvoyBinary, states: usize) -> anyhow::Result<Self> {
        Self::with(binary, states, 1, mesh::state).await
    }

    /// With as many gateways, and other meshes than those of [`mesh::state`].
    pub async fn with(
        binary: &EnvoyBinary,
        states: usize,
        edges: usize,
        text: fn(usize, &Places) -> String,
    ) -> anyhow::Result<Self> {
        let claim = Subnet::claim()?;
        let mut addresses = claim.subnet().addresses().map(IpAddr::from);
        let edges = addresses.by_ref().take(edges).collect();
        let mut backends = Vec::new();
        for address in addresses.by_ref().take(BACKENDS) {
            backends.push(Backend::start(SocketAddr::new(address, BACKEND_PORT)).await?);
        }
        let places = Places { edges, backends: backends.iter().map(Backend::address).collect() };
        let addresses = addresses.collect();
        let states =
            (0..states).map(|number| State::of(number, &text(number, &places))).collect::<anyhow::Result<_>>()?;
        Ok(Self { binary: binary.clone(), places, states, addresses, _backends: backends, _claim: claim })
    }

    pub fn state(&self, number: usize) -> anyhow::Result<&State> {
        self.states.get(number).with_context(|| format!("there is no state {number}"))
    }

    /// Where control planes listen.
    pub fn server(&self, number: usize) -> anyhow::Result<SocketAddr> {
        let address = self.addresses.get(number).context("the range has that many addresses")?;
        Ok(SocketAddr::new(*address, XDS_PORT))
    }

    /// Where operators ask a control plane.
    pub fn admin(&self, number: usize) -> anyhow::Result<SocketAddr> {
        Ok(SocketAddr::new(self.server(number)?.ip(), ADMIN_PORT))
    }

    /// Where the Envoy under load answers.
    pub fn edge(&self) -> SocketAddr {
        SocketAddr::new(self.places.edges.first().copied().unwrap_or(Ipv4Addr::LOCALHOST.into()), PORT)
    }

    /// An Envoy that was told the first state, and answers accordingly.
    pub async fn proxy(&self, variant: Variant, servers: &[SocketAddr]) -> anyhow::Result<Proxy> {
        self.proxy_of(0, variant, servers).await
    }

    /// The same of a gateway beside the first.
    pub async fn proxy_of(&self, index: usize, variant: Variant, servers: &[SocketAddr]) -> anyhow::Result<Proxy> {
        let address = *self.places.edges.get(index).context("there are that many gateways")?;
        let setup = Setup { binary: self.binary.clone(), variant, id: edge(index), address, servers: servers.to_vec() };
        let proxy = Proxy::start(&setup, &self.state(0)?.compiled).await?;
        let load = Plan::steady(SocketAddr::new(address, PORT)).start();
        let answered = load.wait_for_any(FIRST_ANSWER).await;
        let tally = load.stop().await;
        if !answered {
            bail!("Envoy is ready and does not answer: {:?}\n{}", tally.losses.first(), proxy.log());
        }
        Ok(proxy)
    }

    /// Waits until answers say what the state says. How long that took.
    pub async fn converged(&self, load: &Load, state: &State, within: Duration) -> anyhow::Result<Duration> {
        let from = std::time::Instant::now();
        let since = load.wait_for(&state.name, within).await;
        let since = since.with_context(|| format!("not within {within:?}: state {}", state.name))?;
        Ok(since.saturating_duration_since(from))
    }
}

impl State {
    pub(crate) fn of(number: usize, text: &str) -> anyhow::Result<Self> {
        let compiled = mesh::compile(text, &module())?;
        let published = Arc::new(Published::of(&compiled.snapshot));
        Ok(Self { name: number.to_string(), compiled: Arc::new(compiled), published })
    }
}
