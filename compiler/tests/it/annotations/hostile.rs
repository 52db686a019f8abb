//! Whatever annotations say, applying them ends well.

use meshwright_compiler::annotation;
use proptest::prelude::*;

use super::Case;

fn line() -> impl Strategy<Value = String> {
    let place = prop::sample::select(vec![
        "service",
        "endpoint-1",
        "endpoint-2",
        "serve-1",
        "serve-2",
        "upstream-1",
        "upstream-2",
    ]);
    let known: Vec<String> = annotation::DEFINITIONS.iter().map(|definition| definition.key.to_owned()).collect();
    let key = prop_oneof![9 => prop::sample::select(known), 1 => "[a-zé.-]{0,12}"];
    let value =
        prop_oneof!["[0-9]{1,3}", "[1-5][0-9]{2}-[2-6][0-9]{2}", "/[a-z]{0,3}", "[^\\n\\r=]{0,8}", Just(String::new())];
    (place, key, value).prop_map(|(place, key, value)| format!("{place} {key}={value}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn nothing_is_left_and_a_second_time_changes_nothing(lines in prop::collection::vec(line(), 0..12)) {
        let text = lines.join("\n");
        let case = Case::read(&text).apply();
        for label in case.diagnostics.iter().flat_map(|found| &found.labels) {
            prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some());
        }
        let once = case.mesh.clone();
        let found = case.diagnostics.iter().count();
        let again = case.apply();
        prop_assert_eq!(&again.mesh, &once);
        prop_assert_eq!(again.diagnostics.iter().count(), found);
    }
}
