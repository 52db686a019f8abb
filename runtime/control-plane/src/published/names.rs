//! Under which names proxies are asked for besides their own, and which of them stand for what runs.

use std::collections::{BTreeMap, BTreeSet};

/// Of proxies that run on ECS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `CLUSTER/TASK-ID`, `FAMILY/REVISION` or `FAMILY` → the name of a proxy.
    pub aliases: BTreeMap<String, String>,
    /// Proxies that were made of what runs, and that no mesh names: `FAMILY/REVISION` or `FAMILY/REVISION/TASK-ID`. Who
    /// stands for the family stands for each of them.
    pub discovered: BTreeSet<String>,
}

impl Names {
    /// The proxy that the node with this id is, of those that are there.
    ///
    /// Whoever asks by the name of a proxy is that one, whatever else that name stands for. A task says
    /// `FAMILY/REVISION~CLUSTER/TASK-ID`, or `CLUSTER/TASK-ID` alone; what the task is counts for more than what it calls
    /// itself, which counts for more than its family.
    pub(crate) fn proxy<'n>(&'n self, id: &'n str, is_there: impl Fn(&str) -> bool) -> Option<&'n str> {
        let alias = |name: &str| self.aliases.get(name).map(String::as_str);
        let (own, task) = id.split_once('~').map_or((id, None), |(own, task)| (own, Some(task)));
        let family = own.rsplit_once('/').map(|(family, _)| family);
        [Some(id), alias(id), task.and_then(alias), Some(own), alias(own), family, family.and_then(alias)]
            .into_iter()
            .flatten()
            .find(|name| is_there(name))
    }

    /// How many other names mean something else, or nothing, in the other.
    pub(crate) fn differences(&self, other: &Self) -> usize {
        let differs = |(name, proxy): &(&String, &String)| other.aliases.get(*name) != Some(*proxy);
        let gone = other.aliases.keys().filter(|name| !self.aliases.contains_key(*name)).count();
        self.aliases.iter().filter(differs).count() + gone
    }

    /// With those of an earlier state that left the mesh and are still served.
    pub(super) fn keeping(mut self, before: &Self, left: impl Fn(&str) -> bool) -> Self {
        let kept = before.discovered.iter().filter(|name| left(name)).cloned();
        self.discovered.extend(kept);
        self
    }
}

/// `FAMILY` of `FAMILY/REVISION` and of `FAMILY/REVISION/TASK-ID`.
pub(crate) fn family(proxy: &str) -> Option<&str> {
    let mut parts = proxy.split('/');
    let (family, revision, task) = (parts.next()?, parts.next()?, parts.next());
    let is_number = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !family.is_empty() && task != Some("") && parts.next().is_none()).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, expected: Option<&str>) {
        let aliases = [
            ("prod/7f3c", "orders/7"),
            ("prod/88aa", "pay"),
            ("orders/7", "orders/7"),
            ("orders/6", "shop"),
            ("pay/3", "pay"),
            ("pay", "pay"),
            ("cart/9/00ff", "cart/9/00ff"),
            ("prod/00ff", "cart/9/00ff"),
            ("prod/gone", "gone/1"),
            ("web", "shop"),
            ("web~prod/1", "shop"),
        ];
        let names = Names {
            aliases: aliases.map(|(alias, name)| (alias.to_owned(), name.to_owned())).into(),
            discovered: BTreeSet::new(),
        };
        let there = ["orders/7", "pay", "shop", "web", "cart/9/00ff"];
        assert_eq!(names.proxy(id, |name| there.contains(&name)), expected, "{id}");
    }

    #[test]
    fn a_node_is_asked_for_by_its_own_name() {
        check("web", Some("web"));
        check("web~ip-10-0-0-1", Some("web"));
        check("orders/7~", Some("orders/7"));
        check("nobody", None);
        check("", None);
        check("~", None);
    }

    #[test]
    fn the_name_of_a_node_is_not_taken_over_by_a_family_of_that_name() {
        check("web", Some("web"));
        check("web~ip-10-0-0-1", Some("web"));
        check("web/1~prod/new", Some("web"));
        check("web~prod/1", Some("shop"));
    }

    #[test]
    fn a_task_is_found_by_its_id_whatever_it_calls_itself() {
        check("prod/7f3c", Some("orders/7"));
        check("orders/7~prod/7f3c", Some("orders/7"));
        check("web~prod/88aa", Some("pay"));
        check("cart/9~prod/00ff", Some("cart/9/00ff"));
    }

    #[test]
    fn a_task_that_is_not_known_yet_is_what_its_revision_or_its_family_is() {
        check("orders/7~prod/new", Some("orders/7"));
        check("orders/6~prod/new", Some("shop"));
        check("pay/4~prod/new", Some("pay"));
        check("web/1~prod/new", Some("web"));
        check("cart/9~prod/new", None);
    }

    #[test]
    fn an_alias_of_a_proxy_that_is_not_there_is_none() {
        check("prod/gone", None);
        check("web~prod/gone", Some("web"));
    }
}
