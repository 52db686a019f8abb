//! The forms in which task definitions are written: as they are registered, as ECS describes them, as CloudFormation has
//! them. All are made the first one.

use spec::{Diagnostic, Diagnostics, FileId, Sources, Span, codes};

use super::json::{Data, Json, parse};

/// What ECS says of a task definition, and does not take.
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];
/// CloudFormation's names that are not the API's with a capital letter.
const IRREGULAR: [(&str, &str); 4] = [
    ("EFSVolumeConfiguration", "efsVolumeConfiguration"),
    ("FSxWindowsFileServerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"),
    ("FilesystemId", "fileSystemId"),
    ("ProxyConfigurationProperties", "properties"),
];
/// Below these, keys are the user's.
const MAPS: [&str; 4] = ["dockerLabels", "options", "driverOpts", "labels"];

/// A task definition in the form in which it is registered, and the document that it came in.
pub(super) struct Document {
    pub(super) definition: Json,
    around: Around,
}

enum Around {
    Nothing,
    /// What was described is registered without what stood around it.
    Described,
    /// Keys on the way to the properties, in CloudFormation's words.
    CloudFormation {
        document: Json,
        path: Vec<String>,
    },
}

/// `None` with an error.
pub(super) fn read(file: FileId, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Document> {
    let text = sources.file(file).map_or("", |file| file.text.as_str());
    let document = match parse(text, file).and_then(opened) {
        Ok(document) => document,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return None;
        }
    };
    let mistakes = mistakes(&document.definition);
    let right = mistakes.is_empty();
    diagnostics.extend(mistakes);
    right.then_some(document)
}

impl Document {
    /// In the form in which it came, but ready to be registered.
    pub(super) fn print(self) -> String {
        match self.around {
            Around::Nothing | Around::Described => self.definition.print(),
            Around::CloudFormation { mut document, path } => {
                let mut place = Some(&mut document);
                for key in &path {
                    place = place.and_then(|it| it.get_mut(key));
                }
                if let Some(place) = place {
                    *place = renamed(&self.definition, Case::Pascal);
                }
                document.print()
            }
        }
    }
}

/// The containers, in the order of the text.
pub(super) fn containers(definition: &Json) -> &[Json] {
    definition.list_of("containerDefinitions")
}

fn opened(document: Json) -> Result<Document, Box<Diagnostic>> {
    if let Some(path) = properties(&document) {
        let mut place = &document;
        for key in &path {
            place = place.get(key).unwrap_or(&document);
        }
        let definition = renamed(place, Case::Camel);
        return Ok(Document { definition, around: Around::CloudFormation { document, path } });
    }
    let described = document.get("taskDefinition").filter(|it| it.get("containerDefinitions").is_some());
    if let Some(described) = described {
        let mut definition = described.clone();
        READ_ONLY.iter().for_each(|key| drop(definition.remove(key)));
        if let Some(tags) = document.get("tags").filter(|tags| !tags.items().is_empty()) {
            definition.set("tags", tags.clone());
        }
        return Ok(Document { definition, around: Around::Described });
    }
    if document.get("containerDefinitions").is_some() {
        let mut definition = document;
        READ_ONLY.iter().for_each(|key| drop(definition.remove(key)));
        return Ok(Document { definition, around: Around::Nothing });
    }
    let at = Span { end: document.span.start, ..document.span };
    Err(Box::new(
        Diagnostic::error(codes::UNREADABLE_TASK_DEFINITION, at, "this is no task definition: it has no containers")
            .help("give what `aws ecs register-task-definition --cli-input-json` takes, what `describe-task-definition` prints, or a CloudFormation template with one `AWS::ECS::TaskDefinition`"),
    ))
}

/// Where CloudFormation's properties stand: the document, a resource, or the only one of a template.
fn properties(document: &Json) -> Option<Vec<String>> {
    const TYPE: &str = "AWS::ECS::TaskDefinition";
    if document.get("ContainerDefinitions").is_some() {
        return Some(Vec::new());
    }
    if document.text_of("Type") == Some(TYPE) {
        return Some(vec!["Properties".to_owned()]);
    }
    let resources = document.get("Resources")?.pairs();
    let mut found = resources.iter().filter(|(_, resource)| resource.text_of("Type") == Some(TYPE));
    let (name, resource) = found.next()?;
    resource.get("Properties")?;
    found.next().is_none().then(|| vec!["Resources".to_owned(), name.clone(), "Properties".to_owned()])
}

#[derive(Clone, Copy)]
enum Case {
    Camel,
    Pascal,
}

/// With every key in the other form. What CloudFormation computes, such as `{"Ref": …}`, stays as it is.
fn renamed(value: &Json, case: Case) -> Json {
    let data = match &value.data {
        Data::List(list) => Data::List(list.iter().map(|item| renamed(item, case)).collect()),
        Data::Map(pairs) if matches!(pairs.as_slice(), [(key, _)] if is_computed(key)) => value.data.clone(),
        Data::Map(pairs) => Data::Map(
            pairs
                .iter()
                .map(|(key, value)| {
                    let camel = renamed_key(key, Case::Camel);
                    let value = if MAPS.contains(&camel.as_str()) { value.clone() } else { renamed(value, case) };
                    (renamed_key(key, case), value)
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Json { data, span: value.span }
}

fn is_computed(key: &str) -> bool {
    key == "Ref" || key == "Condition" || key.starts_with("Fn::")
}

fn renamed_key(key: &str, case: Case) -> String {
    let irregular = IRREGULAR.iter().find(|(pascal, camel)| key == *pascal || key == *camel);
    let first = |change: fn(&char) -> char| {
        let mut letters = key.chars();
        letters.next().map(|letter| change(&letter)).into_iter().chain(letters).collect()
    };
    match (case, irregular) {
        (Case::Camel, Some((_, camel))) => (*camel).to_owned(),
        (Case::Pascal, Some((pascal, _))) => (*pascal).to_owned(),
        (Case::Camel, None) => first(char::to_ascii_lowercase),
        (Case::Pascal, None) => first(char::to_ascii_uppercase),
    }
}

/// Lists that are none, and containers without names: what everything else relies on.
fn mistakes(definition: &Json) -> Vec<Diagnostic> {
    const LISTS: [&str; 9] = [
        "environment",
        "secrets",
        "portMappings",
        "dependsOn",
        "mountPoints",
        "ulimits",
        "links",
        "command",
        "volumesFrom",
    ];
    let mut found = Vec::new();
    let mistake = |span, message: String| Diagnostic::error(codes::UNREADABLE_TASK_DEFINITION, span, message);
    for key in ["containerDefinitions", "volumes", "tags"] {
        if definition.get(key).is_some_and(|value| !matches!(value.data, Data::List(_))) {
            found.push(mistake(definition.span_of(key), format!("`{key}` is a list")));
        }
    }
    if definition.get("proxyConfiguration").is_some_and(|value| !matches!(value.data, Data::Map(_))) {
        found.push(mistake(definition.span_of("proxyConfiguration"), "`proxyConfiguration` is an object".to_owned()));
    }
    let mut names = std::collections::BTreeMap::new();
    for container in containers(definition) {
        let Some(name) = container.text_of("name") else {
            let at = Span { end: container.span.start, ..container.span };
            found.push(mistake(at, "a container needs a `name`".to_owned()));
            continue;
        };
        if let Some(first) = names.insert(name, container.span_of("name")) {
            let message = format!("two containers are called `{}`", spec::diagnostic::quote(name));
            found.push(mistake(container.span_of("name"), message).related(first, "the first one"));
        }
        for key in LISTS {
            if container.get(key).is_some_and(|value| !matches!(value.data, Data::List(_))) {
                found.push(mistake(container.span_of(key), format!("`{key}` is a list")));
            }
        }
    }
    found
}
