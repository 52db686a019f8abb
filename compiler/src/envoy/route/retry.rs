//! What counts as failed, in the words of Envoy, App Mesh or Consul, and how it is tried again.

use std::collections::BTreeSet;

use envoy::config::route::v3::{
    RetryPolicy,
    retry_policy::{RetryBackOff, RetryHostPredicate, retry_host_predicate},
};
use envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use spec::mesh::{Retry, RetryCondition, RetryVocabulary};

use crate::envoy::duration;

const DEFAULT: [RetryCondition; 3] =
    [RetryCondition::GatewayError, RetryCondition::ConnectFailure, RetryCondition::RefusedStream];

/// How often another endpoint is drawn when the first draw gives one that was tried.
const DRAWS: i64 = 3;

/// What is tried again.
#[derive(Default)]
struct Failed {
    /// Each once, in the order in which they were said.
    words: Vec<&'static str>,
    statuses: BTreeSet<u16>,
}

pub(crate) fn retry_policy(retry: &Retry) -> RetryPolicy {
    let failed = failed(retry);
    let previous_hosts = RetryHostPredicate {
        name: "envoy.retry_host_predicates.previous_hosts".to_owned(),
        config_type: Some(retry_host_predicate::ConfigType::TypedConfig(envoy::any(&PreviousHostsPredicate {}))),
    };
    let avoid = retry.avoid_previous_hosts.as_ref().is_none_or(|said| said.value);
    let span = |said: &Option<spec::Spanned<std::time::Duration>>| said.as_ref().map(|said| duration(said.value));
    RetryPolicy {
        retry_on: failed.words.join(","),
        num_retries: Some(retry.attempts.value),
        per_try_timeout: span(&retry.per_try_timeout),
        per_try_idle_timeout: span(&retry.per_try_idle_timeout),
        retriable_status_codes: failed.statuses.into_iter().map(u32::from).collect(),
        retry_back_off: retry.backoff.as_ref().map(|backoff| RetryBackOff {
            base_interval: Some(duration(backoff.base.value)),
            max_interval: span(&backoff.max),
        }),
        retry_host_predicate: if avoid { vec![previous_hosts] } else { Vec::new() },
        host_selection_retry_max_attempts: if avoid { DRAWS } else { 0 },
        ..Default::default()
    }
}

fn failed(retry: &Retry) -> Failed {
    let mut failed = Failed::default();
    let app_mesh = retry.vocabulary.as_ref().is_some_and(|said| said.value == RetryVocabulary::AppMesh);
    let said = retry.on.iter().map(|condition| condition.value);
    let on: Vec<RetryCondition> = if retry.on.is_empty() { DEFAULT.to_vec() } else { said.collect() };
    for condition in on {
        // Without `on` the words are Envoy's, whatever the vocabulary.
        match app_mesh && !retry.on.is_empty() {
            true => failed.in_app_mesh(condition),
            false => failed.word(condition.as_str()),
        }
    }
    failed.statuses.extend(retry.status.iter().map(|status| status.value));
    if !failed.statuses.is_empty() {
        failed.word("retriable-status-codes");
    }
    failed
}

impl Failed {
    fn word(&mut self, word: &'static str) {
        if !self.words.contains(&word) {
            self.words.push(word);
        }
    }

    /// App Mesh's own Envoys were told this.
    fn in_app_mesh(&mut self, condition: RetryCondition) {
        match condition {
            RetryCondition::ServerError => {
                self.word("reset");
                self.statuses.extend((500..=508).chain([510, 511]));
            }
            RetryCondition::GatewayError => {
                self.word("reset");
                self.statuses.extend([502, 503, 504]);
            }
            RetryCondition::ClientError => self.statuses.extend([409]),
            RetryCondition::StreamError => self.word("refused-stream"),
            RetryCondition::ConnectionError => self.word("connect-failure"),
            other => self.word(other.as_str()),
        }
    }
}
