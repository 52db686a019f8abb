//! The last good state: everything that Envoy last acknowledged, or a bundle of what it would be told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::{ResourceKind, Snapshot};
use control_plane::{Served, View};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// The first bytes of every file. The number is the format's.
const MAGIC: &[u8] = b"meshwright last good 1\n";
const DIGEST: usize = 32;

/// A complete and consistent state of one proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LastGood {
    /// The name of the proxy that it is for.
    pub proxy: String,
    /// When Envoy acknowledged it, in seconds since 1970. A bundle was never acknowledged.
    pub acknowledged: Option<u64>,
    pub(crate) types: BTreeMap<ResourceKind, ByName>,
}

pub(crate) type ByName = BTreeMap<Arc<str>, Arc<Served>>;

/// Why a file is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("it is not a last good state, or one of another version")]
    Foreign,
    #[error("it is cut off or damaged: its content does not have the digest that it says")]
    Damaged,
    #[error("its content cannot be read")]
    Unreadable,
}

impl LastGood {
    /// Everything that a proxy would be told now. Same snapshot, same bytes. `None` if there is no such proxy.
    pub fn bundle(snapshot: &Snapshot, proxy: &str) -> Option<Self> {
        snapshot.proxies().find(|name| *name == proxy)?;
        let mut types: BTreeMap<ResourceKind, ByName> = BTreeMap::new();
        for resource in snapshot.resources(proxy) {
            let served = Arc::new(Served::of(resource));
            types.entry(resource.kind).or_default().insert(Arc::clone(&served.name), served);
        }
        Some(Self { proxy: proxy.to_owned(), acknowledged: None, types })
    }

    /// As a control plane serves it.
    pub fn view(&self) -> View {
        let of = |(kind, by_name): (&ResourceKind, &ByName)| {
            by_name.values().map(|served| (*kind, Arc::clone(served))).collect::<Vec<_>>()
        };
        View::new(self.types.iter().flat_map(of))
    }

    pub fn len(&self) -> usize {
        self.types.values().map(BTreeMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both say the same, whenever it was acknowledged.
    pub fn says_what(&self, other: &Self) -> bool {
        let versions = |state: &Self| -> Vec<(ResourceKind, Arc<str>, Arc<str>)> {
            let of = |(kind, by_name): (&ResourceKind, &ByName)| {
                let kind = *kind;
                by_name
                    .values()
                    .map(move |it| (kind, Arc::clone(&it.name), Arc::clone(&it.version)))
                    .collect::<Vec<_>>()
            };
            state.types.iter().flat_map(of).collect()
        };
        self.proxy == other.proxy && versions(self) == versions(other)
    }

    /// As a file.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = StateFile { proxy: self.proxy.clone(), acknowledged: self.acknowledged, resources: Vec::new() };
        for (kind, by_name) in &self.types {
            file.resources.extend(by_name.values().map(|served| ResourceFile {
                type_url: kind.type_url(),
                name: served.name.to_string(),
                version: served.version.to_string(),
                bytes: served.whole(),
            }));
        }
        let content = file.encode_to_vec();
        let digest = Sha256::digest(&content);
        [MAGIC, digest.as_slice(), content.as_slice()].concat()
    }

    /// Of a file. Types of a later version are left out.
    pub fn decode(bytes: Bytes) -> Result<Self, Damage> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Damage::Foreign)?;
        let (digest, content) = rest.split_at_checked(DIGEST).ok_or(Damage::Damaged)?;
        if Sha256::digest(content).as_slice() != digest {
            return Err(Damage::Damaged);
        }
        // Resources share the file's memory.
        let content = bytes.slice_ref(content);
        let file = StateFile::decode(content).map_err(|_| Damage::Unreadable)?;
        let mut types: BTreeMap<ResourceKind, ByName> = BTreeMap::new();
        for resource in file.resources {
            let Some(kind) = kind_of(&resource.type_url) else { continue };
            let served = Arc::new(Served::new(kind, &resource.name, &resource.version, resource.bytes));
            types.entry(kind).or_default().insert(Arc::clone(&served.name), served);
        }
        Ok(Self { proxy: file.proxy, acknowledged: file.acknowledged, types })
    }
}

pub(crate) fn kind_of(type_url: &str) -> Option<ResourceKind> {
    ResourceKind::ALL.into_iter().find(|kind| kind.type_url() == type_url)
}

/// Resources may hold password hashes and keys.
impl fmt::Debug for LastGood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: BTreeMap<&str, usize> = self.types.iter().map(|(kind, it)| (kind.short_name(), it.len())).collect();
        let mut said = formatter.debug_struct("LastGood");
        said.field("proxy", &self.proxy).field("acknowledged", &self.acknowledged).field("types", &counts).finish()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct StateFile {
    #[prost(string, tag = "1")]
    proxy: String,
    #[prost(uint64, optional, tag = "2")]
    acknowledged: Option<u64>,
    #[prost(message, repeated, tag = "3")]
    resources: Vec<ResourceFile>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ResourceFile {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    version: String,
    #[prost(bytes = "bytes", tag = "4")]
    bytes: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> LastGood {
        let served = |kind, name: &str| Arc::new(Served::new(kind, name, "1", Bytes::from_static(b"\x0a\x01x")));
        let mut types: BTreeMap<ResourceKind, ByName> = BTreeMap::new();
        for (kind, name) in [(ResourceKind::Listener, "in"), (ResourceKind::Cluster, "b"), (ResourceKind::Cluster, "a")]
        {
            types.entry(kind).or_default().insert(name.into(), served(kind, name));
        }
        LastGood { proxy: "beta".to_owned(), acknowledged: Some(7), types }
    }

    #[test]
    fn what_was_written_is_read() {
        let state = state();
        assert_eq!(LastGood::decode(state.encode().into()), Ok(state));
    }

    #[test]
    fn no_cut_and_no_flipped_bit_is_taken_for_a_state() {
        let whole = state().encode();
        for length in 0..whole.len() {
            assert!(LastGood::decode(Bytes::copy_from_slice(&whole[..length])).is_err(), "cut to {length}");
        }
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            assert!(LastGood::decode(flipped.into()).is_err(), "flipped at {place}");
        }
    }

    #[test]
    fn a_state_shows_no_bytes() {
        let shown = format!("{:?}", state());
        assert_eq!(shown, r#"LastGood { proxy: "beta", acknowledged: Some(7), types: {"cds": 2, "lds": 1} }"#);
    }
}
