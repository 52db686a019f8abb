//! Wasm modules that come inside of resources: there are many resources, and one module.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use control_plane::published::State;
use control_plane::view::{Inside, Served, View};
use control_plane::{Published, Request, Stream, Variant};
use envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use meshwright_control_plane as control_plane;
use prost::Message as _;

const FILTERS: usize = 20;

fn module() -> Bytes {
    Bytes::from(b"\0asm".repeat(10_000))
}

/// Filters whose messages have the module in their middle.
fn view(module: &Bytes) -> Arc<View> {
    let filter = |number: usize| {
        let mut served =
            Served::new(ResourceKind::Extension, &format!("filter-{number:02}"), "1", Bytes::from_static(b"headtail"));
        served.module = Some(Inside { at: 4, bytes: module.clone() });
        (ResourceKind::Extension, Arc::new(served))
    };
    Arc::new(View::new((0..FILTERS).map(filter)))
}

fn message(module: &Bytes) -> Vec<u8> {
    [b"head", &**module, b"tail"].concat()
}

#[test]
fn a_state_holds_a_module_once_and_gives_every_resource_its_own() {
    let module = module();
    let published = Published::with_views(BTreeMap::from([("a".to_owned(), view(&module))]));
    let bytes = State::of_published(&published).encode_to_vec();
    assert!(bytes.len() < module.len() * 2, "{}", bytes.len());
    let state = State::decode(Bytes::from(bytes)).unwrap();
    let restored = state.restored(Duration::ZERO, Duration::ZERO);
    let filters = restored.view("a").unwrap().of(ResourceKind::Extension);
    assert_eq!(filters.len(), FILTERS);
    let places: Vec<*const u8> = filters.iter().map(|it| it.module.as_ref().unwrap().bytes.as_ptr()).collect();
    assert!(places.iter().all(|place| *place == places[0]));
    assert!(filters.iter().all(|it| it.whole() == message(&module)));
}

/// The messages of a response, and how many of its bytes are its own.
fn sent(variant: Variant, names: &[&str]) -> (Vec<Vec<u8>>, usize) {
    let module = module();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let type_url = ResourceKind::Extension.type_url();
    let node = Some(envoy::config::core::v3::Node { id: "a".to_owned(), ..Default::default() });
    let request = match variant {
        Variant::StateOfTheWorld => {
            Request::StateOfTheWorld(DiscoveryRequest { node, type_url, resource_names: names, ..Default::default() })
        }
        Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
            node,
            type_url,
            resource_names_subscribe: names,
            ..Default::default()
        }),
    };
    let step = Stream::new(variant, view(&module)).on_request(request, Duration::ZERO).unwrap();
    let [response] = step.send.as_slice() else { panic!("{:?}", step.events) };
    let own = response.parts.iter().filter(|part| part.as_ptr() != module.as_ptr()).map(Bytes::len).sum();
    let bytes = response.parts.concat();
    let messages = match variant {
        Variant::StateOfTheWorld => {
            let response = DiscoveryResponse::decode(&*bytes).unwrap();
            response.resources.into_iter().map(|any| any.value).collect()
        }
        Variant::Delta => {
            let response = DeltaDiscoveryResponse::decode(&*bytes).unwrap();
            response.resources.into_iter().map(|it| it.resource.unwrap().value).collect()
        }
    };
    (messages, own)
}

#[test]
fn responses_share_a_module() {
    let all: Vec<String> = (0..FILTERS).map(|number| format!("filter-{number:02}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for variant in [Variant::StateOfTheWorld, Variant::Delta] {
        for names in [&["filter-03"][..], &all] {
            let (messages, own) = sent(variant, names);
            assert_eq!(messages.len(), names.len(), "{variant:?}");
            assert!(messages.iter().all(|it| *it == message(&module())), "{variant:?}");
            assert!(own < 200 * (1 + names.len()), "{variant:?}: {own}");
        }
    }
}
