//! What a task says of itself: labels of its containers, tags of its definition and its own.
//!
//! ```text
//! meshwright.service.NAME = CONTAINER:PORT     meshwright.service.NAME.KEY = VALUE     meshwright.node = NAME
//! envoy.service.NAME = CONTAINER:PORT          envoy.service.NAME.annotations.KEY = VALUE
//! ```

use std::collections::{BTreeMap, BTreeSet};

use spec::diagnostic::quote;
use spec::mesh::{Entry, Mesh, Service, Vocabulary};
use spec::{Diagnostics, Name, Span, Spanned, annotate};

use super::world::RunningTask;
use crate::annotation;
use crate::observation::TaskDefinition;

/// More than this is no description of a service.
const MAX_WORDS: usize = 400;
const MAX_BYTES: usize = 64 * 1024;
/// What a task may not say of a service: it would write Envoy's configuration itself, or say where others run.
const NOT_FOR_TASKS: [&str; 6] = ["envoy-overlay", "filter", "dns", "ecs", "cloud-map", "overlays"];
/// What a task may say of a service that the mesh has, though no rule makes it an owner: nobody gets in by it, and no request
/// goes elsewhere.
const HARMLESS: [&str; 9] = [
    "circuit-breaker",
    "enable-retry",
    "health-check",
    "healthcheck",
    "idle-timeout",
    "num-retries",
    "outlier-detection",
    "retry",
    "timeout",
];
/// What bent calls its labels.
const BENT: &str = "envoy.service.";
const BENT_SETTING: &str = ".annotations.";
const OURS: &str = "meshwright.";

/// What a task says, or every task of a definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words {
    /// The node it belongs to.
    pub(crate) node: Option<Spanned<Name>>,
    pub(crate) calls: Option<Calls>,
    pub(crate) weight: Option<Spanned<u32>>,
    /// In the order of their names.
    pub(crate) claims: Vec<Claim>,
    /// Some of them are bent's.
    pub(crate) of_bent: bool,
    /// Words without a meaning, each with the reason.
    pub(crate) ignored: Vec<Spanned<String>>,
}

/// Which services a task calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Calls {
    All(Span),
    Listed(Vec<Spanned<Name>>),
}

/// A service that a task says it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    pub(crate) service: Spanned<Name>,
    /// Where it listens: containers and their ports.
    pub(crate) listens: Vec<(String, u16)>,
    /// By annotation key.
    pub(crate) settings: BTreeMap<String, Spanned<String>>,
    pub(crate) of_bent: bool,
}

/// Words by their key behind the vocabulary's prefix, each with the container whose label it is.
type Said<'o> = BTreeMap<&'o str, (Option<&'o str>, &'o str, Span)>;

/// The words of every task of a definition; why none of them counts, if one is wrong in a way that leaves no meaning to the
/// others.
pub(crate) fn of_definition(
    definition: &TaskDefinition,
    span: Span,
    read: &BTreeSet<Vocabulary>,
) -> Result<Words, String> {
    of(definition, span, None, read)
}

/// The words of one task, where tags of its own say more.
pub(crate) fn of_task(task: &RunningTask<'_>, read: &BTreeSet<Vocabulary>) -> Option<Result<Words, String>> {
    // ECS copies tags of a definition to its tasks, where asked: that says nothing new.
    let known = &task.definition.tags;
    let tagged = task.task.tags.iter().any(|(key, value)| key.starts_with(OURS) && known.get(key) != Some(value));
    tagged.then(|| of(task.definition, task.definition_span, Some(task), read))
}

fn of(
    definition: &TaskDefinition,
    span: Span,
    task: Option<&RunningTask<'_>>,
    read: &BTreeSet<Vocabulary>,
) -> Result<Words, String> {
    let labels = || definition.containers.iter().flat_map(|it| it.labels.iter().map(move |label| (it, label)));
    let tags = task.map(|task| (&task.task.tags, task.span)).into_iter().chain([(&definition.tags, span)]);
    let all = || labels().map(|(_, label)| label).chain(tags.clone().flat_map(|(tags, _)| tags));
    let (count, bytes) =
        all().fold((0, 0), |(count, bytes), (key, value)| (count + 1, bytes + key.len() + value.len()));
    if count > MAX_WORDS || bytes > MAX_BYTES {
        return Err(format!("it has {count} labels and tags of {bytes} bytes: too many"));
    }
    let mut words = Words::default();
    if read.contains(&Vocabulary::Meshwright) {
        let mut said: Said<'_> = BTreeMap::new();
        // The narrowest wins: a task's own tags, its definition's, labels.
        for (tags, span) in tags {
            for (key, value) in tags {
                if let Some(key) = key.strip_prefix(OURS) {
                    said.entry(key).or_insert((None, value, span));
                }
            }
        }
        for (container, (key, value)) in labels() {
            if let Some(key) = key.strip_prefix(OURS) {
                said.entry(key).or_insert((Some(&container.name), value, span));
            }
        }
        ours(definition, &said, &mut words)?;
    }
    if read.contains(&Vocabulary::Bent) {
        bents(definition, span, &mut words)?;
    }
    words.claims.sort_by_cached_key(|claim| claim.service.value.key());
    Ok(words)
}

fn ours(definition: &TaskDefinition, said: &Said<'_>, words: &mut Words) -> Result<(), String> {
    let mut services: Said<'_> = BTreeMap::new();
    for (key, (container, value, span)) in said {
        match *key {
            "node" => words.node = Some(Spanned::new(name(value.trim(), "node", true)?, *span)),
            "calls" => words.calls = Some(calls(value, *span)?),
            "weight" => words.weight = Some(Spanned::new(weight("meshwright.weight", value)?, *span)),
            "sidecar" if ["true", "false"].contains(&value.trim()) => {}
            "sidecar" => return Err("`meshwright.sidecar` is neither `true` nor `false`".to_owned()),
            key => match key.strip_prefix("service.") {
                Some(rest) => drop(services.insert(rest, (*container, value, *span))),
                None => {
                    let reason = format!("`meshwright.{}` means nothing", quote(key));
                    words.ignored.push(Spanned::new(reason, *span));
                }
            },
        }
    }
    // A shorter key comes first, and what is behind it may be a setting of it.
    let mut by_length: Vec<&str> = services.keys().copied().collect();
    by_length.sort_by_key(|key| key.len());
    let mut claims: BTreeMap<&str, Claim> = BTreeMap::new();
    for key in by_length {
        let Some((_, value, span)) = services.get(key) else { continue };
        let of = (0..key.len()).rev().filter(|at| key.as_bytes().get(*at) == Some(&b'.'));
        let of = of.map(|at| key.split_at(at)).find(|(service, _)| claims.contains_key(service));
        let of = of.map(|(service, setting)| (service, setting.trim_start_matches('.')));
        let setting = of.filter(|(_, setting)| is_key(setting) || listens(definition, value).is_none());
        if let Some((claim, setting)) = setting.and_then(|(service, it)| Some((claims.get_mut(service)?, it))) {
            set(claim, setting, value, *span)?;
            continue;
        }
        let Some(place) = listens(definition, value) else {
            let known = key.len() <= 300 && key.is_ascii();
            let key = if known { quote(key) } else { "…".to_owned() };
            return Err(format!(
                "`meshwright.service.{key}` is not `CONTAINER:PORT` of a container of the task, nor a setting of a \
                 service that is"
            ));
        };
        let service = Spanned::new(name(key, "service", false)?, *span);
        claims.insert(key, Claim { service, listens: vec![place], settings: BTreeMap::new(), of_bent: false });
    }
    words.claims.extend(claims.into_values());
    Ok(())
}

/// As bent reads them, without its defects: a label of a setting is never a service, and a service needs a container.
fn bents(definition: &TaskDefinition, span: Span, words: &mut Words) -> Result<(), String> {
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    for container in &definition.containers {
        let said = container.labels.iter().filter_map(|(key, value)| Some((key.strip_prefix(BENT)?, value)));
        for (key, value) in said.clone().filter(|(key, _)| !key.contains(BENT_SETTING)) {
            words.of_bent = true;
            // bent leaves out such a label alone, and its users' other services go on.
            let Some(place) = listens(definition, value) else {
                let reason = format!("`{BENT}{}` is not `CONTAINER:PORT` of a container of the task", quote(key));
                words.ignored.push(Spanned::new(reason, span));
                continue;
            };
            let service = Spanned::new(name(key, "service", false)?, span);
            let claim = claims.entry(service.value.key()).or_insert_with(|| Claim {
                service,
                listens: Vec::new(),
                settings: BTreeMap::new(),
                of_bent: true,
            });
            if !claim.listens.contains(&place) {
                claim.listens.push(place);
            }
        }
        for (key, value) in said {
            let Some((service, setting)) = key.split_once(BENT_SETTING) else { continue };
            words.of_bent = true;
            let Some(claim) = claims.get_mut(&service.to_ascii_lowercase()) else { continue };
            // bent takes its default for what it cannot read, and never looks at keys that it does not know.
            match takes(setting, value, span) {
                true => set(claim, setting, value, span)?,
                false => {
                    let key = quote(setting);
                    let reason = format!("`{key}` of `{}` is not known, or not what it takes", claim.service.value);
                    words.ignored.push(Spanned::new(reason, span));
                }
            }
        }
    }
    // Who says a service in our words, too, means those.
    let known: BTreeSet<String> = words.claims.iter().map(|claim| claim.service.value.key()).collect();
    words.claims.extend(claims.into_iter().filter(|(key, _)| !known.contains(key)).map(|(_, claim)| claim));
    Ok(())
}

fn set(claim: &mut Claim, key: &str, value: &str, span: Span) -> Result<(), String> {
    let first = key.split('.').next().unwrap_or(key);
    if NOT_FOR_TASKS.contains(&first) {
        return Err(format!("`{}` is not for tasks to say: say it in the mesh", quote(first)));
    }
    let target = annotate::of_service(key).or_else(|| annotate::of_endpoint(key));
    let names_file = target.and_then(|target| target.value).is_some_and(|value| value.name.ends_with("file"));
    if names_file || key.ends_with("-file") {
        return Err(format!("`{}` names a file, which a task may not: say it in the mesh", quote(key)));
    }
    claim.settings.insert(key.to_owned(), Spanned::new(value.to_owned(), span));
    Ok(())
}

/// Whether a setting can be read, taken alone.
fn takes(key: &str, value: &str, span: Span) -> bool {
    let Some(name) = Name::new("a").map(|name| Spanned::new(name, span)) else { return false };
    let mut service = Service::named(name);
    service.annotations =
        vec![Entry { key: Spanned::new(key.to_owned(), span), value: Spanned::new(value.to_owned(), span) }];
    let mut found = Diagnostics::new();
    read_alone(service, &mut found);
    !found.has_errors()
}

/// What is found where a service is all there is.
fn read_alone(service: Service, diagnostics: &mut Diagnostics) {
    let name = service.name.clone();
    let mut mesh = Mesh { services: vec![service], ..Mesh::named(name) };
    annotation::apply(&mut mesh, diagnostics);
}

fn is_key(key: &str) -> bool {
    annotation::find(key).is_some() || annotate::of_service(key).is_some() || annotate::of_endpoint(key).is_some()
}

/// `CONTAINER:PORT`, of a container that is there.
fn listens(definition: &TaskDefinition, value: &str) -> Option<(String, u16)> {
    let (container, port) = value.trim().rsplit_once(':')?;
    let known = definition.containers.iter().any(|it| it.name == container);
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port: &u16| digits && *port != 0)?;
    known.then(|| (container.to_owned(), port))
}

/// Tags cannot hold `*` and `,`: there it is `all`, and a space.
fn calls(value: &str, span: Span) -> Result<Calls, String> {
    if ["*", "all"].contains(&value.trim()) {
        return Ok(Calls::All(span));
    }
    let names = value.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
    let names = names.map(|text| Ok(Spanned::new(name(text, "service", false)?, span)));
    let mut names: Vec<Spanned<Name>> = names.collect::<Result<_, String>>()?;
    names.sort_by_cached_key(|name| name.value.key());
    names.dedup_by_key(|name| name.value.key());
    Ok(Calls::Listed(names))
}

pub(crate) fn weight(key: &str, value: &str) -> Result<u32, String> {
    let weight = value.trim().parse().ok().filter(|weight| (1..=128).contains(weight));
    weight.ok_or_else(|| format!("`{key}` is no weight from 1 to 128"))
}

fn name(text: &str, what: &str, slash: bool) -> Result<Name, String> {
    let name = Name::new(text).filter(|_| slash || !text.contains('/'));
    name.ok_or_else(|| {
        format!("a {what} is named that no {what} can be: names have ASCII letters, digits, `.`, `_` and `-`")
    })
}

impl Claim {
    /// What it says of the service as a whole.
    pub(crate) fn of_service(&self) -> impl Iterator<Item = Entry> {
        self.entries().filter(|entry| !is_of_endpoint(&entry.key.value))
    }

    /// What it says of the endpoint that the task is.
    pub(crate) fn of_endpoint(&self) -> impl Iterator<Item = Entry> {
        self.entries().filter(|entry| is_of_endpoint(&entry.key.value) && entry.key.value != WEIGHT)
    }

    /// Finds what is wrong with its settings whatever others say.
    pub(crate) fn read_alone(&self, diagnostics: &mut Diagnostics) {
        let mut service = Service::named(self.service.clone());
        service.annotations = self.of_service().collect();
        read_alone(service, diagnostics);
    }

    /// Whether it says what another one says.
    pub(crate) fn says(&self, other: &Self) -> bool {
        let said =
            |claim: &Self| claim.settings.iter().map(|(key, it)| (key.clone(), it.value.clone())).collect::<Vec<_>>();
        said(self) == said(other)
    }

    /// What its endpoint weighs; bent takes what is out of its range for 64.
    pub(crate) fn weight(&self) -> Result<Option<Spanned<u32>>, String> {
        let Some(said) = self.settings.get(WEIGHT) else { return Ok(None) };
        match weight(WEIGHT, &said.value) {
            Ok(weight) => Ok(Some(Spanned::new(weight, said.span))),
            Err(_) if self.of_bent => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let entry = |(key, value): (&String, &Spanned<String>)| Entry {
            key: Spanned::new(key.clone(), value.span),
            value: value.clone(),
        };
        self.settings.iter().map(entry)
    }
}

const WEIGHT: &str = "endpoint.weight";

/// Whether whoever is an endpoint of a service may say it of the whole service.
pub(crate) fn is_harmless(key: &str) -> bool {
    HARMLESS.contains(&key.split('.').next().unwrap_or(key))
}

fn is_of_endpoint(key: &str) -> bool {
    key.starts_with("endpoint.")
}
