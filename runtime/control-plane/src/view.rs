//! What one proxy is told: for every type its resources by name, each encoded once, whoever it is for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use bytes::Bytes;
use compiler::snapshot::{Resource, ResourceKind};
use envoy::service::discovery::v3::{self as discovery, DeltaDiscoveryResponse, DiscoveryResponse};
use prost::Message as _;
use prost_types::Any;
use sha2::{Digest as _, Sha256};

use crate::stream::Variant;

mod inside;
mod references;

pub use inside::Inside;

/// Everything one proxy is told. Views of proxies that are told the same share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    types: BTreeMap<ResourceKind, Arc<Resources>>,
}

/// The resources of one type.
#[derive(Default)]
pub struct Resources {
    by_name: BTreeMap<Arc<str>, Arc<Served>>,
    /// Of names and versions: equal content, equal version, on any replica.
    version: Arc<str>,
    /// What [`Resources::union`] last made of something and this: every stream asks for the same.
    last_union: Mutex<Option<(Weak<Self>, Weak<Self>)>>,
}

/// A resource as streams send it.
#[derive(Clone)]
pub struct Served {
    pub name: Arc<str>,
    /// A digest of the encoded message.
    pub version: Arc<str>,
    /// The encoded message, without `module`.
    pub bytes: Bytes,
    /// What belongs into it.
    pub module: Option<Inside>,
    /// Of a cluster: the name under which it asks for its endpoints. Such endpoints must be sent again whenever the
    /// cluster changes, or Envoy waits for them until it gives up (15 s).
    pub endpoints: Option<Arc<str>>,
    /// Of a listener: the routes and filters it asks for by name.
    pub refers: Vec<(ResourceKind, Arc<str>)>,
    kind: ResourceKind,
    field: Encoded,
}

impl View {
    pub fn new(resources: impl IntoIterator<Item = (ResourceKind, Arc<Served>)>) -> Self {
        let mut types: BTreeMap<ResourceKind, Vec<Arc<Served>>> = BTreeMap::new();
        for (kind, served) in resources {
            types.entry(kind).or_default().push(served);
        }
        Self { types: types.into_iter().map(|(kind, served)| (kind, Arc::new(Resources::new(served)))).collect() }
    }

    /// Empty where there is nothing of the type.
    pub fn of(&self, kind: ResourceKind) -> Arc<Resources> {
        self.types.get(&kind).cloned().unwrap_or_default()
    }

    /// Whether a proxy is told the same. Cheaper than comparing the bytes: equal versions are equal content.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let version = |view: &Self, kind| view.types.get(&kind).map(|resources| Arc::clone(&resources.version));
        ResourceKind::ALL
            .into_iter()
            .all(|kind| version(self, kind).unwrap_or_default() == version(other, kind).unwrap_or_default())
    }

    /// The same with the resources of one type replaced.
    #[must_use]
    pub fn with(mut self, kind: ResourceKind, resources: Arc<Resources>) -> Self {
        self.types.insert(kind, resources);
        self
    }
}

impl Resources {
    pub fn new(resources: impl IntoIterator<Item = Arc<Served>>) -> Self {
        let by_name: BTreeMap<Arc<str>, Arc<Served>> =
            resources.into_iter().map(|served| (Arc::clone(&served.name), served)).collect();
        if by_name.is_empty() {
            return Self::default();
        }
        let mut hasher = Sha256::new();
        for served in by_name.values() {
            for part in [&served.name, &served.version] {
                hasher.update(part.as_bytes());
                hasher.update([0]);
            }
        }
        let version: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { by_name, version: version.into(), ..Self::default() }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Served>> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.by_name.values()
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same as [`Resources::version`], to be kept.
    pub fn shared_version(&self) -> &Arc<str> {
        &self.version
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Everything that `first` or `second` has; of the same name, the second's. Returns `second` itself where that has
    /// all the names of `first`.
    pub fn union(first: &Arc<Self>, second: &Arc<Self>) -> Arc<Self> {
        if Arc::ptr_eq(first, second) || first.by_name.keys().all(|name| second.by_name.contains_key(name)) {
            return Arc::clone(second);
        }
        let mut last = second.last_union.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, union)) = &*last
            && known.upgrade().is_some_and(|known| Arc::ptr_eq(&known, first))
            && let Some(union) = union.upgrade()
        {
            return union;
        }
        let both: BTreeMap<_, _> = first.by_name.iter().chain(&second.by_name).collect();
        let union = Arc::new(Self::new(both.into_values().cloned()));
        *last = Some((Arc::downgrade(first), Arc::downgrade(&union)));
        union
    }
}

impl Served {
    pub fn of(resource: &Resource) -> Self {
        let bytes = Bytes::from(resource.bytes.clone());
        let module = resource.module.as_ref();
        Self {
            module: module.map(|it| Inside { at: it.at, bytes: Bytes::from_owner(Arc::clone(&it.bytes)) }),
            ..Self::new(resource.kind, &resource.name, &resource.version, bytes)
        }
    }

    /// The encoded message with everything that belongs into it.
    pub fn whole(&self) -> Bytes {
        inside::whole(&self.bytes, self.module.as_ref())
    }

    pub fn new(kind: ResourceKind, name: &str, version: &str, bytes: Bytes) -> Self {
        let mut refers = references::of(kind, &bytes);
        let endpoints = match kind {
            ResourceKind::Cluster => refers.pop().map(|(_, name)| name),
            _ => None,
        };
        let (name, version) = (name.into(), version.into());
        Self { name, version, bytes, module: None, endpoints, refers, kind, field: Encoded::default() }
    }

    /// As a field `resources` of a response, in parts that follow each other. Made once, for all streams.
    pub(crate) fn field(&self, variant: Variant) -> &[Bytes] {
        self.field.get_or_init(variant, || {
            let any = Any { type_url: self.kind.type_url(), value: self.whole().to_vec() };
            let field = match variant {
                Variant::StateOfTheWorld => {
                    DiscoveryResponse { resources: vec![any], ..Default::default() }.encode_to_vec()
                }
                Variant::Delta => {
                    let resource = discovery::Resource {
                        name: self.name.to_string(),
                        version: self.version.to_string(),
                        resource: Some(any),
                        ..Default::default()
                    };
                    DeltaDiscoveryResponse { resources: vec![resource], ..Default::default() }.encode_to_vec()
                }
            };
            inside::parts(field, self.module.as_ref())
        })
    }

    /// The names by which others must be sent again when this one changed.
    pub(crate) fn dependents(&self) -> impl Iterator<Item = (ResourceKind, &Arc<str>)> {
        let endpoints = self.endpoints.iter().map(|name| (ResourceKind::Endpoints, name));
        endpoints.chain(self.refers.iter().map(|(kind, name)| (*kind, name)))
    }
}

impl Clone for Resources {
    fn clone(&self) -> Self {
        Self { by_name: self.by_name.clone(), version: Arc::clone(&self.version), ..Self::default() }
    }
}

impl PartialEq for Resources {
    fn eq(&self, other: &Self) -> bool {
        self.by_name == other.by_name
    }
}

impl Eq for Resources {}

impl PartialEq for Served {
    fn eq(&self, other: &Self) -> bool {
        let of = |served: &Self| (served.kind, Arc::clone(&served.name), Arc::clone(&served.version));
        of(self) == of(other)
            && self.bytes == other.bytes
            && self.module == other.module
            && self.endpoints == other.endpoints
    }
}

impl Eq for Served {}

/// Without the bytes: they may hold secrets.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, bytes, .. } = self;
        write!(f, "{name}@{version} of {} bytes", bytes.len())
    }
}

/// What was encoded for each variant, once somebody asked for it.
#[derive(Clone, Default)]
struct Encoded {
    state_of_the_world: OnceLock<Vec<Bytes>>,
    delta: OnceLock<Vec<Bytes>>,
}

impl Encoded {
    fn get_or_init(&self, variant: Variant, encode: impl FnOnce() -> Vec<Bytes>) -> &[Bytes] {
        let place = match variant {
            Variant::StateOfTheWorld => &self.state_of_the_world,
            Variant::Delta => &self.delta,
        };
        place.get_or_init(encode)
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
