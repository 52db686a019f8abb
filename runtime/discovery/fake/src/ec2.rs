//! EC2: DescribeInstances of its Query API, in XML.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::world::{ContainerInstance, World};

/// What EC2 answers to an action, as data that [`write`] makes XML of.
pub fn answer(world: &World, action: &str, request: &Value) -> Result<Value, Failure> {
    if action != "DescribeInstances" {
        let message = format!("The action {action} is not valid for this web service.");
        return Err(Failure::new("InvalidAction", message));
    }
    let asked = numbered(request, "InstanceId");
    let known: Vec<&ContainerInstance> =
        world.clusters.values().flat_map(|cluster| cluster.instances.values()).collect();
    let missing = |id: &&&str| !known.iter().any(|instance| instance.ec2_instance_id == **id);
    if let Some(id) = asked.iter().find(missing) {
        let message = format!("The instance ID '{id}' does not exist");
        return Err(Failure::new("InvalidInstanceID.NotFound", message));
    }
    let filtered = filter(request)?;
    let wanted = |instance: &&&ContainerInstance| {
        let id = instance.ec2_instance_id.as_str();
        (asked.is_empty() || asked.contains(&id)) && filtered.as_ref().is_none_or(|ids| ids.contains(&id))
    };
    let instances: Vec<Value> = known.iter().filter(wanted).map(|instance| described(instance)).collect();
    Ok(json!({ "account": world.account, "instances": instances }))
}

/// The ids that a filter lets through, if there is one. Unlike a list of ids, it may name what is gone.
fn filter(request: &Value) -> Result<Option<Vec<&str>>, Failure> {
    match request["Filter.1.Name"].as_str() {
        None => Ok(None),
        Some("instance-id") => {
            let ids = numbered(request, "Filter.1.Value");
            if ids.len() > 200 {
                let message = "The maximum number of filter values specified on a single call is 200";
                return Err(Failure::new("FilterLimitExceeded", message));
            }
            Ok(Some(ids))
        }
        Some(other) => Err(Failure::new("InvalidParameterValue", format!("The filter '{other}' is invalid"))),
    }
}

/// `NAME.1`, `NAME.2` and so on.
fn numbered<'a>(request: &'a Value, name: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    while let Some(value) = request[format!("{name}.{}", values.len() + 1)].as_str() {
        values.push(value);
    }
    values
}

fn described(instance: &ContainerInstance) -> Value {
    let (four, six): (Vec<IpAddr>, Vec<IpAddr>) = instance.addresses.iter().partition(|address| address.is_ipv4());
    let id = &instance.ec2_instance_id;
    json!({ "id": id, "zone": instance.availability_zone, "ipv4": four, "ipv6": six })
}

/// The fields of a form, as an object of strings.
pub(crate) fn read(body: &[u8]) -> Value {
    let body = String::from_utf8_lossy(body);
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(key, value)| (decode(key), Value::String(decode(value)))).collect::<Map<_, _>>())
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..] if *first == b'%' => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        let skip = if escaped.is_some() { 3 } else { 1 };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = &rest[skip..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

pub(crate) fn write(answer: &Value, request_id: &str) -> String {
    let account = answer["account"].as_str().unwrap_or_default();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse xmlns=\"{NAMESPACE}\">\n  \
         <requestId>{request_id}</requestId>\n  <reservationSet>\n"
    );
    for instance in answer["instances"].as_array().into_iter().flatten() {
        xml += &reservation(account, instance);
    }
    xml + "  </reservationSet>\n</DescribeInstancesResponse>\n"
}

fn reservation(account: &str, instance: &Value) -> String {
    let (id, zone) = (text(&instance["id"]), text(&instance["zone"]));
    let digits = id.trim_start_matches("i-");
    let four: Vec<&str> = instance["ipv4"].as_array().into_iter().flatten().map(text).collect();
    let primary = four.first().map(|address| format!("<privateIpAddress>{address}</privateIpAddress>"));
    let primary = primary.unwrap_or_default();
    let item = |(index, address): (usize, &&str)| {
        let first = index == 0;
        format!("<item><privateIpAddress>{address}</privateIpAddress><primary>{first}</primary></item>")
    };
    let four: String = four.iter().enumerate().map(item).collect();
    let six = instance["ipv6"].as_array().into_iter().flatten().map(text);
    let six: Vec<String> = six.map(|address| format!("<item><ipv6Address>{address}</ipv6Address></item>")).collect();
    let ipv6 = instance["ipv6"][0].as_str().map(|address| format!("<ipv6Address>{address}</ipv6Address>"));
    format!(
        "    <item>\n      <reservationId>r-{digits}</reservationId>\n      <ownerId>{account}</ownerId>\n      \
         <groupSet/>\n      <instancesSet>\n        <item>\n          <instanceId>{id}</instanceId>\n          \
         <imageId>ami-0a1b2c3d4e5f60718</imageId>\n          \
         <instanceState><code>16</code><name>running</name></instanceState>\n          \
         <privateDnsName>{id}.internal</privateDnsName>\n          <instanceType>t3.small</instanceType>\n          \
         <launchTime>2026-11-01T00:00:00.000Z</launchTime>\n          \
         <placement><availabilityZone>{zone}</availabilityZone><tenancy>default</tenancy></placement>\n          \
         {primary}{}\n          \
         <networkInterfaceSet><item><networkInterfaceId>eni-{digits}</networkInterfaceId>{primary}\
         <privateIpAddressesSet>{four}</privateIpAddressesSet><ipv6AddressesSet>{}</ipv6AddressesSet></item>\
         </networkInterfaceSet>\n        </item>\n      </instancesSet>\n    </item>\n",
        ipv6.unwrap_or_default(),
        six.concat(),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn write_failure(failure: &Failure, request_id: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message>\
         </Error></Errors><RequestID>{request_id}</RequestID></Response>",
        escape(&failure.code),
        escape(&failure.message)
    )
}
