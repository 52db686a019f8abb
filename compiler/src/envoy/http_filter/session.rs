//! `envoy.filters.http.stateful_session`: a cookie that keeps a caller at one endpoint.

use envoy::config::core::v3::TypedExtensionConfig;
use envoy::config::route::v3::{Route, route, route_action::ClusterSpecifier};
use envoy::extensions::filters::http::stateful_session::v3::{
    StatefulSession, StatefulSessionPerRoute, stateful_session_per_route::Override,
};
use envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState;
use envoy::r#type::http::v3::Cookie;
use spec::mesh::StickyCookie;

use super::{HttpFilter, Rank, typed};
use crate::envoy::duration;

const NAME: &str = "envoy.filters.http.stateful_session";

/// Does nothing but where [`stick`] says so.
pub(crate) fn session() -> HttpFilter {
    typed(Rank::Session, NAME, &StatefulSession::default())
}

/// Requests of this route that go to `cluster` stay at one endpoint.
pub(crate) fn stick(route: &mut Route, cluster: &str, cookie: &StickyCookie) {
    let config = envoy::any(&StatefulSessionPerRoute { r#override: Some(Override::StatefulSession(by(cookie))) });
    let Some(route::Action::Route(action)) = &mut route.action else { return };
    match &mut action.cluster_specifier {
        Some(ClusterSpecifier::Cluster(only)) if only == cluster => {
            route.typed_per_filter_config.insert(NAME.to_owned(), config);
        }
        Some(ClusterSpecifier::WeightedClusters(weighted)) => {
            for share in weighted.clusters.iter_mut().filter(|share| share.name == cluster) {
                share.typed_per_filter_config.insert(NAME.to_owned(), config.clone());
            }
        }
        _ => {}
    }
}

fn by(declared: &StickyCookie) -> StatefulSession {
    let cookie = Cookie {
        name: declared.name.value.clone(),
        ttl: declared.ttl.as_ref().filter(|said| !said.value.is_zero()).map(|said| duration(said.value)),
        path: declared.path.as_ref().map_or_else(|| "/".to_owned(), |said| said.value.clone()),
        ..Default::default()
    };
    let state = TypedExtensionConfig {
        name: "envoy.http.stateful_session.cookie".to_owned(),
        typed_config: Some(envoy::any(&CookieBasedSessionState { cookie: Some(cookie) })),
    };
    StatefulSession {
        session_state: Some(state),
        strict: declared.strict.as_ref().is_some_and(|said| said.value),
        ..Default::default()
    }
}
