//! The manual says what the reader does: its blocks are meshes, each says the same in both syntaxes, and together they
//! show the whole language.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use kdl::{KdlDocument, KdlNode};
use meshwright_spec::shape::{self, Block, Field, Occurs, Says, ValueForm};
use meshwright_spec::{Color, Diagnostics, Mesh, SourceFile, Sources, Syntax, codes, parse, render};

/// Pages that are made from tables; their blocks are not meshes.
const MADE: [&str; 2] = ["annotations.md", "schema-kdl.md"];

/// A fenced block of a chapter.
struct Example {
    page: String,
    syntax: Syntax,
    /// The codes that it shows.
    errors: Option<Vec<String>>,
    /// As the page has it.
    text: String,
}

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
    for chapter in
        links(chapters).filter(|chapter| !["syntax.md", "composition.md", "tests.md", "rules.md"].contains(chapter))
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
    for (page, text) in pages.iter().filter(|(page, _)| !MADE.contains(&page.as_str())) {
        for target in links(text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.as_str() } else { file };
            let code = file.strip_prefix("diagnostics/").and_then(|file| file.strip_suffix(".md"));
            let known = match code {
                Some(code) => code == "index" || codes::find(code).is_some(),
                None => pages.get(file).is_some_and(|text| heading.is_empty() || anchors(text).contains(heading)),
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

/// Every key that some block has, with that block. Names and main values come with their block.
fn words() -> BTreeSet<(&'static str, &'static str)> {
    let (mut seen, mut words, mut waiting) = (BTreeSet::new(), BTreeSet::new(), vec![shape::mesh()]);
    while let Some(block) = waiting.pop() {
        if !seen.insert(block.name) {
            continue;
        }
        for field in block.fields {
            match field.says {
                Says::Inline(inner) | Says::OneOf(inner) => waiting.push(inner),
                _ if matches!(field.occurs, Occurs::Name | Occurs::Main) => {}
                says => {
                    words.insert((block.name, field.key));
                    if let Says::Block(inner) = says {
                        waiting.push(inner);
                    }
                }
            }
        }
    }
    words
}

/// The words that a field can have.
fn choices() -> BTreeSet<(&'static str, &'static str)> {
    let (mut seen, mut choices, mut waiting) = (BTreeSet::new(), BTreeSet::new(), vec![shape::mesh()]);
    while let Some(block) = waiting.pop() {
        if !seen.insert(block.name) {
            continue;
        }
        for field in block.fields {
            match field.says {
                Says::Inline(inner) | Says::OneOf(inner) | Says::Block(inner) => waiting.push(inner),
                Says::Value(value) | Says::Values(value) => {
                    if let ValueForm::Words(words) = value.form {
                        choices.extend(words.iter().map(|(word, _)| (field.key, *word)));
                    }
                }
                Says::Flag | Says::Entries => {}
            }
        }
    }
    choices
}

fn collect(node: &KdlNode, block: &'static Block, shown: &mut BTreeSet<(&'static str, &'static str)>) {
    let properties = node.entries().iter().filter_map(|entry| entry.name());
    for name in properties {
        if let Some((owner, field)) = find(block, name.value()) {
            shown.insert((owner.name, field.key));
        }
    }
    for child in node.children().map_or(&[][..], KdlDocument::nodes) {
        let Some((owner, field)) = find(block, child.name().value()) else { continue };
        shown.insert((owner.name, field.key));
        if let Says::Block(inner) = field.says {
            collect(child, inner, shown);
        }
    }
}

/// The field of a key, and the block that declares it.
fn find(block: &'static Block, key: &str) -> Option<(&'static Block, &'static Field)> {
    block.fields.iter().find_map(|field| match field.says {
        Says::Inline(inner) | Says::OneOf(inner) => find(inner, key),
        _ => (field.key == key).then_some((block, field)),
    })
}

fn examples() -> Vec<Example> {
    let pages = pages();
    let chapters = pages.iter().filter(|(page, _)| !MADE.contains(&page.as_str()));
    chapters.flat_map(|(page, text)| blocks(page, text)).collect()
}

fn blocks(page: &str, text: &str) -> Vec<Example> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let mut words = info.split(',');
        let syntax = match words.next() {
            Some("kdl") => Syntax::Kdl,
            Some("yaml") => Syntax::Yaml,
            _ => continue,
        };
        let errors = match words.next() {
            Some("error") => Some(words.map(str::to_owned).collect()),
            Some("unchecked") | None => None,
            Some(other) => panic!("{page}: `{other}` means nothing after `{syntax:?}`"),
        };
        blocks.push(Example { page: page.to_owned(), syntax, errors, text });
    }
    blocks
}

/// What stands in `](…)`, on this site, outside of blocks and code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The headings of a page, as mdBook links to them.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = text.split("```").step_by(2);
    let headings = prose.flat_map(str::lines).filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
            kept.map(|it| if it == ' ' { '-' } else { it }).collect()
        })
        .collect()
}

/// The chapters by their file.
fn pages() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).expect("the manual").map(|entry| entry.expect("a page").path());
    let pages = entries.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a page"))
        })
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference")
}
