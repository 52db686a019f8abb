//! Header changes by templates, ids of requests, maintenance: as our filters read them.

use policy::fault::Status;
use policy::{
    Day, Digest, HeaderChange, HeaderName, HeadersConfig, MaintenanceConfig, Minute, Network, PassSecret,
    RequestIdConfig, RequestIdFormat, Template, TemplatedHeader, Weekly, Window,
};
use spec::Spanned;
use spec::mesh::{self, Cidr, Weekday};
use spec::units::TimeOfDay;

use super::{value, values};

/// What is not a header or a template was reported.
pub(super) fn headers(declared: &mesh::Headers) -> HeadersConfig {
    let of = |edits: &Option<mesh::TemplatedEdits>| edits.iter().flat_map(changes).collect();
    HeadersConfig { request: of(&declared.request), response: of(&declared.response) }
}

fn changes(edits: &mesh::TemplatedEdits) -> Vec<HeaderChange> {
    let named = |header: &mesh::TemplatedHeader| {
        let (name, value) = (HeaderName::new(&header.name.value)?, Template::parse(&header.value.value).ok()?);
        Some(TemplatedHeader { name, value })
    };
    let removed = edits.remove.iter().filter_map(|name| HeaderName::new(&name.value)).map(HeaderChange::Remove);
    let set = edits.set.iter().filter_map(named).map(HeaderChange::Set);
    let added = edits.add.iter().filter_map(named).map(HeaderChange::Add);
    let defaults = edits.default.iter().filter_map(named).map(HeaderChange::Default);
    removed.chain(set).chain(added).chain(defaults).collect()
}

/// `None` where it names no header, which was reported.
pub(super) fn request_id(declared: &mesh::RequestId) -> Option<RequestIdConfig> {
    let header = declared.header.as_ref().map_or("x-request-id", |header| &header.value);
    Some(RequestIdConfig {
        header: HeaderName::new(header)?,
        format: match value(&declared.format).unwrap_or(mesh::RequestIdFormat::Uuid4) {
            mesh::RequestIdFormat::Uuid4 => RequestIdFormat::Uuid4,
            mesh::RequestIdFormat::Uuid7 => RequestIdFormat::Uuid7,
            mesh::RequestIdFormat::Ulid => RequestIdFormat::Ulid,
            mesh::RequestIdFormat::Hex => RequestIdFormat::Hex,
        },
        trust_all: value(&declared.trust).unwrap_or(false),
        trust_from: networks(&declared.trust_from),
        trusted_hops: value(&declared.trusted_hops).unwrap_or(0),
        accept_any: value(&declared.accept_any).unwrap_or(false),
        response_header: declared.response_header.as_ref().and_then(|header| HeaderName::new(&header.value)),
    })
}

/// `None` where it is switched off.
pub(super) fn maintenance(declared: &mesh::Maintenance) -> Option<MaintenanceConfig> {
    if value(&declared.enabled) == Some(false) {
        return None;
    }
    let seconds = |declared: &mesh::MaintenanceWindow| Window {
        from: value(&declared.from).map(|from| from.unix_seconds()),
        until: value(&declared.until).map(|until| until.unix_seconds()),
    };
    let secret = |secret: &mesh::PassSecret| {
        Some(PassSecret { name: secret.name.value.clone(), sha256: Digest::parse(&secret.sha256.value)? })
    };
    Some(MaintenanceConfig {
        windows: declared.windows.iter().map(seconds).collect(),
        weekly: declared.weekly.iter().map(weekly).collect(),
        // Rounded up: nobody is told to come back too early.
        retry_after: value(&declared.retry_after)
            .map(|after| u32::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)),
        pass_headers: declared.pass_headers.iter().filter_map(secret).collect(),
        pass_cookies: declared.pass_cookies.iter().filter_map(secret).collect(),
        pass_from: networks(&declared.pass_from),
        trusted_hops: value(&declared.trusted_hops).unwrap_or(0),
        except_paths: paths(&declared.except_path),
        except_path_prefixes: paths(&declared.except_path_prefix),
        status: value(&declared.status).map_or(Status(503), Status),
        body: value(&declared.body).unwrap_or_default(),
        content_type: value(&declared.content_type).unwrap_or_default(),
    })
}

fn weekly(declared: &mesh::MaintenanceWeekly) -> Weekly {
    const EVERY: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let said = values(&declared.days);
    let days = (0..).zip(EVERY).filter(|(_, day)| said.is_empty() || said.contains(day));
    let minute = |time: &Spanned<TimeOfDay>| Minute(time.value.minutes());
    Weekly {
        days: days.map(|(number, _)| Day(number)).collect(),
        from: minute(&declared.from),
        until: minute(&declared.until),
    }
}

/// In the spelling in which they are compared.
fn paths(declared: &[Spanned<String>]) -> Vec<String> {
    let spelled = |path: &Spanned<String>| {
        let normalised = policy::normalised(path.value.as_bytes()).and_then(|path| String::from_utf8(path).ok());
        normalised.unwrap_or_else(|| path.value.clone())
    };
    declared.iter().map(spelled).collect()
}

fn networks(declared: &[Spanned<Cidr>]) -> Vec<Network> {
    declared.iter().map(|network| Network::new(network.value.address, network.value.prefix)).collect()
}
