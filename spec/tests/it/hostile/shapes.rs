//! Shapes of text that make readers slow, large or deep, at any size.

use std::fmt::Write;

/// A shape and the text of about so many bytes that has it.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

pub(crate) const KDL: &[Shape] = &[
    ("open braces", |size| repeat("{", size)),
    ("nested blocks", |size| repeat("a {", size)),
    ("closed braces", |size| repeat("}", size)),
    ("one block after another", |size| repeat("a {}\n", size)),
    ("blocks of 32 levels", |size| repeat(&format!("{}{}\n", "a {".repeat(32), "}".repeat(32)), size)),
    ("quotes", |size| repeat("\"", size)),
    ("odd quotes on lines", |size| repeat("a \"\n", size)),
    ("hashes", |size| repeat("#", size)),
    ("raw strings without end", |size| repeat("#\"", size)),
    ("raw strings with ever more hashes", |size| repeat("##\"a\"# ", size)),
    ("raw lines without end", |size| repeat("#\"\"\"\n", size)),
    ("open comments", |size| repeat("/*", size)),
    ("comments", |size| repeat("/* a */\n", size)),
    ("comments on one line", |size| repeat("/**/", size)),
    ("slashes", |size| repeat("/", size)),
    ("removals", |size| repeat("/-", size)),
    ("removed blocks", |size| repeat("/- a {\n}\n", size)),
    ("removed arguments", |size| repeat("a /-1 /-2 /-3 4\n", size)),
    ("one line", |size| format!("a {}", repeat("b ", size))),
    ("one key", |size| repeat("a", size)),
    ("one string", |size| format!("mesh \"{}\"", repeat("a", size))),
    ("one string of escapes", |size| format!("mesh \"{}\"", repeat("\\u{1F600}", size))),
    ("invalid escapes", |size| repeat("a \"\\q\"\n", size)),
    ("escapes", |size| repeat("a \"\\u{1F600}\\n\"\n", size)),
    ("escaped lines", |size| repeat("a \\\n", size)),
    ("empty nodes", |size| repeat("a\n", size)),
    ("semicolons", |size| repeat("a;", size)),
    ("properties on one line", |size| repeat("a=1 ", size)),
    ("properties", |size| repeat("a a=1 b=2\n", size)),
    ("arguments", |size| repeat("a 1 2 3 #true 1.5e3\n", size)),
    ("long nodes", |size| repeat(&format!("a {}\n", "b=1 ".repeat(148)), size)),
    ("texts of several lines", |size| repeat("a \"\"\"\n  b\n  \"\"\"\n", size)),
    ("type annotations", |size| repeat("(a)b (c)d\n", size)),
    ("numbers", |size| repeat("a 0x1F 0b11 0o17 1_000\n", size)),
    ("equal signs", |size| repeat("=", size)),
    ("control characters", |size| repeat("\u{0}", size)),
    ("byte order marks", |size| repeat("\u{feff}", size)),
    ("spaces", |size| repeat(" ", size)),
    ("newlines", |size| repeat("\n", size)),
    ("services", |size| {
        services(
            size,
            "s",
            "service \"",
            "\" {\n endpoint \"10.0.0.1:80\" weight=5\n endpoint \"10.0.0.2:80\"\n health-check path=\"/up\"\n}\n",
            "mesh \"a\"\n",
        )
    }),
    ("unknown fields", |size| format!("mesh \"a\" {{\n{}}}\n", repeat("sevrice a=1 bcd=2\n", size))),
    ("services without names", |size| format!("mesh \"a\" {{\n{}}}\n", repeat("service a=1 bcd=2\n", size))),
    ("wrong values", |size| {
        format!("mesh \"a\" {{\nservice \"a.svc\" {{\n{}}}\n}}\n", repeat("endpoint 1 weight=0\n", size))
    }),
];

pub(crate) const YAML: &[Shape] = &[
    ("open brackets", |size| repeat("[", size)),
    ("open mappings", |size| repeat("{a: ", size)),
    ("open braces", |size| repeat("{", size)),
    ("closed brackets", |size| repeat("]", size)),
    ("dashes", |size| repeat("- ", size)),
    ("dashes on lines", |size| repeat("-\n", size)),
    ("question marks", |size| repeat("? ", size)),
    ("colons", |size| repeat(": ", size)),
    ("quotes", |size| repeat("\"", size)),
    ("single quotes", |size| repeat("'", size)),
    ("hashes", |size| repeat("#", size)),
    ("comments", |size| repeat("#\n", size)),
    ("indentation", |size| indented(size)),
    ("one key", |size| format!("? {}", repeat("a", size))),
    ("one line", |size| repeat("a ", size)),
    ("one text", |size| format!("a: '{}'", repeat("a", size))),
    ("one text of escapes", |size| format!("a: \"{}\"", repeat("\\U0001F600", size))),
    ("one folded text", |size| format!("a: >\n{}", repeat(" a\n", size))),
    ("one text on many lines", |size| format!("a: \"{}\"", repeat("a\n ", size))),
    ("a plain text on many lines", |size| format!("a: {}", repeat("a\n ", size))),
    ("invalid escapes", |size| repeat("- \"\\q\"\n", size)),
    ("items", |size| format!("a: [{}]", repeat("a,", size))),
    ("empty items", |size| format!("a:\n{}", repeat(" -\n", size))),
    ("keys", |size| numbered(size, "", ":\n")),
    ("one key again and again", |size| repeat("a:\n", size)),
    ("lists as keys", |size| repeat("? [a]\n: b\n", size)),
    ("mappings in mappings", |size| format!("a: [{}]", repeat("{a: {a: {a: a}}},", size))),
    ("billion laughs", laughs),
    ("quadratic aliases", |size| format!("a: &a [{}]\nb: [{}]", repeat("x,", size / 2), repeat("*a,", size / 2))),
    ("aliases of a long text", |size| format!("a: &a '{}'\nb: [{}]", repeat("x", size / 2), repeat("*a,", size / 2))),
    ("one anchor", |size| format!("&{} a", repeat("a", size))),
    ("anchors", |size| format!("a: [{}]", numbered(size, "&a", " b,"))),
    ("anchors in anchors", |size| {
        let open: String = (0..60).fold(String::new(), |text, level| format!("{text}&b{level} ["));
        format!("a: {open}{}{}", repeat("x,", size), "]".repeat(60))
    }),
    ("merge keys", |size| format!("a: &a {{b: 1}}\nc:\n{}", numbered(size, " - {<<: *a, d", ": 1}\n"))),
    ("a chain of merge keys", chain),
    ("one merge of many", |size| format!("a: &a {{b: 1}}\nc:\n <<: [{}]", repeat("*a,", size))),
    ("tags", |size| format!("a: [{}]", repeat("!t a,", size))),
    ("tags of the core", |size| format!("a: [{}]", repeat("!!str a,", size))),
    ("directives", |size| repeat("%TAG ! tag:a,b:\n", size)),
    ("documents", |size| repeat("---\n", size)),
    ("ends of documents", |size| repeat("...\n", size)),
    ("block texts", |size| format!("a:\n{}", repeat("- |\n  a\n", size))),
    ("control characters", |size| repeat("\u{0}", size)),
    ("byte order marks", |size| repeat("\u{feff}", size)),
    ("tabs", |size| repeat("\t", size)),
    ("spaces", |size| repeat(" ", size)),
    ("newlines", |size| repeat("\n", size)),
    ("services", |size| {
        services(
            size,
            "s",
            " ",
            ":\n  endpoint: ['10.0.0.1:80', '10.0.0.2:80']\n  health-check: {path: /up}\n",
            "mesh: a\nservice:\n",
        )
    }),
    ("unknown fields", |size| format!("mesh: a\n{}", numbered(size, "a", ": 1\n"))),
    ("services without names", |size| format!("mesh: a\nservice:\n{}", repeat("- {}\n", size))),
    ("wrong values", |size| format!("mesh: a\nservice:\n a.svc:\n  endpoint: [{}]\n", repeat("1,", size))),
];

fn repeat(unit: &str, size: usize) -> String {
    unit.repeat(size / unit.len())
}

/// The unit again and again, each with another number.
fn numbered(size: usize, before: &str, after: &str) -> String {
    let mut text = String::with_capacity(size);
    let mut index = 0;
    while text.len() < size.saturating_sub(before.len() + after.len() + 8) {
        write!(text, "{before}k{index}{after}").expect("text");
        index += 1;
    }
    text
}

fn services(size: usize, name: &str, before: &str, after: &str, head: &str) -> String {
    format!("{head}{}", numbered(size.saturating_sub(head.len()), &format!("{before}{name}"), &format!(".svc{after}")))
}

/// Ever deeper blocks.
fn indented(size: usize) -> String {
    let mut text = String::new();
    for depth in 0.. {
        let line = format!("{}a:\n", " ".repeat(depth));
        if text.len() + line.len() > size {
            break;
        }
        text += &line;
    }
    text
}

/// Lists of aliases of lists of aliases.
fn laughs(size: usize) -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    text + &repeat("# \n", size.saturating_sub(2_000))
}

/// Every mapping merges the one before and adds a key.
fn chain(size: usize) -> String {
    let mut text = String::from("a0: &a0 {k0: 1}\n");
    let mut index = 1;
    while text.len() < size {
        writeln!(text, "a{index}: &a{index} {{<<: *a{}, k{index}: 1}}", index - 1).expect("text");
        index += 1;
    }
    text
}
