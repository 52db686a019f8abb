//! The addresses of EC2 instances: one signed call whose answer is XML. (The SDK of EC2 takes minutes to build.)

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;

use super::super::{Addresses, Answer, Fault, Kind};
use super::{ATTEMPT, CONNECT, endpoint, error};

const ACTION: &str = "DescribeInstances";

/// A filter, not a list of ids: one instance that is gone would make AWS refuse all of them.
pub(super) async fn describe_instances(config: &SdkConfig, region: &str, ids: &[String]) -> Answer<Addresses> {
    let mut body = format!("Action={ACTION}&Version=2016-11-15&Filter.1.Name=instance-id");
    // Ids of instances have no character that would have to be escaped.
    for (index, id) in ids.iter().filter(|id| is_id(id)).enumerate() {
        body.push_str(&format!("&Filter.1.Value.{}={id}", index + 1));
    }
    let url = endpoint(config, "EC2").unwrap_or_else(|| own_endpoint(config, region));
    let request = signed(config, region, &url, body).await?;
    let (status, text) = send(config, &url, request).await?;
    match status {
        200 => addresses(&text).map_err(|error| Fault::new(Kind::Unusable, ACTION, error)),
        _ => Err(refused(status, &text)),
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn own_endpoint(config: &SdkConfig, region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let service = if config.use_fips().unwrap_or(false) { "ec2-fips" } else { "ec2" };
    format!("https://{service}.{region}.{domain}")
}

async fn signed(config: &SdkConfig, region: &str, url: &str, body: String) -> Answer<HttpRequest> {
    let refused = |error: &dyn std::fmt::Display| Fault::new(Kind::Refused, ACTION, error);
    let provider = config.credentials_provider();
    let provider = provider.ok_or_else(|| Fault::new(Kind::Credentials, ACTION, "no credentials"))?;
    let credentials = tokio::time::timeout(ATTEMPT, provider.provide_credentials()).await;
    let credentials = credentials.map_err(|_| Fault::new(Kind::Timeout, ACTION, "no credentials in time"))?;
    let credentials = credentials.map_err(|error| Fault::new(Kind::Credentials, ACTION, error))?;
    let identity = Identity::from(credentials);

    let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| refused(&error))?;
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    let url = format!("{}/", url.trim_end_matches('/'));
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("host", host.as_str())];
    let time = config.time_source().map_or_else(SystemTime::now, |source| source.now());
    let params = v4::SigningParams::builder().identity(&identity).region(region).name("ec2").time(time);
    let params = params.settings(SigningSettings::default()).build().map_err(|error| refused(&error))?.into();
    let signable =
        SignableRequest::new("POST", url.as_str(), headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let signable = signable.map_err(|error| refused(&error))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| refused(&error))?.into_parts();

    let request = http::Request::builder().method("POST").uri(url.as_str());
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let mut request = request.body(SdkBody::from(body)).map_err(|error| refused(&error))?;
    instructions.apply_to_request_http1x(&mut request);
    HttpRequest::try_from(request).map_err(|error| refused(&error))
}

/// The status and the body of the answer.
async fn send(config: &SdkConfig, url: &str, request: HttpRequest) -> Answer<(u16, String)> {
    let client = config.http_client().ok_or_else(|| Fault::new(Kind::Refused, ACTION, "no client"))?;
    let times = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT).operation_timeout(ATTEMPT);
    let mut operation = Operation::builder()
        .service_name("ec2")
        .operation_name(ACTION)
        .http_client(client)
        .endpoint_url(url)
        .no_auth()
        .no_retry()
        .timeout_config(times.operation_attempt_timeout(ATTEMPT).build());
    if let Some(sleep) = config.sleep_impl() {
        operation = operation.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        operation = operation.time_source(time);
    }
    let operation = operation.serializer(Ok).deserializer::<_, Infallible>(|response| {
        let body = response.body().bytes().unwrap_or_default();
        Ok((response.status().as_u16(), String::from_utf8_lossy(body).into_owned()))
    });
    operation.build().invoke(request).await.map_err(|error| error::unanswered(ACTION, &error))
}

fn refused(status: u16, text: &str) -> Fault {
    let document = roxmltree::Document::parse(text).ok();
    let said = |name: &str| {
        let document = document.as_ref()?;
        document.descendants().find(|node| node.has_tag_name(name))?.text()
    };
    // The namespace of errors differs: some answers have one, some have none.
    error::answered(ACTION, said("Code").unwrap_or("an error without a code"), status, said("Message"))
}

/// Interfaces first, in their order; an instance without any has one address.
fn addresses(text: &str) -> Result<Addresses, roxmltree::Error> {
    let document = roxmltree::Document::parse(text)?;
    let mut found = BTreeMap::new();
    for instances in document.descendants().filter(|node| is(node, "instancesSet")) {
        for instance in instances.children().filter(|node| is(node, "item")) {
            let own = |name: &str| instance.children().find(|node| is(node, name))?.text();
            let Some(id) = own("instanceId") else { continue };
            let mut addresses: Vec<IpAddr> = Vec::new();
            let inner = instance.descendants().filter(|node| is(node, "privateIpAddress") || is(node, "ipv6Address"));
            for address in own("privateIpAddress").into_iter().chain(inner.filter_map(|node| node.text())) {
                match address.trim().parse() {
                    Ok(address) if !addresses.contains(&address) => addresses.push(address),
                    _ => {}
                }
            }
            addresses.sort_by_key(IpAddr::is_ipv6);
            found.insert(id.to_owned(), addresses);
        }
    }
    Ok(found)
}

fn is(node: &roxmltree::Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

#[cfg(test)]
mod tests {
    use super::super::super::Kind;
    use super::{addresses, refused};

    #[test]
    fn the_first_address_of_an_instance_is_its_main_one() {
        let text = r#"<?xml version="1.0"?><DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <reservationSet><item><instancesSet>
                <item><instanceId>i-1</instanceId><privateIpAddress>10.0.0.1</privateIpAddress>
                    <networkInterfaceSet><item><privateIpAddress>10.0.0.9</privateIpAddress>
                        <ipv6AddressesSet><item><ipv6Address>fd00::1</ipv6Address></item></ipv6AddressesSet></item></networkInterfaceSet>
                </item>
                <item><instanceId>i-2</instanceId></item>
            </instancesSet></item></reservationSet></DescribeInstancesResponse>"#;
        let found = addresses(text).unwrap();
        let first: Vec<String> = found["i-1"].iter().map(ToString::to_string).collect();
        assert_eq!(first, ["10.0.0.1", "10.0.0.9", "fd00::1"]);
        assert!(found["i-2"].is_empty());
    }

    #[test]
    fn errors_are_read_and_bombs_are_refused() {
        let text = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>";
        let fault = refused(503, text);
        assert_eq!((fault.kind, fault.reason.as_str()), (Kind::Throttled, "RequestLimitExceeded (status 503): slow"));
        assert_eq!(refused(500, "no xml").kind, Kind::Unavailable);
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#;
        assert!(addresses(bomb).is_err());
    }
}
