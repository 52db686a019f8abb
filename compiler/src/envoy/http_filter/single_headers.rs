//! `envoy.filters.http.header_mutation`: of headers that decide who passes, only the first value goes on; of those that
//! another server is to write, none.
//!
//! Envoy's access rules hold if any value of a header that repeats does, and applications differ in which one they take.

use std::collections::BTreeSet;

use envoy::config::common::mutation_rules::v3::{HeaderMutation as Mutation, header_mutation};
use envoy::config::core::v3::{HeaderValue, HeaderValueOption, header_value_option::HeaderAppendAction};
use envoy::extensions::filters::http::header_mutation::v3::{HeaderMutation, Mutations};

use super::{HttpFilter, Rank, typed};
use crate::envoy::names;

/// Names in lower case. `host`, which never repeats, cannot be written.
pub(crate) fn single_headers(owner: &str, headers: &BTreeSet<String>, foreign: &BTreeSet<String>) -> HttpFilter {
    let config = HeaderMutation {
        mutations: Some(Mutations {
            request_mutations: headers
                .difference(foreign)
                .map(first_value)
                .chain(foreign.iter().map(|header| none(header)))
                .collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    typed(Rank::SingleHeaders, names::filter("header_mutation", owner), &config)
}

fn none(header: &str) -> Mutation {
    Mutation { action: Some(header_mutation::Action::Remove(header.to_owned())) }
}

fn first_value(header: &String) -> Mutation {
    let value = HeaderValue { key: header.clone(), value: format!("%REQ({header})%"), ..Default::default() };
    let option = HeaderValueOption {
        header: Some(value),
        append_action: HeaderAppendAction::OverwriteIfExists.into(),
        keep_empty_value: true,
        ..Default::default()
    };
    Mutation { action: Some(header_mutation::Action::Append(option)) }
}
