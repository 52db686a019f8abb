//! Every case of every table, decided natively.

use meshwright_policy::testdata::{Case, Table, run, tables};
use meshwright_policy::{FILTERS, NO_OP_ROOT_ID, find};

#[test]
fn every_case_is_decided_as_its_table_says() {
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in tables().expect("the tables are well-formed") {
        let results = decide(&table);
        decided += results.len();
        wrong.extend(results.into_iter().filter_map(Result::err));
    }
    assert!(wrong.is_empty(), "{} of {decided} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_filter_has_a_table_of_many_cases() {
    let tables = tables().expect("the tables are well-formed");
    for filter in FILTERS.iter().filter(|filter| filter.root_id != NO_OP_ROOT_ID) {
        let live = tables.iter().filter(|table| table.root_id == filter.root_id).flat_map(|table| &table.cases);
        let count = live.filter(|case| !case.is_scripted()).count();
        let enough = if ["basic-auth", "fault", "header-routing"].contains(&filter.root_id) { 40 } else { 15 };
        assert!(count >= enough, "{}: {count} cases for every engine, {enough} are wanted", filter.root_id);
    }
}

#[test]
fn names_of_cases_are_unique() {
    for table in tables().expect("the tables are well-formed") {
        let mut names: Vec<&str> = table.cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        let repeated: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(repeated.is_empty(), "{}: {repeated:?}", table.root_id);
    }
}

fn decide(table: &Table) -> Vec<Result<(), String>> {
    let filter = find(table.root_id).expect("a table is of a filter");
    let decide = |case: &Case| {
        let config = &table.configs[&case.config];
        let configured = (filter.configure)(config.as_bytes());
        let mut policy = configured.unwrap_or_else(|invalid| panic!("{}: {invalid}", case.config));
        case.check(&run(&mut *policy, case))
    };
    table.cases.iter().map(decide).collect()
}
