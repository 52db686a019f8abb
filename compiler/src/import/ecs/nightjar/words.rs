//! Where nightjar looks for a word: tags of the task, tags of its definition, variables of its start, variables of its
//! definition.

use std::collections::BTreeMap;

use spec::Spanned;

use super::present::Present;

/// What one task says, each word with the record in which it stands. Another task's words are never among them.
#[derive(Debug)]
pub(super) struct Words<'o>(BTreeMap<&'o str, Spanned<&'o str>>);

impl<'o> Words<'o> {
    /// A word that is empty is not said: the next place is asked. Of several containers the first has it.
    pub(super) fn of(it: &Present<'o>) -> Self {
        let tags = [(&it.task.tags, it.span), (&it.definition.tags, it.definition_span)];
        let replaced = it.task.environment.values().map(|words| (words, it.span));
        let defined = it.definition.containers.iter().map(|container| (&container.environment, it.definition_span));
        let mut words = BTreeMap::new();
        for (place, span) in tags.into_iter().chain(replaced).chain(defined) {
            let said = place.iter().map(|(key, text)| (key.as_str(), text.trim()));
            for (key, text) in said.filter(|(key, text)| key.starts_with("NJ_") && !text.is_empty()) {
                words.entry(key).or_insert(Spanned::new(text, span));
            }
        }
        Self(words)
    }

    pub(super) fn get(&self, key: &str) -> Option<Spanned<&'o str>> {
        self.0.get(key).map(|word| Spanned::new(word.value, word.span))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&'o str, spec::Span)> {
        self.0.iter().map(|(key, word)| (*key, word.span))
    }

    /// The words `PREFIX` + number, in the order of the numbers.
    pub(super) fn numbered(&self, prefix: &str) -> Vec<(u32, Spanned<&'o str>)> {
        let number = |key: &str| key.strip_prefix(prefix).filter(|rest| digits(rest))?.parse().ok();
        let mut found: Vec<_> =
            self.0.iter().filter_map(|(key, word)| Some((number(key)?, Spanned::new(word.value, word.span)))).collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
