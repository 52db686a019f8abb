//! On messages made at random, the offline rules and real Envoy give the same verdict.

use meshwright_envoy as envoy;
use meshwright_envoy::config::bootstrap::v3::Bootstrap;
use meshwright_envoy::config::bootstrap::v3::bootstrap::StaticResources;
use meshwright_envoy::config::listener::v3::filter::ConfigType;
use meshwright_envoy::config::listener::v3::{Filter, FilterChain, Listener};
use meshwright_envoy::extensions::filters::http::router::v3::Router;
use meshwright_envoy::extensions::filters::network::http_connection_manager::v3 as manager;
use meshwright_envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use crate::reading::POOL;
use crate::real_envoy;

const CASES: usize = 15;
const DEPTH: usize = 7;

#[test]
fn on_clusters() {
    agree(|cluster| StaticResources { clusters: vec![cluster], ..StaticResources::default() });
}

#[test]
fn on_routes() {
    agree(|routes| {
        let router = manager::HttpFilter {
            name: "router".into(),
            config_type: Some(manager::http_filter::ConfigType::TypedConfig(envoy::any(&Router::default()))),
            ..manager::HttpFilter::default()
        };
        let manager = manager::HttpConnectionManager {
            stat_prefix: "inbound".into(),
            route_specifier: Some(RouteSpecifier::RouteConfig(routes)),
            http_filters: vec![router],
            ..manager::HttpConnectionManager::default()
        };
        let filter = Filter { name: "http".into(), config_type: Some(ConfigType::TypedConfig(envoy::any(&manager))) };
        let listener = Listener {
            filter_chains: vec![FilterChain { filters: vec![filter], ..FilterChain::default() }],
            address: Some(envoy::config::core::v3::Address {
                address: Some(envoy::config::core::v3::address::Address::Pipe(envoy::config::core::v3::Pipe {
                    path: "@inbound".into(),
                    mode: 0,
                })),
            }),
            ..Listener::default()
        };
        StaticResources { listeners: vec![listener], ..StaticResources::default() }
    });
}

/// Asks about messages that break one rule or none: with more, one could hide another.
#[track_caller]
fn agree<M: Name + Message + Default>(place: impl Fn(M) -> StaticResources) {
    let descriptor = POOL.get_message_by_name(&M::full_name()).expect("a message of the set");
    let mut dice = Dice::new();
    let mut asked = [0; 2];
    while asked.iter().any(|count| *count < CASES) {
        let message = dice.message(&descriptor, 0).transcode_to().expect("the generated type has the same fields");
        let bootstrap = Bootstrap { static_resources: Some(place(message)), ..Bootstrap::default() };
        let found = envoy::validate(&bootstrap);
        if found.len() > 1 || asked[found.len()] == CASES {
            continue;
        }
        asked[found.len()] += 1;
        let yaml = envoy::to_yaml(&bootstrap);
        match real_envoy::judges("envoy.yaml", &yaml) {
            Ok(_) => assert!(found.is_empty(), "Envoy accepts, but {}:\n{yaml}", found[0]),
            Err(said) => {
                assert!(!said.contains("INVALID_ARGUMENT"), "Envoy cannot read what was printed: {said}\n{yaml}");
                let missed = found.is_empty() && real_envoy::names_a_rule(&said);
                assert!(!missed, "nothing was found, but {said}\n{yaml}");
            }
        }
    }
}

/// Makes messages whose values lie on both sides of Envoy's limits.
pub(crate) struct Dice(TestRng);

impl Dice {
    pub(crate) fn new() -> Self {
        Dice(TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    pub(crate) fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Any" => {
                message.set_field_by_number(1, Value::String("type.googleapis.com/google.protobuf.StringValue".into()));
            }
            "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => {}
            _ if depth > DEPTH => {}
            _ => {
                for field in descriptor.fields().filter(|field| !is_deprecated(field)) {
                    if self.below(100) < likelihood(&field, depth) {
                        message.set_field(&field, self.value(&field, depth));
                    }
                }
            }
        }
        message
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        let kind = field.kind();
        match kind.as_message() {
            Some(entry) if field.is_map() => match self.element(&entry.map_entry_key_field().kind(), depth) {
                Value::String(key) => {
                    let value = self.element(&entry.map_entry_value_field().kind(), depth);
                    Value::Map([(MapKey::String(key), value)].into())
                }
                _ => Value::Map([].into()),
            },
            _ if field.is_list() => Value::List((0..self.below(3)).map(|_| self.element(&kind, depth)).collect()),
            _ => self.element(&kind, depth),
        }
    }

    fn element(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Message(descriptor) => Value::Message(self.message(descriptor, depth + 1)),
            Kind::Enum(descriptor) => {
                let undefined = descriptor.values().map(|value| value.number()).max().unwrap_or(0).wrapping_add(1);
                let numbers: Vec<_> = descriptor.values().map(|value| value.number()).chain([undefined]).collect();
                Value::EnumNumber(self.one_of(&numbers))
            }
            Kind::String => Value::String(
                self.one_of(&["", "a", "/", "/api/", "a b", "a\n", "x-a", "%a%", "http", "127.0.0.1", "*", "a\0b"])
                    .into(),
            ),
            Kind::Bytes => Value::Bytes(self.one_of(&["", "a", "abc"]).into()),
            Kind::Bool => Value::Bool(self.one_of(&[false, true])),
            Kind::Double => Value::F64(self.one_of(&[0.0, 0.5, 100.0, 100.5, -1.0])),
            Kind::Float => Value::F32(self.one_of(&[0.0, 0.5, -1.0])),
            Kind::Uint32 | Kind::Fixed32 => {
                Value::U32(self.one_of(&[0, 1, 100, 101, 200, 511, 512, 600, 65535, 65536]))
            }
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.one_of(&[0, 1, 1024, 65536, 8_388_608, 8_388_609])),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.one_of(&[0, 1, 5, 1000])),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.one_of(&[0, 1, 5, 100])),
        }
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.0.next_u32() % limit
    }
}

/// What Envoy asks for is often there; few of the rest are, so that messages stay small.
fn likelihood(field: &FieldDescriptor, depth: usize) -> u32 {
    let has_options = field.field_descriptor_proto().options.is_some();
    match (field.containing_oneof().is_some(), has_options, depth) {
        (true, _, _) => 40,
        (false, true, 0) if field.kind() != Kind::String => 25,
        (false, true, _) => 55,
        (false, false, 0) => 4,
        (false, false, _) => 14,
    }
}

fn is_deprecated(field: &FieldDescriptor) -> bool {
    field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated())
}
