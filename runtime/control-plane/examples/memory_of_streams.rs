//! How much memory streams take that have settled: 2,000 of them, each with 200 clusters and their endpoints.
//!
//!     cargo run --release -p meshwright-control-plane --example memory_of_streams -- delta own

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::{Cluster, cluster::EdsClusterConfig};
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use meshwright_control_plane::{Event, Outgoing, Request, Served, Stream, Variant, View};
use prost::Message as _;

const STREAMS: usize = 2_000;
const CLUSTERS: usize = 200;

fn main() {
    // One measurement for each process: what one frees the next would find.
    let says = |word: &str| env::args().any(|argument| argument == word);
    let variant = if says("delta") { Variant::Delta } else { Variant::StateOfTheWorld };
    measure(variant, says("own"));
}

/// With `own`, every stream has a view of its own, of resources that all share.
fn measure(variant: Variant, own: bool) {
    let served = resources();
    let shared = Arc::new(View::new(served.clone()));
    let views: Vec<Arc<View>> =
        (0..STREAMS).map(|_| if own { Arc::new(View::new(served.clone())) } else { Arc::clone(&shared) }).collect();
    let before = resident();
    let streams: Vec<Stream> = views.iter().map(|view| settled(variant, Arc::clone(view))).collect();
    let after = resident();
    let each = (after - before) / STREAMS;
    println!(
        "{variant:?}, own views {own}: {} KiB for {} streams, {each} bytes each",
        (after - before) / 1024,
        streams.len()
    );
    drop(streams);
}

fn resources() -> Vec<(ResourceKind, Arc<Served>)> {
    let both = (0..CLUSTERS).flat_map(|number| {
        let name = format!("outbound|80||service-{number}.mesh.internal");
        let cluster = Cluster {
            name: name.clone(),
            alt_stat_name: "x".repeat(500),
            eds_cluster_config: Some(EdsClusterConfig::default()),
            ..Default::default()
        };
        let version = format!("{number:064x}");
        let bytes = [cluster.encode_to_vec(), vec![0; 500]];
        [ResourceKind::Cluster, ResourceKind::Endpoints]
            .into_iter()
            .zip(bytes)
            .map(|(kind, bytes)| (kind, Arc::new(Served::new(kind, &name, &version, bytes.into()))))
            .collect::<Vec<_>>()
    });
    both.collect()
}

/// A stream of a client that asked for everything, and acknowledged it.
fn settled(variant: Variant, view: Arc<View>) -> Stream {
    let mut stream = Stream::new(variant, Arc::clone(&view));
    let names: Vec<String> = view.of(ResourceKind::Endpoints).iter().map(|served| served.name.to_string()).collect();
    let mut nonce = 0;
    for (kind, names) in [(ResourceKind::Cluster, vec![]), (ResourceKind::Endpoints, names)] {
        for answers in [false, true] {
            let response_nonce = if answers { nonce.to_string() } else { String::new() };
            let request = match variant {
                Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                    type_url: kind.type_url(),
                    resource_names: names.clone(),
                    response_nonce,
                    ..Default::default()
                }),
                Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                    type_url: kind.type_url(),
                    resource_names_subscribe: if answers { vec![] } else { names.clone() },
                    response_nonce,
                    ..Default::default()
                }),
            };
            let step = stream.on_request(request, Duration::ZERO).expect("a step");
            let sent: Vec<&Outgoing> = step.send.iter().collect();
            nonce += sent.len();
            assert_eq!(step.events.contains(&Event::Settled), answers);
        }
    }
    stream
}

fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}
