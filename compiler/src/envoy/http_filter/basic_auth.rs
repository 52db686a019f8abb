//! `envoy.filters.http.basic_auth`: passwords, checked by Envoy itself.

use envoy::config::core::v3::{DataSource, data_source};
use envoy::extensions::filters::http::basic_auth::v3::BasicAuth;

use super::{HttpFilter, Rank, typed};
use crate::envoy::names;

/// `users` are lines of an htpasswd file, of which Envoy knows `{SHA}` only.
pub(crate) fn basic_auth(owner: &str, users: String, realm: &str, user_header: Option<&str>) -> HttpFilter {
    let users = DataSource { specifier: Some(data_source::Specifier::InlineString(users)), ..Default::default() };
    let config = BasicAuth {
        users: Some(users),
        forward_username_header: user_header.unwrap_or_default().to_owned(),
        realm: realm.to_owned(),
        ..Default::default()
    };
    typed(Rank::BasicAuth, names::filter("basic_auth", owner), &config)
}
