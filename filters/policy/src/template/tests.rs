//! What templates are filled with, and which are refused.

use alloc::string::String;
use alloc::vec::Vec;

use expect_test::{Expect, expect};

use super::{LONGEST, Template, TemplateError};
use crate::condition::View;
use crate::{Counter, Env, Header, HeaderList, Property, Shared};

struct Clock;

impl Env for Clock {
    fn random(&mut self) -> u64 {
        0
    }
    fn unix_nanos(&mut self) -> u64 {
        1_795_283_289_123_456_789
    }
    fn monotonic_nanos(&mut self) -> u64 {
        0
    }
    fn count(&mut self, _: Counter) {}
    fn held(&mut self) -> u64 {
        0
    }
    fn shared(&mut self, _: &[u8]) -> Option<Shared> {
        None
    }
    fn share(&mut self, _: &[u8], _: &[u8], _: u32) -> bool {
        false
    }
}

fn fill(template: &str, headers: &[(&str, &str)]) -> Option<String> {
    let pair = |(name, value): &(&str, &str)| -> Header { ((*name).into(), (*value).into()) };
    let list = HeaderList::from_wire(headers.iter().map(pair));
    let mut request = list.with_property(Property::SourceAddress, "[2001:db8::1]:4000");
    let template = Template::parse(template).expect("a template");
    let filled = template.fill(&mut View::of(&mut request), &mut Clock)?;
    Some(String::from_utf8_lossy(&filled).into_owned())
}

#[track_caller]
fn filled(template: &str, headers: &[(&str, &str)], expected: &str) {
    assert_eq!(fill(template, headers).as_deref(), Some(expected));
}

#[track_caller]
fn unfilled(template: &str, headers: &[(&str, &str)]) {
    assert_eq!(fill(template, headers), None);
}

#[test]
fn text_stays_and_holes_are_filled() {
    let request = [(":method", "GET"), (":path", "/a/b?c=d"), (":authority", "Shop.svc:80"), ("x-tenant", "acme")];
    filled("{method} {path} at {authority}", &request, "GET /a/b at Shop.svc:80");
    filled("{{{header:X-Tenant}}}", &request, "{acme}");
    filled("", &request, "");
    filled("  trimmed ", &request, "trimmed");
}

#[test]
fn cookies_and_parameters_are_found_by_name() {
    let request = [(":path", "/?a=1&b%20c=x+y%21&d"), ("cookie", "sid=1; theme=dark"), ("cookie", "lang=de")];
    filled("{cookie:theme}-{cookie:lang}", &request, "dark-de");
    filled("{query:a} {query:b c}", &request, "1 x y!");
    unfilled("{query:d}", &request);
    unfilled("{query:missing}", &request);
    unfilled("{cookie:me}", &request);
}

#[test]
fn what_repeats_is_no_value() {
    unfilled("{header:x-a}", &[("x-a", "1"), ("x-a", "1")]);
    unfilled("{cookie:a}", &[("cookie", "a=1"), ("cookie", "a=2")]);
    unfilled("{query:a}", &[(":path", "/?a=1&%61=2")]);
    filled("{header:x-a|several or none}", &[("x-a", "1"), ("x-a", "2")], "several or none");
}

#[test]
fn no_line_is_added() {
    let split = [(":path", "/?a=x%0d%0aset-cookie:%20b&n=%00&t=%09&d=%7f")];
    for parameter in ["a", "n", "t", "d"] {
        unfilled(&alloc::format!("{{query:{parameter}}}"), &split);
    }
    filled("{query:a|clean}", &split, "clean");
}

#[test]
fn an_empty_value_is_none() {
    unfilled("{header:x-a}", &[("x-a", "")]);
    filled("{header:x-a|}", &[("x-a", "")], "");
}

#[test]
fn addresses_come_without_their_port() {
    filled("{source-address}", &[], "2001:db8::1");
    unfilled("{peer}", &[]);
}

#[test]
fn times_are_the_clock_s() {
    filled("{time} {unix-seconds} {unix-millis}", &[], "2026-11-21T17:48:09Z 1795283289 1795283289123");
}

#[test]
fn a_filled_template_has_a_greatest_length() {
    let long: String = core::iter::repeat_n('a', LONGEST).collect();
    filled("{header:x-a}", &[("x-a", &long)], &long);
    unfilled("{header:x-a}!", &[("x-a", &long)]);
}

#[test]
fn mistakes_have_a_place() {
    let check = |expected: Expect, templates: &[&str]| {
        let describe = |template: &&str| match Template::parse(template) {
            Ok(_) => alloc::format!("{template}: fine\n"),
            Err(TemplateError { at, kind }) => alloc::format!("{template:?} {at:?}: {}\n", kind.message()),
        };
        expected.assert_eq(&templates.iter().map(describe).collect::<Vec<_>>().concat());
    };
    check(
        expect![[r#"
            "{" 0..1: this `{` is never closed; a plain brace is written `{{`
            "é {method" 3..4: this `{` is never closed; a plain brace is written `{{`
            "a } b" 2..3: this `}` closes nothing; a plain brace is written `}}`
            "{}" 1..1: nothing is called this in a template
            "{Method}" 1..7: nothing is called this in a template
            "{env:HOME}" 1..9: nothing is called this in a template
            "{header}" 1..7: a name is expected after the colon
            "{cookie:|x}" 1..8: a name is expected after the colon
            "{header::path}" 1..13: this is not a name
            "{header:a b}" 1..11: this is not a name
            "a\r\nb" 1..2: a header value has no control characters
            {method|{{}: fine
        "#]],
        &[
            "{",
            "é {method",
            "a } b",
            "{}",
            "{Method}",
            "{env:HOME}",
            "{header}",
            "{cookie:|x}",
            "{header::path}",
            "{header:a b}",
            "a\r\nb",
            "{method|{{}",
        ],
    );
}
