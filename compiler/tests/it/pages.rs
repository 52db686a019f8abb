//! Every code has a page in the manual, and what the page shows is true: its example is wrong in just that way, and
//! what it says to write instead is right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use meshwright_compiler::emit::task_definition;
use meshwright_compiler::import::ecs;
use meshwright_compiler::observation::text;
use meshwright_compiler::{annotation, check, import, pending};
use spec::load::{FileError, Files};
use spec::{Diagnostics, Severity, SourceFile, Sources, Syntax, Variables, codes, suppress};

use crate::findings::findings;

/// What a page shows, and says to write instead.
struct Page {
    slug: String,
    example: Input,
    instead: Input,
}

/// A mesh out of a page, with the files it names.
struct Input {
    format: Format,
    main: Vec<u8>,
    named: Named,
    /// What runs beside the mesh.
    observed: Option<String>,
}

/// The word after the fence.
#[derive(Clone, Copy)]
enum Format {
    Kdl,
    Yaml,
    /// bent's file format.
    Bent,
    /// What runs on ECS, and nothing else.
    Observation,
    /// A task definition of ECS, for the first node of `mesh.kdl`. `@@@@@` stands for 10,000 letters.
    TaskDefinition,
    /// KDL whose bytes beyond ASCII are written `\xHH`, so that a page can show what is not text.
    Text,
}

/// Files that a page need not supply, because they are beside its point.
const USUAL: &[(&str, &[u8])] = &[
    ("audit.wasm", include_bytes!("../golden/filters-wasm/tenant.wasm")),
    ("clients.keys", b"partner:4f1c9a7e6b2d8035\n"),
];

/// What task definitions are checked against where a page has no other mesh.
const MESH: &[u8] = br#"mesh "shop" {
    service "orders.svc" { endpoint "10.0.1.11:8080" node="orders"; }
    node "orders" { serves "orders.svc"; }
}"#;

/// The files that a page supplies beside its mesh.
#[derive(Default)]
struct Named(BTreeMap<String, Vec<u8>>);

impl Files for Named {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let usual = USUAL.iter().find(|(name, _)| *name == path).map(|(_, bytes)| bytes.to_vec());
        self.0.get(path).cloned().or(usual).ok_or_else(|| FileError::new(path, "no such file"))
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = codes::ALL.iter().map(|code| format!("{}.md", code.slug)).collect();
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = files.filter(|name| name != "index.md").collect();
    assert_eq!(pages, codes);
}

#[test]
fn the_index_lists_every_code() {
    let mut index = "# Diagnostics\n\nEverything that is found in a mesh has one of these codes.\n\n".to_owned();
    index.push_str("| code | what it says |\n|---|---|\n");
    for code in codes::ALL {
        index.push_str(&format!("| [{0}]({0}.md) | {1} |\n", code.slug, code.summary));
    }
    expect_file![folder().join("index.md")].assert_eq(&index);
}

#[test]
fn every_page_has_the_same_parts() {
    for (slug, text) in texts() {
        let prose = text.split("```").step_by(2);
        let headings: Vec<&str> = prose.flat_map(str::lines).filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, [&format!("# {slug}"), "## Why", "## Example", "## Instead"], "{slug}");
        let says = text.lines().nth(2).unwrap();
        assert!(says.ends_with('.') && !says.starts_with('#'), "{slug}: one sentence comes first");
        assert!(!section(&text, "Why").is_empty(), "{slug}: says why");
    }
}

#[test]
fn every_example_shows_its_mistake_and_no_other() {
    let untrue = pages().filter_map(|page| {
        let (found, text) = run(&page.slug, &page.example);
        let shown = found.iter().any(|it| it.code.slug == page.slug);
        let other = found.iter().any(|it| it.severity > Severity::Note && it.code.slug != page.slug);
        (!shown || other).then(|| format!("# {}\n{text}", page.slug))
    });
    assert_eq!(untrue.collect::<String>(), "");
}

#[test]
fn what_to_write_instead_is_right() {
    let untrue = pages().filter_map(|page| {
        let (found, text) = run(&page.slug, &page.instead);
        let wrong = found.iter().any(|it| it.severity > Severity::Note || it.code.slug == page.slug);
        wrong.then(|| format!("# {}\n{text}", page.slug))
    });
    assert_eq!(untrue.collect::<String>(), "");
}

/// From bytes to findings, as the command does it: names are checked once the text is understood.
fn run(slug: &str, input: &Input) -> (Diagnostics, String) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    if let Format::TaskDefinition = input.format {
        return run_task_definition(input);
    }
    let name = "mesh";
    let file = spec::load::add_text(name, input.main.clone(), &mut sources, &mut found);
    let mesh = file.and_then(|file| {
        let syntax = match input.format {
            Format::Kdl | Format::Text => Syntax::Kdl,
            Format::Yaml => Syntax::Yaml,
            Format::TaskDefinition => return None,
            Format::Bent => return import::bent::import(file, &sources, &mut found),
            Format::Observation => {
                let joined = ecs::import(file, &ecs::Options::default(), &input.named, &mut sources, &mut found);
                return joined.map(|(mesh, _)| mesh);
            }
        };
        let loaded = spec::load::load_text(file, syntax, Variables::default(), &input.named, &mut sources, &mut found);
        let mesh = loaded.mesh?;
        let Some(observed) = &input.observed else { return Some(mesh) };
        let observed = sources.add(SourceFile::secret("observed.json", observed.clone()));
        let observed = text::read(observed, &sources, &mut found)?;
        Some(ecs::join(mesh, &observed, &ecs::Options::default(), &input.named, &mut sources, &mut found).0)
    });
    if let Some(mut mesh) = mesh {
        annotation::apply(&mut mesh, &mut found);
        spec::load::attach(&mesh, &input.named, &mut sources, &mut found);
        // Most pages show what is not compiled yet; only one is about that.
        if slug == codes::NOT_COMPILED.slug {
            pending::check(&mesh, Severity::Warning, &mut found);
        }
        if found.faults() == 0 {
            let checked = check(&mesh, &sources, &mut found);
            assert_eq!(checked.is_none(), found.faults() > 0);
        }
    }
    if let Some(file) = file {
        let syntax = if matches!(input.format, Format::Kdl | Format::Text) { Syntax::Kdl } else { Syntax::Yaml };
        let suppressions = suppress::find(file, syntax, &sources, &mut found);
        let judged = suppress::apply(&suppressions, &sources, found);
        found = judged.findings.into_iter().chain(judged.unused).collect();
    }
    let text = findings(&found, &sources);
    (found, text)
}

fn run_task_definition(input: &Input) -> (Diagnostics, String) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let mesh = input.named.0.get("mesh.kdl").map_or(MESH, Vec::as_slice).to_vec();
    let file = spec::load::add_text("mesh.kdl", mesh, &mut sources, &mut found).unwrap();
    let loaded = spec::load::load_text(file, Syntax::Kdl, Variables::default(), &input.named, &mut sources, &mut found);
    let mesh = check(&loaded.mesh.unwrap(), &sources, &mut found).unwrap();
    assert!(found.is_empty(), "{}", findings(&found, &sources));
    let text = String::from_utf8(input.main.clone()).unwrap().replace("@@@@@", &"x".repeat(10_000));
    let file = sources.add(SourceFile::secret("td.json", text));
    task_definition::check(file, &mesh, mesh.proxies().next().unwrap(), &sources, &mut found);
    let text = findings(&found, &sources);
    (found, text)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference/diagnostics")
}

fn texts() -> impl Iterator<Item = (String, String)> {
    codes::ALL.iter().map(|code| {
        let path = folder().join(format!("{}.md", code.slug));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (code.slug.to_owned(), text)
    })
}

fn pages() -> impl Iterator<Item = Page> {
    texts().map(|(slug, text)| {
        let input =
            |heading: &str| input(&section(&text, heading)).unwrap_or_else(|why| panic!("{slug}: {heading}: {why}"));
        Page { example: input("Example"), instead: input("Instead"), slug }
    })
}

/// The lines below a heading, up to the next one.
fn section(page: &str, heading: &str) -> String {
    let heading = format!("## {heading}");
    let below = page.lines().skip_while(|line| *line != heading).skip(1);
    let lines: Vec<&str> = below.take_while(|line| !line.starts_with("## ")).collect();
    lines.join("\n").trim().to_owned()
}

/// The fenced blocks of a section: a mesh, and perhaps files that it names: its users, or what it includes.
fn input(section: &str) -> Result<Input, String> {
    let blocks = blocks(section);
    let (format, text) = blocks.first().ok_or("there is no block")?;
    let format = match *format {
        "kdl" => Format::Kdl,
        "yaml" => Format::Yaml,
        "bent" => Format::Bent,
        "observation" => Format::Observation,
        "json" => Format::TaskDefinition,
        "text" => Format::Text,
        other => return Err(format!("no mesh is written in `{other}`")),
    };
    let main = match format {
        Format::Text => unescaped(text)?,
        Format::Kdl | Format::Yaml | Format::Bent | Format::Observation | Format::TaskDefinition => {
            text.clone().into_bytes()
        }
    };
    let beside = || blocks.iter().skip(1);
    let observed = beside().find(|(word, _)| *word == "observation").map(|(_, text)| text.clone());
    let named = beside().filter(|(word, _)| *word != "observation").map(|(word, text)| {
        let name = match word.split_once(' ') {
            Some((_, name)) => name,
            None if *word == "htpasswd" => "users.htpasswd",
            None => return Err(format!("`{word}` needs the name of its file")),
        };
        Ok((name.to_owned(), text.clone().into_bytes()))
    });
    let named = Named(named.collect::<Result<_, _>>()?);
    Ok(Input { format, main, named, observed })
}

/// Word and text of each fenced block.
fn blocks(section: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(word) = line.strip_prefix("```") else { continue };
        let inside = lines.by_ref().take_while(|line| *line != "```");
        blocks.push((word, inside.map(|line| format!("{line}\n")).collect()));
    }
    blocks
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut pieces = text.split("\\x");
    let mut bytes = pieces.next().unwrap_or("").as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or("`\\x` needs two digits")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?);
        bytes.extend(rest.as_bytes());
    }
    Ok(bytes)
}
