//! Two conditions on a path as one: what a request must be to meet a route, be rewritten by it, and meet another.
//!
//! A gateway's route leads to a service, whose own routes see the path that the gateway's rewrite made of it. Envoy
//! routes once, so both are said in one place. Not everything can be: [`Combined::Inexpressible`].

mod regex;
#[cfg(test)]
mod tests;

use spec::mesh::{PathMatch, PathRewrite, RegexRewrite, RouteMatch};

/// How a path, without its query, is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathCondition {
    pub compare: Compare,
    pub text: String,
    pub ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Prefix,
    Exact,
    Regex,
}

/// What becomes of a path; its query stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathChange {
    /// This, in place of the prefix that was compared.
    Prefix(String),
    /// This, in place of all of it.
    Full(String),
    /// The substitution, in place of every part that the pattern finds.
    Regex { pattern: String, substitution: String },
}

/// A condition on the path with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Also {
    Prefix { text: String, ignore_case: bool },
    Regex(String),
}

/// Which paths are taken, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPlan {
    pub condition: PathCondition,
    /// All must hold besides.
    pub also: Vec<Also>,
    pub change: Option<PathChange>,
}

/// What two plans make, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Combined {
    Plan(PathPlan),
    /// No path meets both.
    Never,
    Inexpressible(Why),
}

/// Why one route of Envoy cannot say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// What the first one makes of a path is compared with a regular expression.
    Compares,
    /// What the first one makes of a path is rewritten by a regular expression.
    Rewrites,
    /// The first one makes by a regular expression what the second one looks at.
    Made,
}

impl PathChange {
    pub(crate) fn of_path(path: &PathRewrite) -> Self {
        match path {
            PathRewrite::Prefix(new) => Self::Prefix(new.clone()),
            PathRewrite::Full(new) => Self::Full(new.clone()),
        }
    }

    pub(crate) fn of_regex(regex: &RegexRewrite) -> Self {
        Self::Regex { pattern: regex.pattern.value.clone(), substitution: regex.substitution.value.clone() }
    }

    pub(crate) fn of_rewrite(rewrite: &spec::mesh::Rewrite) -> Option<Self> {
        let path = rewrite.path.as_ref().map(|path| Self::of_path(&path.value));
        path.or(rewrite.regex.as_ref().map(Self::of_regex))
    }
}

impl PathCondition {
    pub(crate) fn any() -> Self {
        Self::new(Compare::Prefix, "/")
    }

    pub(crate) fn new(compare: Compare, text: impl Into<String>) -> Self {
        Self { compare, text: text.into(), ignore_case: false }
    }

    /// Every path begins with a slash.
    pub(crate) fn is_any(&self) -> bool {
        self.compare == Compare::Prefix && self.text == "/"
    }
}

impl PathPlan {
    pub(crate) fn new(condition: PathCondition, change: Option<PathChange>) -> Self {
        Self { condition, also: Vec::new(), change }
    }

    /// As a route says it; `None` if no path meets both its path and its gRPC method.
    pub(crate) fn of(matches: &RouteMatch, change: Option<PathChange>) -> Option<Self> {
        let ignore_case = matches.case_sensitive.as_ref().is_some_and(|said| !said.value);
        let path = matches.path.as_ref().map(|path| match &path.value {
            PathMatch::Prefix(text) => PathCondition::new(Compare::Prefix, text),
            PathMatch::Exact(text) => PathCondition::new(Compare::Exact, text),
            PathMatch::Regex(text) => PathCondition::new(Compare::Regex, text),
        });
        let grpc = matches.grpc.as_ref().map(|grpc| match &grpc.method {
            Some(method) => PathCondition::new(Compare::Exact, format!("/{}/{}", grpc.service.value, method.value)),
            None => PathCondition::new(Compare::Prefix, format!("/{}/", grpc.service.value)),
        });
        let path = path.map(|path| PathCondition { ignore_case, ..path });
        match (grpc, path) {
            (Some(grpc), Some(path)) => match Self::new(grpc, None).then(&Self::new(path, change)) {
                Combined::Plan(plan) => Some(plan),
                Combined::Never | Combined::Inexpressible(_) => None,
            },
            (only, None) | (None, only) => Some(Self::new(only.unwrap_or_else(PathCondition::any), change)),
        }
    }

    /// This plan, and then another one for what it makes of the path.
    pub(crate) fn then(&self, inner: &Self) -> Combined {
        let combined = match &self.change {
            None => both(&self.condition, &inner.condition, inner.change.as_ref()),
            _ if !inner.also.is_empty() => Combined::Inexpressible(Why::Compares),
            Some(PathChange::Prefix(new)) if self.condition.compare == Compare::Prefix => {
                after_prefix(&self.condition, new, inner)
            }
            Some(PathChange::Prefix(new) | PathChange::Full(new)) => after_full(&self.condition, new, inner),
            Some(change @ PathChange::Regex { .. }) => after_regex(&self.condition, change, inner),
        };
        match combined {
            Combined::Plan(mut plan) => {
                plan.also.extend(self.also.iter().cloned());
                if self.change.is_none() {
                    plan.also.extend(inner.also.iter().cloned());
                }
                Combined::Plan(plan)
            }
            other => other,
        }
    }
}

/// Nothing is rewritten in between. The condition that a rewritten prefix refers to stays the first one.
fn both(outer: &PathCondition, inner: &PathCondition, change: Option<&PathChange>) -> Combined {
    let plan = |condition: &PathCondition, also: Option<Also>| {
        let mut plan = PathPlan::new(condition.clone(), change.cloned());
        plan.also.extend(also);
        // Of a path that is known, the rest after the prefix is known too.
        if let (Some(PathChange::Prefix(new)), Compare::Exact) = (change, condition.compare) {
            let rest = condition.text.get(inner.text.len()..).unwrap_or_default();
            plan.change = Some(PathChange::Full(format!("{new}{rest}")));
        }
        Combined::Plan(plan)
    };
    let rewrites_prefix = matches!(change, Some(PathChange::Prefix(_)));
    if inner.is_any() && !rewrites_prefix {
        return plan(outer, None);
    }
    if outer.is_any() {
        return plan(inner, None);
    }
    match (outer.compare, inner.compare) {
        (Compare::Prefix, Compare::Prefix) => prefixes(outer, inner, change),
        (Compare::Exact, Compare::Exact) => {
            match same(&outer.text, &inner.text, outer.ignore_case && inner.ignore_case)
                || (outer.ignore_case != inner.ignore_case && same(&outer.text, &inner.text, true))
            {
                true => plan(if outer.ignore_case { inner } else { outer }, None),
                false => Combined::Never,
            }
        }
        (Compare::Exact, Compare::Prefix) => exact_below(outer, inner, plan),
        (Compare::Prefix, Compare::Exact) => exact_below(inner, outer, plan),
        (Compare::Regex, Compare::Prefix) if rewrites_prefix => plan(inner, Some(regex::with_query(outer))),
        (Compare::Regex, Compare::Prefix) => plan(outer, begins(inner)),
        (Compare::Prefix, Compare::Regex) => plan(inner, begins(outer)),
        (Compare::Regex, Compare::Exact) => plan(inner, Some(regex::with_query(outer))),
        (Compare::Exact, Compare::Regex) => plan(outer, Some(regex::with_query(inner))),
        (Compare::Regex, Compare::Regex) if outer == inner => plan(outer, None),
        (Compare::Regex, Compare::Regex) => plan(inner, Some(regex::with_query(outer))),
    }
}

fn prefixes(outer: &PathCondition, inner: &PathCondition, change: Option<&PathChange>) -> Combined {
    let longer_is_outer = outer.text.len() > inner.text.len();
    let (longer, shorter) = if longer_is_outer { (outer, inner) } else { (inner, outer) };
    if !begins_with(&longer.text, &shorter.text, longer.ignore_case || shorter.ignore_case) {
        return Combined::Never;
    }
    // Where the longer one minds the case of what both say, that is decided here.
    let decided = shorter.ignore_case || !longer.ignore_case;
    if decided && !begins_with(&longer.text, &shorter.text, shorter.ignore_case) {
        return Combined::Never;
    }
    let mut plan = PathPlan::new(longer.clone(), change.cloned());
    if let (true, Some(PathChange::Prefix(new))) = (longer_is_outer, change) {
        // What follows the inner prefix stays: it is rewritten along with it.
        let rest = longer.text.get(shorter.text.len()..).unwrap_or_default();
        plan.change = Some(PathChange::Prefix(format!("{new}{rest}")));
    }
    if !decided {
        plan.also.extend(begins(shorter));
    }
    Combined::Plan(plan)
}

fn exact_below(
    exact: &PathCondition,
    prefix: &PathCondition,
    plan: impl Fn(&PathCondition, Option<Also>) -> Combined,
) -> Combined {
    match (exact.ignore_case, prefix.ignore_case) {
        (true, false) if begins_with(&exact.text, &prefix.text, true) => plan(exact, begins(prefix)),
        (false, ignore_case) if begins_with(&exact.text, &prefix.text, ignore_case) => plan(exact, None),
        (true, true) if begins_with(&exact.text, &prefix.text, true) => plan(exact, None),
        _ => Combined::Never,
    }
}

/// What begins with the outer prefix begins with `new` when the inner plan sees it.
fn after_prefix(outer: &PathCondition, new: &str, inner: &PathPlan) -> Combined {
    let PathCondition { compare, text, ignore_case } = &inner.condition;
    if *compare == Compare::Regex {
        return Combined::Inexpressible(Why::Compares);
    }
    if *compare == Compare::Prefix && begins_with(new, text, *ignore_case) {
        let rest = new.get(text.len()..).unwrap_or_default();
        return changed(PathPlan::new(outer.clone(), None), inner, |prefix| {
            PathChange::Prefix(prefix.map_or_else(|| new.to_owned(), |prefix| format!("{prefix}{rest}")))
        });
    }
    if !begins_with(text, new, *ignore_case) {
        return Combined::Never;
    }
    let tail = text.get(new.len()..).unwrap_or_default();
    let whole = format!("{}{tail}", outer.text);
    let lettered = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let (outer_ignores, tail_ignores) = (outer.ignore_case && lettered(&outer.text), *ignore_case && lettered(tail));
    let mut plan = PathPlan::new(
        PathCondition { compare: *compare, text: whole, ignore_case: outer_ignores || tail_ignores },
        None,
    );
    let pieces = (outer_ignores, tail_ignores) == (true, false) && lettered(tail);
    if *compare == Compare::Prefix && inner.change.is_none() && plan.condition.ignore_case {
        // What follows the outer prefix stays in the case in which it came.
        plan.also.push(match pieces {
            true => regex::pieces(&outer.text, tail, *compare),
            false => Also::Prefix { text: plan.condition.text, ignore_case: true },
        });
        plan.condition = outer.clone();
        return changed(plan, inner, |_| PathChange::Prefix(new.to_owned()));
    }
    if pieces {
        plan.also.push(regex::pieces(&outer.text, tail, *compare));
    } else if !outer_ignores && tail_ignores && lettered(&outer.text) {
        plan.also.extend(begins(outer));
    }
    changed(plan, inner, |prefix| {
        let kept = format!("{new}{tail}");
        let kept = prefix.map_or(kept, str::to_owned);
        match compare {
            Compare::Prefix => PathChange::Prefix(kept),
            _ => PathChange::Full(kept),
        }
    })
}

/// Every path is `new` when the inner plan sees it.
fn after_full(outer: &PathCondition, new: &str, inner: &PathPlan) -> Combined {
    let PathCondition { compare, text, ignore_case } = &inner.condition;
    let taken = match compare {
        Compare::Prefix => begins_with(new, text, *ignore_case),
        Compare::Exact => same(new, text, *ignore_case),
        Compare::Regex => return Combined::Inexpressible(Why::Compares),
    };
    if !taken {
        return Combined::Never;
    }
    changed(PathPlan::new(outer.clone(), None), inner, |prefix| {
        let rest = new.get(text.len()..).unwrap_or_default();
        PathChange::Full(prefix.map_or_else(|| new.to_owned(), |prefix| format!("{prefix}{rest}")))
    })
}

/// Nobody knows what the path is when the inner plan sees it.
fn after_regex(outer: &PathCondition, change: &PathChange, inner: &PathPlan) -> Combined {
    let change = match &inner.change {
        _ if !inner.condition.is_any() => return Combined::Inexpressible(Why::Made),
        None => change.clone(),
        Some(full @ PathChange::Full(_)) => full.clone(),
        Some(PathChange::Prefix(_) | PathChange::Regex { .. }) => {
            return Combined::Inexpressible(Why::Made);
        }
    };
    Combined::Plan(PathPlan::new(outer.clone(), Some(change)))
}

/// With what the inner plan makes of a rewritten path. `rewritten` gives what stands there in the end: by the inner
/// plan's own new prefix, or without one.
fn changed(mut plan: PathPlan, inner: &PathPlan, rewritten: impl Fn(Option<&str>) -> PathChange) -> Combined {
    plan.change = Some(match &inner.change {
        None => rewritten(None),
        Some(PathChange::Prefix(prefix)) => rewritten(Some(prefix)),
        Some(full @ PathChange::Full(_)) => full.clone(),
        Some(PathChange::Regex { .. }) => return Combined::Inexpressible(Why::Rewrites),
    });
    Combined::Plan(plan)
}

fn begins(prefix: &PathCondition) -> Option<Also> {
    (!prefix.is_any()).then(|| Also::Prefix { text: prefix.text.clone(), ignore_case: prefix.ignore_case })
}

fn begins_with(text: &str, prefix: &str, ignore_case: bool) -> bool {
    let beginning = text.as_bytes().get(..prefix.len());
    beginning.is_some_and(|beginning| match ignore_case {
        true => beginning.eq_ignore_ascii_case(prefix.as_bytes()),
        false => beginning == prefix.as_bytes(),
    })
}

fn same(one: &str, other: &str, ignore_case: bool) -> bool {
    one.len() == other.len() && begins_with(one, other, ignore_case)
}
