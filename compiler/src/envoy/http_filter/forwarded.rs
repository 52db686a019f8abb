//! `envoy.filters.http.header_mutation`: where a request came from, as this Envoy has seen it and not as the caller says.
//!
//! Envoy puts the caller's address behind what the caller wrote, and applications often take the first one.

use envoy::config::common::mutation_rules::v3::{HeaderMutation as Mutation, header_mutation};
use envoy::config::core::v3::{HeaderValue, HeaderValueOption, header_value_option::HeaderAppendAction};
use envoy::extensions::filters::http::header_mutation::v3::{HeaderMutation, Mutations};

use super::{HttpFilter, Rank, typed};

/// What proxies say of the host that was asked for, and all of it at once (RFC 7239).
const SAID_BY_OTHERS: [&str; 2] = ["forwarded", "x-forwarded-host"];

pub(crate) fn set_anew() -> HttpFilter {
    let address = HeaderValueOption {
        header: Some(HeaderValue {
            key: "x-forwarded-for".to_owned(),
            value: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%".to_owned(),
            ..Default::default()
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..Default::default()
    };
    let removed = SAID_BY_OTHERS.map(|name| header_mutation::Action::Remove(name.to_owned()));
    let all = removed.into_iter().chain([header_mutation::Action::Append(address)]);
    let config = HeaderMutation {
        mutations: Some(Mutations {
            request_mutations: all.map(|action| Mutation { action: Some(action) }).collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    typed(Rank::Forwarded, "envoy.filters.http.header_mutation.forwarded", &config)
}
