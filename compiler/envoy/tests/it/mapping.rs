//! Every message of the set prints what another implementation of protobuf's JSON mapping makes of it.

use meshwright_envoy as envoy;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use prost_types::Any;
use serde_json::Value;

use crate::agreement::Dice;
use crate::reading::POOL;

/// Messages made at random, for each type of the set.
const CASES: usize = 10;

#[test]
fn of_every_type() {
    let mut dice = Dice::new();
    for descriptor in POOL.all_messages().filter(is_told_apart) {
        for _ in 0..CASES {
            let message = dice.message(&descriptor, 3);
            let any = in_any(&descriptor, message.encode_to_vec());
            let (yaml, json) = (envoy::to_yaml(&any), envoy::to_json(&any));
            let name = descriptor.full_name();
            let mut printed: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"));
            let from_yaml: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error} in {yaml}"));
            assert_eq!(from_yaml, printed, "{name}");
            printed.as_object_mut().and_then(|fields| fields.remove("@type")).expect("a type");
            assert_eq!(printed, by_another(&message), "{name} in {json}");
            in_order(&descriptor, &yaml);
        }
    }
}

proptest! {
    #[test]
    fn of_no_type_do_any_bytes_break(
        name in prop::sample::select(POOL.all_messages().map(|message| message.full_name().to_owned()).collect::<Vec<_>>()),
        value in prop::collection::vec(prop_oneof![0..=0x3f_u8, any::<u8>()], 0..40),
    ) {
        let any = Any { type_url: format!("type.googleapis.com/{name}"), value };
        prop_assert!(envoy::to_yaml(&any).contains("@type"));
        let refused = envoy::validate(&any).iter().any(|violation| violation.rule == "any.value");
        let json: Value = serde_json::from_str(&envoy::to_json(&any)).expect("JSON that reads");
        if refused {
            prop_assert!(json["value"].is_string(), "{}", json);
            prop_assert!(envoy::deprecated(&any).is_empty());
        }
    }
}

/// Of the others, an `Any` holds the value beside its type.
fn is_told_apart(descriptor: &MessageDescriptor) -> bool {
    let name = descriptor.full_name().strip_prefix("google.protobuf.").unwrap_or_default();
    let is_bare = matches!(name, "Any" | "Duration" | "Timestamp" | "Struct" | "Value" | "ListValue" | "FieldMask");
    !is_bare && !name.ends_with("Value") && !descriptor.is_map_entry()
}

fn in_any(descriptor: &MessageDescriptor, value: Vec<u8>) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", descriptor.full_name()), value }
}

fn by_another(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().use_proto_field_name(true);
    let mut text = vec![];
    message
        .serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options)
        .expect("a message of known types");
    whole(serde_json::from_slice(&text).expect("JSON that reads"))
}

/// Whole numbers without a point.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, whole(value))).collect(),
        other => other,
    }
}

#[track_caller]
fn in_order(descriptor: &MessageDescriptor, yaml: &str) {
    let declared: Vec<_> = descriptor.descriptor_proto().field.iter().map(|field| field.name()).collect();
    let outer = yaml.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()));
    let names = outer.filter_map(|line| line.split(':').next());
    let places: Vec<_> = names.map(|name| declared.iter().position(|declared| *declared == name)).collect();
    assert!(places.is_sorted(), "{places:?} in {yaml}");
}
