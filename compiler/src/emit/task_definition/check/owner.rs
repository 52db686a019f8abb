//! Whom the running task will be taken for.

use std::collections::BTreeSet;

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::read::containers;
use super::{Json, Task, name};

const CODE: spec::Code = codes::TASK_OWNER;
/// Which node a task is.
const NODE: &str = "meshwright.node";
/// Labels and tags that say a service, and where it listens.
const SERVICE: &str = "meshwright.service.";
/// bent's, of labels alone.
const BENT: &str = "envoy.service.";

/// A label, or a tag.
struct Word<'t> {
    key: &'t str,
    value: &'t Json,
    /// The container whose label it is.
    container: Option<&'t str>,
}

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let wanted = task.wanted;
    let words = words(task.definition);
    // The first one holds when the task runs.
    let node = words.iter().find(|word| word.key == NODE);
    if let Some(Word { value, container, .. }) = node
        && value.as_text().is_some_and(|said| !said.trim().eq_ignore_ascii_case(&wanted.name))
    {
        let kind = if container.is_some() { "label" } else { "tag" };
        let message = format!("{kind} `{NODE}` says another node than `{}`", wanted.name);
        let diagnostic = Diagnostic::error(CODE, value.span, message);
        diagnostics.push(diagnostic.help(format!("write `{}`", wanted.name)));
    }
    let (own, others) = (keys(&wanted.serves), keys(&wanted.served_by_others));
    for word in &words {
        let Some(service) = claimed(word) else { continue };
        let key = service.to_ascii_lowercase();
        if own.contains(&key) || !others.contains(&key) {
            continue;
        }
        let who = word.container.map_or("a tag".to_owned(), |container| format!("container `{}`", quote(container)));
        let kind = if word.container.is_some() { "label" } else { "tag" };
        let service = quote(service);
        let message = format!(
            "{who} claims service `{service}`, which node `{}` does not serve and another one does",
            wanted.name
        );
        let help = format!("delete the {kind}, or say `serves \"{service}\"` in node `{}`", wanted.name);
        diagnostics.push(Diagnostic::of(CODE, word.value.span, message).help(help));
    }
    let Some(family) = task.definition.get("family") else { return };
    let others = keys(&wanted.others);
    let taken = |text: &&str| node.is_none() && others.contains(&text.to_ascii_lowercase());
    if let Some(text) = family.as_text().filter(taken) {
        let message =
            format!("tasks of family `{}` are taken for the node of that name, not for `{}`", quote(text), wanted.name);
        let help = format!(
            "call the family `{}`, or say `\"dockerLabels\": {{\"{NODE}\": \"{}\"}}`",
            wanted.name, wanted.name
        );
        diagnostics.push(Diagnostic::of(CODE, family.span, message).help(help));
    }
}

/// As discovery looks for them: tags go before labels.
fn words(definition: &Json) -> Vec<Word<'_>> {
    let tags = definition.list_of("tags").iter();
    let tags =
        tags.filter_map(|tag| Some(Word { key: tag.text_of("key")?, value: tag.get("value")?, container: None }));
    let labels = containers(definition).iter().flat_map(|container| {
        let labels = container.get("dockerLabels").map_or(&[][..], Json::pairs);
        labels.iter().map(|(key, value)| Word { key, value, container: Some(name(container)) })
    });
    tags.chain(labels).collect()
}

/// The service that a word claims; a setting of one claims nothing.
fn claimed<'t>(word: &Word<'t>) -> Option<&'t str> {
    if let Some(service) = word.key.strip_prefix(SERVICE) {
        let listens = word.value.as_text()?.trim().rsplit_once(':')?;
        return listens.1.parse::<u16>().is_ok().then_some(service);
    }
    let service = word.key.strip_prefix(BENT).filter(|_| word.container.is_some())?;
    (!service.contains(".annotations.")).then_some(service)
}

/// Names are the same in upper and lower case.
fn keys(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}
