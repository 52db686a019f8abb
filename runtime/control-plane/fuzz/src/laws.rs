//! What holds of a stream, whatever its client says: it does not panic, every response is one of its variant and says
//! nothing twice, the same conversation has the same answers, and time that has come is used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use meshwright_control_plane::{Outgoing, Refusal, Request, Served, Step, Stream, Variant, View};
use prost::Message as _;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "*", "", "gone", "\u{202e}"];

/// Bytes that choose a conversation: whose variant it is, then one thing after the other that happens.
pub(crate) fn stream(bytes: &[u8]) {
    let first = converse(bytes);
    assert_eq!(first, converse(bytes), "the same conversation has other answers");
}

fn converse(bytes: &[u8]) -> Vec<Result<Step, Refusal>> {
    let mut choices = Choices(bytes);
    let variant = if choices.next() % 2 == 0 { Variant::StateOfTheWorld } else { Variant::Delta };
    let mut stream = Stream::new(variant, view(choices.next()));
    let (mut now, mut said) = (Duration::ZERO, Vec::new());
    while !choices.0.is_empty() {
        let step = match choices.next() % 8 {
            0 => stream.on_request(decoded(variant, choices.take()), now),
            1 => Ok(stream.on_view(view(choices.next()), now)),
            2 => {
                now += Duration::from_millis(u64::from(choices.next()) * 20);
                let step = stream.on_time(now);
                assert!(stream.deadline().is_none_or(|deadline| deadline > now), "time that has come is not used");
                Ok(step)
            }
            _ => stream.on_request(request(variant, &mut choices), now),
        };
        let ended = step.is_err();
        if let Ok(step) = &step {
            step.send.iter().for_each(|outgoing| check(variant, outgoing));
        }
        said.push(step);
        if ended {
            break;
        }
    }
    let status = stream.status();
    assert!(status.len() <= ResourceKind::ALL.len());
    said
}

fn check(variant: Variant, outgoing: &Outgoing) {
    let bytes = outgoing.parts.concat();
    let (type_url, names) = match variant {
        Variant::StateOfTheWorld => {
            let response = DiscoveryResponse::decode(&*bytes).expect("a response");
            let names: Vec<String> = response.resources.iter().map(|any| format!("{:?}", any.value)).collect();
            (response.type_url, names)
        }
        Variant::Delta => {
            let response = DeltaDiscoveryResponse::decode(&*bytes).expect("a response");
            let sent = response.resources.into_iter().map(|resource| resource.name);
            (response.type_url, sent.chain(response.removed_resources).collect())
        }
    };
    assert_eq!(type_url, outgoing.type_url);
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert!(outgoing.kind.is_none() || distinct.len() == names.len(), "a name twice");
}

/// One of 256 small meshes.
fn view(choice: u8) -> Arc<View> {
    let resources = ResourceKind::ALL.into_iter().enumerate().flat_map(|(place, kind)| {
        let mine = choice.rotate_left(place as u32);
        ["a", "b", "c"].into_iter().enumerate().filter_map(move |(bit, name)| {
            let version = format!("{}", mine >> 5);
            (mine >> bit & 1 == 1).then(|| (kind, Arc::new(Served::new(kind, name, &version, bytes(kind, name)))))
        })
    });
    Arc::new(View::new(resources))
}

/// Of clusters more is read than the name.
fn bytes(kind: ResourceKind, name: &str) -> bytes::Bytes {
    use envoy::config::cluster::v3::{Cluster, cluster::EdsClusterConfig};
    let name = name.to_owned();
    match kind {
        ResourceKind::Cluster => {
            Cluster { name, eds_cluster_config: Some(EdsClusterConfig::default()), ..Default::default() }
                .encode_to_vec()
        }
        // Any message that differs by name.
        _ => DiscoveryRequest { version_info: name, ..Default::default() }.encode_to_vec(),
    }
    .into()
}

/// Whatever prost makes of any bytes.
fn decoded(variant: Variant, bytes: &[u8]) -> Request {
    match variant {
        Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest::decode(bytes).unwrap_or_default()),
        Variant::Delta => Request::Delta(DeltaDiscoveryRequest::decode(bytes).unwrap_or_default()),
    }
}

fn request(variant: Variant, choices: &mut Choices<'_>) -> Request {
    let (kind, names, nonce, more) = (choices.next(), choices.next(), choices.next(), choices.next());
    let type_url = ResourceKind::ALL
        .get(usize::from(kind % 8))
        .map_or_else(|| "type.googleapis.com/envoy.service.runtime.v3.Runtime".to_owned(), |kind| kind.type_url());
    let chosen = |names: u8| -> Vec<String> {
        NAMES.iter().enumerate().filter(|(bit, _)| names >> bit & 1 == 1).map(|(_, name)| (*name).to_owned()).collect()
    };
    let response_nonce = if nonce == 0 { String::new() } else { nonce.to_string() };
    let error_detail = (more & 1 == 1).then(|| Status { message: "a { secret }".to_owned(), ..Default::default() });
    let version = if more & 2 == 2 { "1".to_owned() } else { String::new() };
    match variant {
        Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
            version_info: version,
            resource_names: chosen(names),
            type_url,
            response_nonce,
            error_detail,
            ..Default::default()
        }),
        Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
            type_url,
            resource_names_subscribe: chosen(names),
            resource_names_unsubscribe: if more & 4 == 4 { chosen(choices.next()) } else { Vec::new() },
            initial_resource_versions: if version.is_empty() { Vec::new() } else { chosen(choices.next()) }
                .into_iter()
                .map(|name| (name, version.clone()))
                .collect(),
            response_nonce,
            error_detail,
            ..Default::default()
        }),
    }
}

struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// As many bytes as the next one says.
    fn take(&mut self) -> &'a [u8] {
        let length = usize::from(self.next()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}
