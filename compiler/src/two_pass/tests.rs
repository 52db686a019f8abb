//! One route is worth two: checked with a matcher of its own.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Also, Combined, Compare, PathChange, PathCondition, PathPlan};

/// What a plan makes of a path; `None`: not taken.
fn meet(plan: &PathPlan, path: &str) -> Option<String> {
    let PathCondition { compare, text, ignore_case } = &plan.condition;
    let whole = |pattern: &str| regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let matched = match compare {
        Compare::Prefix => begins(path, text, *ignore_case).then_some(text.len()),
        Compare::Exact => (begins(path, text, *ignore_case) && path.len() == text.len()).then_some(text.len()),
        Compare::Regex => {
            let flag = if *ignore_case { "(?i)" } else { "" };
            whole(&format!("{flag}{text}")).is_match(path).then_some(path.len())
        }
    }?;
    for query in ["", "?b=/ab", "?"] {
        let holds = plan.also.iter().all(|also| match also {
            Also::Prefix { text, ignore_case } => begins(&format!("{path}{query}"), text, *ignore_case),
            Also::Regex(pattern) => whole(pattern).is_match(&format!("{path}{query}")),
        });
        if !holds {
            return None;
        }
    }
    Some(match &plan.change {
        None => path.to_owned(),
        Some(PathChange::Prefix(new)) => format!("{new}{}", &path[matched..]),
        Some(PathChange::Full(new)) => new.clone(),
        Some(PathChange::Regex { pattern, substitution }) => {
            regex::Regex::new(pattern).unwrap().replace_all(path, substitution.replace('\\', "$")).into_owned()
        }
    })
}

fn begins(path: &str, prefix: &str, ignore_case: bool) -> bool {
    match ignore_case {
        true => path.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase()),
        false => path.starts_with(prefix),
    }
}

fn path() -> impl Strategy<Value = String> {
    "/[abA/]{0,4}"
}

fn change() -> impl Strategy<Value = Option<PathChange>> {
    let regex = prop_oneof![Just("/b"), Just("/a(.)"), Just("^/a")];
    prop_oneof![
        3 => Just(None),
        2 => "/[ab/]{0,2}".prop_map(|new| Some(PathChange::Prefix(new))),
        1 => "/[ab/]{0,3}".prop_map(|new| Some(PathChange::Full(new))),
        1 => regex.prop_map(|pattern| Some(PathChange::Regex { pattern: pattern.to_owned(), substitution: "/x".to_owned() })),
    ]
}

fn plan() -> impl Strategy<Value = PathPlan> {
    let text = prop_oneof![Just("/".to_owned()), "/[abA/]{0,3}"];
    let regex = prop_oneof![
        Just("/.*"),
        Just("/[^b]+"),
        Just("/a\\D*"),
        Just("(?:/a|/b).?"),
        Just("/[^-b]a."),
        Just("^/a.*$"),
        Just(r"\A(?:/b$|/.a)\z")
    ];
    let compared = prop_oneof![
        4 => text.clone().prop_map(|text| (Compare::Prefix, text)),
        2 => text.prop_map(|text| (Compare::Exact, text)),
        1 => regex.prop_map(|text| (Compare::Regex, text.to_owned())),
    ];
    (compared, any::<bool>(), change()).prop_map(|((compare, text), ignore_case, change)| {
        // A prefix is replaced only where one is compared: a rule sees to it.
        let change = change.filter(|it| compare == Compare::Prefix || !matches!(it, PathChange::Prefix(_)));
        PathPlan::new(PathCondition { compare, text, ignore_case }, change)
    })
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    /// Letters whose case does not matter may come out in the case of the mesh.
    #[test]
    fn one_route_takes_and_rewrites_as_two_do(outer in plan(), inner in plan(), path in path()) {
        let twice = meet(&outer, &path).and_then(|path| meet(&inner, &path));
        let lower = |path: Option<String>| path.map(|path| path.to_ascii_lowercase());
        match outer.then(&inner) {
            Combined::Plan(plan) => assert_eq!(lower(meet(&plan, &path)), lower(twice), "{plan:?}"),
            Combined::Never => assert_eq!(twice, None),
            Combined::Inexpressible(_) => assert!(outer.change.is_some(), "without a rewrite all is expressible"),
        }
    }

    #[test]
    fn case_is_kept_where_it_matters(outer in plan(), inner in plan(), path in path()) {
        let minds = |mut plan: PathPlan| { plan.condition.ignore_case = false; plan };
        let (outer, inner) = (minds(outer), minds(inner));
        let twice = meet(&outer, &path).and_then(|path| meet(&inner, &path));
        if let Combined::Plan(plan) = outer.then(&inner) {
            assert_eq!(meet(&plan, &path), twice, "{plan:?}");
        }
    }
}
