//! An observation as text: JSON, one record a line, so that a difference of two is a list of what changed.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spec::{Diagnostic, Diagnostics, FileId, Sources, Span, Spanned, codes};

use super::{CloudMapService, Cluster, ContainerInstance, Observation, Task, TaskDefinition};

/// The form in which observations are written. Another one is refused.
pub const FORMAT: &str = "meshwright-observation-1";

/// Records with the places where they stand. In the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Located {
    pub region: String,
    pub clusters: Vec<Spanned<Cluster>>,
    pub task_definitions: Vec<Spanned<TaskDefinition>>,
    pub container_instances: Vec<Spanned<ContainerInstance>>,
    pub tasks: Vec<Spanned<Task>>,
    pub cloud_map: Vec<Spanned<CloudMapService>>,
}

/// Same observation, same bytes. It is sorted first.
pub fn write(observation: &Observation) -> String {
    let mut sorted = observation.clone();
    sorted.sort();
    let Observation { region, clusters, task_definitions, container_instances, tasks, cloud_map } = &sorted;
    let lists = [
        list("clusters", clusters),
        list("taskDefinitions", task_definitions),
        list("containerInstances", container_instances),
        list("tasks", tasks),
        list("cloudMap", cloud_map),
    ];
    let head = format!("\"format\": {},\n\"region\": {}", json(FORMAT), json(region));
    format!("{{\n{head},\n{}\n}}\n", lists.join(",\n"))
}

/// Reads a text of [`write`]; `None` with an error that says where and why.
pub fn read(file: FileId, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Located> {
    let text = sources.file(file).map_or("", |file| file.text.as_str());
    let document: Document<'_> = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let at = offset(text, error.line(), error.column());
            diagnostics.push(unreadable(Span::new(file, at, at), &error));
            return None;
        }
    };
    if document.format != FORMAT {
        let message = format!("this observation has the form `{}`", spec::diagnostic::quote(document.format));
        let diagnostic = Diagnostic::error(codes::UNREADABLE_OBSERVATION, Span::new(file, 0, 0), message);
        diagnostics.push(diagnostic.help(format!("record it again: this version reads `{FORMAT}`")));
        return None;
    }
    let before = diagnostics.faults();
    let mut reader = Reader { text, file, diagnostics };
    let located = Located {
        region: document.region,
        clusters: reader.records(&document.clusters),
        task_definitions: reader.records(&document.task_definitions),
        container_instances: reader.records(&document.container_instances),
        tasks: reader.records(&document.tasks),
        cloud_map: reader.records(&document.cloud_map),
    };
    (diagnostics.faults() == before).then_some(located)
}

impl Located {
    /// Without places.
    pub fn plain(self) -> Observation {
        fn values<T>(list: Vec<Spanned<T>>) -> Vec<T> {
            list.into_iter().map(|record| record.value).collect()
        }
        Observation {
            region: self.region,
            clusters: values(self.clusters),
            task_definitions: values(self.task_definitions),
            container_instances: values(self.container_instances),
            tasks: values(self.tasks),
            cloud_map: values(self.cloud_map),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document<'t> {
    format: &'t str,
    region: String,
    #[serde(borrow)]
    clusters: Vec<&'t RawValue>,
    #[serde(borrow)]
    task_definitions: Vec<&'t RawValue>,
    #[serde(borrow, default)]
    container_instances: Vec<&'t RawValue>,
    #[serde(borrow)]
    tasks: Vec<&'t RawValue>,
    #[serde(borrow, default)]
    cloud_map: Vec<&'t RawValue>,
}

struct Reader<'r> {
    text: &'r str,
    file: FileId,
    diagnostics: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn records<T: for<'de> Deserialize<'de>>(&mut self, raw: &[&RawValue]) -> Vec<Spanned<T>> {
        raw.iter().filter_map(|raw| self.record(raw.get())).collect()
    }

    fn record<T: for<'de> Deserialize<'de>>(&mut self, raw: &str) -> Option<Spanned<T>> {
        // A part of the text: it was borrowed from there.
        let start = raw.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        match serde_json::from_str(raw) {
            Ok(value) => Some(Spanned::new(value, Span::new(self.file, start, start + raw.len()))),
            Err(error) => {
                let at = start + offset(raw, error.line(), error.column());
                self.diagnostics.push(unreadable(Span::new(self.file, at, at), &error));
                None
            }
        }
    }
}

fn list<T: Serialize>(name: &str, records: &[T]) -> String {
    let lines: Vec<String> = records.iter().map(json).collect();
    match lines.is_empty() {
        true => format!("\"{name}\": []"),
        false => format!("\"{name}\": [\n{}\n]", lines.join(",\n")),
    }
}

/// Records have no keys but texts, and nothing else can fail.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn unreadable(span: Span, error: &serde_json::Error) -> Diagnostic {
    let message = format!("this is no observation: {error}");
    Diagnostic::error(codes::UNREADABLE_OBSERVATION, span, message)
        .help("record it again: `meshwright discover --record FILE`")
}

/// serde counts lines from 1 and columns in bytes.
pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = before.saturating_add(column.saturating_sub(1)).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use spec::{Diagnostics, SourceFile, Sources};

    use super::super::{Cluster, NetworkMode, Observation, Task, TaskDefinition};
    use super::{read, write};

    #[test]
    fn what_is_written_is_read_again_and_written_the_same() {
        let observation = Observation {
            region: "eu-central-1".to_owned(),
            clusters: vec![Cluster { arn: "arn:aws:ecs:eu-central-1:1:cluster/p".to_owned(), name: "p".to_owned() }],
            task_definitions: vec![TaskDefinition {
                arn: "arn:td/orders:7".to_owned(),
                family: "orders".to_owned(),
                revision: 7,
                network_mode: NetworkMode::Awsvpc,
                ..TaskDefinition::default()
            }],
            tasks: vec![
                Task { arn: "b".to_owned(), addresses: vec!["10.0.0.2".parse().unwrap()], ..Task::default() },
                Task { arn: "a".to_owned(), ..Task::default() },
            ],
            ..Observation::default()
        };
        let text = write(&observation);
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let file = sources.add(SourceFile::secret("o.json", text.clone()));
        let located = read(file, &sources, &mut diagnostics).unwrap();
        assert_eq!(sources.position(located.tasks[1].span).line, 13);
        assert_eq!(write(&located.plain()), text);
        assert!(diagnostics.is_empty());
    }
}
