//! What Envoy's descriptors say about its messages, read once from the embedded set.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

/// Below this many messages an `Any` stays closed: no reader goes deeper, and the stack is finite.
pub(crate) const OPENED_DEPTH: usize = 100;

/// The descriptors with their options, as Envoy carries them.
pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes = include_bytes!("../descriptors/envoy-1.40.fds");
    DescriptorPool::decode(bytes.as_slice()).expect("the embedded descriptor set is complete")
});

/// For each message whose fields are not declared in the order of their numbers: number to place.
static PLACES: LazyLock<BTreeMap<String, BTreeMap<u32, usize>>> = LazyLock::new(|| {
    POOL.all_messages().filter_map(|message| Some((message.full_name().to_owned(), places(&message)?))).collect()
});

/// The message as its descriptor sees it. `None` if it nests deeper than any protobuf reader goes.
pub(crate) fn dynamic<M: Name + Message>(message: &M) -> Option<DynamicMessage> {
    let descriptor = descriptor::<M>();
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok()
}

/// What an `Any` holds. `None` if its type is not in the set, or its bytes are not of that type.
pub(crate) fn unpack(any: &DynamicMessage) -> Option<DynamicMessage> {
    let bytes = any.get_field_by_number(2)?;
    DynamicMessage::decode(type_of(any)?, bytes.as_bytes()?.clone()).ok()
}

/// Whether the set has the type that an `Any` names.
pub(crate) fn is_known(any: &DynamicMessage) -> bool {
    type_of(any).is_some()
}

/// The fields that are set, in the order in which the message declares them.
pub(crate) fn set_fields(message: &DynamicMessage) -> Vec<(FieldDescriptor, &Value)> {
    let mut fields: Vec<_> = message.fields().collect();
    if let Some(places) = PLACES.get(message.descriptor().full_name()) {
        fields.sort_by_key(|(field, _)| places.get(&field.number()));
    }
    fields
}

fn type_of(any: &DynamicMessage) -> Option<MessageDescriptor> {
    let url = any.get_field_by_number(1)?;
    POOL.get_message_by_name(url.as_str()?.rsplit('/').next()?)
}

fn descriptor<M: Name>() -> MessageDescriptor {
    let name = M::full_name();
    POOL.get_message_by_name(&name).unwrap_or_else(|| panic!("`{name}` is generated from the embedded descriptor set"))
}

fn places(message: &MessageDescriptor) -> Option<BTreeMap<u32, usize>> {
    let numbers: Vec<u32> =
        message.descriptor_proto().field.iter().map(|field| field.number().cast_unsigned()).collect();
    (!numbers.is_sorted()).then(|| numbers.into_iter().enumerate().map(|(place, number)| (number, place)).collect())
}
