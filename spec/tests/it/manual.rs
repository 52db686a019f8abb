//! The manual says what the reader does: its blocks are meshes, each says the same in both syntaxes, and together they
//! show the whole language.

mod pages;
mod vocabulary;

use std::collections::BTreeSet;

use expect_test::expect_file;
use kdl::KdlDocument;
use meshwright_spec::{Color, Diagnostics, Mesh, SourceFile, Sources, Syntax, codes, parse, render, shape};

use self::pages::{Example, MADE, anchors, examples, folder, links, pages};
use self::vocabulary::{choices, collect, is_word, mains, words};

#[test]
fn every_block_is_a_mesh() {
    let wrong: Vec<String> =
        examples().iter().filter(|it| it.errors.is_none()).filter_map(|it| read(it).err()).collect();
    assert_eq!(wrong.concat(), "");
}

#[test]
fn a_block_that_shows_a_mistake_has_no_other() {
    for example in examples().iter() {
        let Some(shown) = &example.errors else { continue };
        assert!(!shown.is_empty(), "{}: which mistake?\n{}", example.page, example.text);
        let mut sources = Sources::new();
        let mut found = Diagnostics::new();
        decode(example, &mut sources, &mut found);
        let other = found.iter().any(|it| !shown.iter().any(|code| code == it.code.slug));
        assert!(!other, "{}", render(&found, &sources, Color::Plain));
    }
}

#[test]
fn each_kdl_block_is_followed_by_the_same_in_yaml() {
    let examples = examples();
    let mut rest = examples.iter().filter(|it| it.errors.is_none()).peekable();
    let mut pairs = 0;
    while let Some(kdl) = rest.next() {
        let yaml = rest.next_if(|it| it.page == kdl.page && it.syntax == Syntax::Yaml && kdl.syntax == Syntax::Kdl);
        let Some(yaml) = yaml else { panic!("{}: one block stands alone\n{}", kdl.page, kdl.text) };
        assert_eq!(read(kdl), read(yaml), "{}\n{}\n{}", kdl.page, kdl.text, yaml.text);
        pairs += 1;
    }
    assert!(pairs > 0);
}

#[test]
fn every_chapter_says_what_envoy_does_and_what_goes_wrong() {
    let pages = pages();
    let summary = pages.get("SUMMARY.md").expect("a summary");
    let (_, rest) = summary.split_once("# The language").expect("the chapters");
    let (chapters, _) = rest.split_once("# Coming from").expect("their end");
    for chapter in links(chapters)
        .filter(|chapter| !["syntax.md", "composition.md", "tests.md", "rules.md", "failures.md"].contains(chapter))
    {
        let text = pages.get(chapter).expect("a chapter");
        assert!(text.contains("In Envoy"), "{chapter} says nothing of Envoy");
        assert!(text.contains("\n## Pitfalls\n"), "{chapter} has no pitfalls");
    }
}

#[test]
fn every_word_of_the_language_is_shown() {
    let mut shown = BTreeSet::new();
    for example in examples().iter().filter(|it| it.syntax == Syntax::Kdl && it.errors.is_none()) {
        let document = KdlDocument::parse_v2(&whole(example)).expect("KDL");
        for mesh in document.nodes() {
            collect(mesh, shape::mesh(), &mut shown);
        }
    }
    let hidden: Vec<String> = words()
        .into_iter()
        .filter(|word| !shown.contains(word))
        .map(|(block, key)| format!("{block}: {key}\n"))
        .collect();
    assert_eq!(hidden.concat(), "", "no block of the manual says these");
}

#[test]
fn every_choice_is_named() {
    let text: String =
        pages().into_iter().filter(|(page, _)| !MADE.contains(&page.as_str())).map(|(_, text)| text).collect();
    let words: BTreeSet<&str> = text.split(|it: char| !(it.is_alphanumeric() || ".-".contains(it))).collect();
    let hidden = choices().into_iter().filter(|(_, word)| !words.contains(word));
    let hidden: Vec<String> = hidden.map(|(key, word)| format!("{key}: {word}\n")).collect();
    assert_eq!(hidden.concat(), "", "no chapter names these");
}

#[test]
fn what_other_systems_say_becomes_words_of_the_language() {
    let known: BTreeSet<&str> = words().into_iter().chain(mains()).chain(choices()).map(|(_, word)| word).collect();
    let mut unknown = String::new();
    for (page, text) in pages().iter().filter(|(page, _)| page.starts_with("from-")) {
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            let here = row.split(" | ").nth(1).unwrap_or("");
            let codes = here.split('`').skip(1).step_by(2);
            for code in codes.filter(|code| !code.starts_with("meshwright ")) {
                // What stands in quotes is the user's.
                let said: String = code.split('"').step_by(2).collect();
                let words = said.split([' ', '{', '}', ';']).filter_map(|piece| piece.split('=').next());
                for word in words.filter(|word| is_word(word) && !known.contains(word)) {
                    unknown.push_str(&format!("{page}: `{word}` in `{code}`\n"));
                }
            }
        }
    }
    assert_eq!(unknown, "");
}

#[test]
fn the_summary_lists_every_page() {
    let path = folder().join("SUMMARY.md");
    let summary = std::fs::read_to_string(&path).expect("a summary");
    let chapters = summary.split_once("- [Diagnostics]").expect("the last chapter").0;
    for page in pages().keys() {
        assert!(page == "SUMMARY.md" || chapters.contains(&format!("]({page})")), "SUMMARY.md has no line for {page}");
    }
    let codes = codes::ALL.iter().map(|code| format!("    - [{0}](diagnostics/{0}.md)\n", code.slug));
    let diagnostics = format!("- [Diagnostics](diagnostics/index.md)\n{}", codes.collect::<String>());
    expect_file![path].assert_eq(&format!("{chapters}{diagnostics}"));
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut broken = String::new();
    for (page, text) in &pages {
        for target in links(text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.as_str() } else { file };
            let code = file.strip_prefix("diagnostics/").and_then(|file| file.strip_suffix(".md"));
            let known = match code {
                Some(code) => code == "index" || codes::find(code).is_some(),
                None => match pages.get(file) {
                    Some(text) => heading.is_empty() || anchors(text).contains(heading),
                    // A test, by its name.
                    None if file.ends_with(".rs") && !heading.is_empty() => {
                        let text = std::fs::read_to_string(folder().join(file)).unwrap_or_default();
                        text.contains(&format!("fn {heading}("))
                    }
                    None => folder().join(file).is_file(),
                },
            };
            if !known {
                broken.push_str(&format!("{page}: {target}\n"));
            }
        }
    }
    assert_eq!(broken, "");
}

fn read(example: &Example) -> Result<Mesh, String> {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    match decode(example, &mut sources, &mut found) {
        Some(mesh) if !found.has_errors() => Ok(mesh),
        _ => Err(render(&found, &sources, Color::Plain)),
    }
}

fn decode(example: &Example, sources: &mut Sources, found: &mut Diagnostics) -> Option<Mesh> {
    let file = sources.add(SourceFile::public(&example.page, whole(example)));
    parse(file, example.syntax, sources, found)
}

/// A block that does not begin with `mesh` stands inside one.
fn whole(example: &Example) -> String {
    match example.syntax {
        _ if example.text.starts_with("mesh") => example.text.clone(),
        Syntax::Kdl => format!("mesh \"shop\" {{\n{}}}\n", example.text),
        Syntax::Yaml => format!("mesh: shop\n{}", example.text),
    }
}
