//! Every case of every table, decided natively.

use meshwright_policy::testdata::{Table, run, tables};
use meshwright_policy::{BasicAuth, Fault, HeaderRouting, HttpPolicy};

#[test]
fn every_case_is_decided_as_its_table_says() {
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in tables().expect("the tables are well-formed") {
        let results = match table.root_id {
            BasicAuth::ROOT_ID => decide::<BasicAuth>(&table),
            Fault::ROOT_ID => decide::<Fault>(&table),
            HeaderRouting::ROOT_ID => decide::<HeaderRouting>(&table),
            other => panic!("no policy is called {other}"),
        };
        decided += results.len();
        wrong.extend(results.into_iter().filter_map(Result::err));
    }
    assert!(wrong.is_empty(), "{} of {decided} are wrong:\n{}", wrong.len(), wrong.join("\n"));
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

fn decide<P: HttpPolicy>(table: &Table) -> Vec<Result<(), String>> {
    let decide = |case: &meshwright_policy::testdata::Case| {
        let config = serde_json::from_str(&table.configs[&case.config]).expect("a valid config");
        case.check(&run(&P::new(config), case))
    };
    table.cases.iter().map(decide).collect()
}
