//! Who may speak of a service: whoever its owner rules name, and nobody else.

use spec::Name;
use spec::mesh::{Ecs, Owner};

use super::world::RunningTask;
use crate::observation;

/// What the rules say of a task and a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// A rule names the service, and the task.
    Owns,
    /// No rule names the service.
    Free,
    /// A rule names the service, and others.
    Denied,
}

pub(crate) fn right(rules: Option<&Ecs>, service: &Name, task: &RunningTask<'_>) -> Right {
    let of_service = |owner: &&Owner| matches(&owner.service.value.to_ascii_lowercase(), &service.key());
    let mut owners = rules.map_or(&[][..], |ecs| &ecs.owners).iter().filter(of_service).peekable();
    if owners.peek().is_none() {
        return Right::Free;
    }
    match owners.any(|owner| owns(owner, task)) {
        true => Right::Owns,
        false => Right::Denied,
    }
}

fn owns(owner: &Owner, task: &RunningTask<'_>) -> bool {
    let family = owner.family.as_ref().is_none_or(|family| matches(&family.value, &task.definition.family));
    family && owner.cluster.as_ref().is_none_or(|cluster| is_cluster(&cluster.value, &task.task.cluster))
}

/// Whether a cluster is meant, by name or ARN.
pub(crate) fn is_cluster(said: &str, arn: &str) -> bool {
    said == "*" || said == arn || (!said.contains('/') && said == observation::last(arn))
}

/// Whether a text is that of a pattern, in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("orders.svc", "orders.svc", true),
            ("orders.svc", "orders.svc2", false),
            ("*.pay.svc", "a.pay.svc", true),
            ("*.pay.svc", "pay.svc", false),
            ("pay-*", "pay-", true),
            ("*", "", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
