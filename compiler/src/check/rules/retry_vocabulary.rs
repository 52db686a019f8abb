//! The words of a retry belong to the vocabulary that it names: some mean other things in another one.

use spec::mesh::{Retry, RetryCondition, RetryVocabulary};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for retry in everywhere::retries(mesh) {
        check_words(retry, diagnostics);
    }
}

fn check_words(retry: &Retry, diagnostics: &mut Diagnostics) {
    let said = retry.vocabulary.as_ref();
    let vocabulary = said.map_or(RetryVocabulary::Envoy, |said| said.value);
    for word in retry.on.iter().filter(|word| !word.value.is_word_of(vocabulary)) {
        let (whose, others) = match vocabulary {
            RetryVocabulary::AppMesh => ("App Mesh", "Envoy"),
            RetryVocabulary::Envoy => ("Envoy", "App Mesh"),
            RetryVocabulary::Consul => ("Consul", "App Mesh"),
        };
        let diagnostic =
            Diagnostic::error(codes::RETRY_VOCABULARY, word.span, format!("{whose} has no such condition"))
                .label(format!("a word of {others}"));
        let diagnostic = match said {
            Some(said) => diagnostic.related(said.span, "the vocabulary is said here"),
            None => diagnostic.help("or say `vocabulary=\"app-mesh\"`, and all words in that one"),
        };
        diagnostics.push(match counterpart(word.value) {
            Some(instead) => diagnostic.help(format!("write {instead}")),
            None => diagnostic.help("leave it out"),
        });
    }
}

/// What says nearly the same in the other vocabulary.
fn counterpart(word: RetryCondition) -> Option<&'static str> {
    match word {
        RetryCondition::FiveXx => Some("`server-error`"),
        RetryCondition::Reset | RetryCondition::ResetBeforeRequest => Some("`gateway-error`, which takes resets too"),
        RetryCondition::ConnectFailure => Some("`connection-error`"),
        RetryCondition::RefusedStream => Some("`stream-error`"),
        RetryCondition::Retriable4xx => Some("`client-error`"),
        RetryCondition::ServerError => Some("`5xx`"),
        RetryCondition::ClientError => Some("`retriable-4xx`"),
        RetryCondition::StreamError => Some("`refused-stream`"),
        RetryCondition::ConnectionError => Some("`connect-failure`"),
        _ => None,
    }
}
