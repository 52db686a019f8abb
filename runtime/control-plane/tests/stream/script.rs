//! A client that does what a script says, and writes down the conversation.
//!
//! ```text
//! view cds.a=1 eds.a=1      the stream's view; the first one opens it
//! CDS *                     subscribe to exactly this (state of the world: all names, delta: what changed)
//! CDS                       …to nothing; as a first request: to everything
//! EDS +a -b                 delta only: subscribe and unsubscribe, whatever was before
//! CDS * have a=1 z=2        the first request of a client that comes back
//! CDS a nonce 1             with a nonce of our own
//! ack CDS EDS               acknowledge the last response of each type; without types of all, in order
//! nack CDS some message     refuse it
//! at 3s                     time passes
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use expect_test::Expect;
use meshwright_control_plane::{Event, Outgoing, Request, Step, Stream, TypeStatus, Variant};

use crate::world;

/// The same script in both variants.
#[track_caller]
pub(crate) fn check(script: &str, state_of_the_world: Expect, delta: Expect) {
    check_one(Variant::StateOfTheWorld, script, state_of_the_world);
    check_one(Variant::Delta, script, delta);
}

#[track_caller]
pub(crate) fn check_one(variant: Variant, script: &str, expect: Expect) {
    let mut conversation = Conversation::new(variant);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        conversation.line(line);
    }
    expect.assert_eq(&conversation.text);
}

pub(crate) struct Conversation {
    variant: Variant,
    stream: Option<Stream>,
    now: Duration,
    /// By type, what the client subscribes to.
    wants: BTreeMap<String, BTreeSet<String>>,
    /// By type, the last nonce.
    nonces: BTreeMap<String, String>,
    /// Responses that the client has not answered.
    unanswered: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Conversation {
    pub(crate) fn new(variant: Variant) -> Self {
        Self {
            variant,
            stream: None,
            now: Duration::ZERO,
            wants: BTreeMap::new(),
            nonces: BTreeMap::new(),
            unanswered: Vec::new(),
            text: String::new(),
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        writeln!(self.text, "> {line}").expect("memory");
        match command {
            "view" => {
                let view = world::view(rest);
                match &mut self.stream {
                    None => self.stream = Some(Stream::new(self.variant, view)),
                    Some(stream) => {
                        let step = stream.on_view(view, self.now);
                        self.write(step);
                    }
                }
            }
            "at" => {
                self.now = Duration::from_millis(rest.strip_suffix("ms").map_or_else(
                    || rest.trim_end_matches('s').parse::<u64>().expect("seconds") * 1000,
                    |ms| ms.parse().expect("milliseconds"),
                ));
                let step = self.stream.as_mut().expect("a view").on_time(self.now);
                self.write(step);
            }
            "ack" => {
                let kinds: Vec<&str> = rest.split_whitespace().collect();
                let answered: Vec<_> = if kinds.is_empty() {
                    std::mem::take(&mut self.unanswered)
                } else {
                    self.unanswered.extract_if(.., |(kind, _)| kinds.contains(&kind.as_str())).collect()
                };
                for (kind, nonce) in answered {
                    self.answer(&kind, nonce, None);
                }
            }
            "nack" => {
                let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
                let place = self.unanswered.iter().position(|(of, _)| of == kind).expect("a response to refuse");
                let (_, nonce) = self.unanswered.remove(place);
                let status = Status { code: 13, message: message.to_owned(), ..Default::default() };
                self.answer(kind, nonce, Some(status));
            }
            kind => self.subscribe(kind, rest),
        }
    }

    fn subscribe(&mut self, kind: &str, rest: &str) {
        let (rest, nonce) = rest.split_once("nonce ").map_or((rest, None), |(rest, nonce)| (rest, Some(nonce)));
        let (names, have) = rest.split_once("have").map_or((rest, None), |(names, have)| (names, Some(have)));
        let nonce = nonce.map(str::to_owned);
        let by = |sign: char| -> Vec<String> {
            names.split_whitespace().filter_map(|name| name.strip_prefix(sign)).map(str::to_owned).collect()
        };
        let (add, remove) = (by('+'), by('-'));
        let wants: BTreeSet<String> = if add.is_empty() && remove.is_empty() {
            names.split_whitespace().map(str::to_owned).collect()
        } else {
            let old = self.wants.get(kind).cloned().unwrap_or_default();
            old.into_iter().filter(|name| !remove.contains(name)).chain(add.clone()).collect()
        };
        let old = self.wants.insert(kind.to_owned(), wants.clone()).unwrap_or_default();
        let request = match self.variant {
            Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                version_info: have.map(|_| "earlier".to_owned()).unwrap_or_default(),
                resource_names: wants.into_iter().collect(),
                type_url: type_url(kind),
                response_nonce: nonce.unwrap_or_else(|| self.nonces.get(kind).cloned().unwrap_or_default()),
                ..Default::default()
            }),
            Variant::Delta => {
                let explicit = !add.is_empty() || !remove.is_empty();
                let (add, remove) = if explicit {
                    (add, remove)
                } else {
                    (wants.difference(&old).cloned().collect(), old.difference(&wants).cloned().collect())
                };
                Request::Delta(DeltaDiscoveryRequest {
                    type_url: type_url(kind),
                    resource_names_subscribe: add,
                    resource_names_unsubscribe: remove,
                    initial_resource_versions: have
                        .unwrap_or_default()
                        .split_whitespace()
                        .filter_map(|word| word.split_once('='))
                        .map(|(name, version)| (name.to_owned(), version.to_owned()))
                        .collect(),
                    response_nonce: nonce.unwrap_or_default(),
                    ..Default::default()
                })
            }
        };
        self.request(request);
    }

    fn answer(&mut self, kind: &str, response_nonce: String, error_detail: Option<Status>) {
        let request = match self.variant {
            Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                version_info: "any".to_owned(),
                resource_names: self.wants.get(kind).into_iter().flatten().cloned().collect(),
                type_url: type_url(kind),
                response_nonce,
                error_detail,
                ..Default::default()
            }),
            Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                type_url: type_url(kind),
                response_nonce,
                error_detail,
                ..Default::default()
            }),
        };
        self.request(request);
    }

    pub(crate) fn request(&mut self, request: Request) {
        match self.stream.as_mut().expect("a view").on_request(request, self.now) {
            Ok(step) => self.write(step),
            Err(refusal) => writeln!(self.text, "  closed: {refusal:?}").expect("memory"),
        }
    }

    pub(crate) fn status(&self) -> Vec<TypeStatus> {
        self.stream.as_ref().map(Stream::status).unwrap_or_default()
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_refusing)
    }

    fn write(&mut self, step: Step) {
        for outgoing in step.send {
            let line = self.read(&outgoing);
            writeln!(self.text, "  < {line}").expect("memory");
        }
        for event in step.events {
            match event {
                Event::Settled => writeln!(self.text, "  settled").expect("memory"),
                Event::Refused { kind, error, .. } => {
                    writeln!(self.text, "  refused {}: {error}", short(kind)).expect("memory");
                }
                Event::Sent { .. } | Event::Acknowledged { .. } => {}
            }
        }
        let deadline = self.stream.as_ref().and_then(Stream::deadline);
        if let Some(deadline) = deadline.filter(|deadline| *deadline > self.now) {
            writeln!(self.text, "  waits until {}s", deadline.as_secs_f32()).expect("memory");
        }
    }

    fn read(&mut self, outgoing: &Outgoing) -> String {
        let kind = outgoing.kind.map_or_else(|| outgoing.type_url.clone(), short);
        let mut text = kind.clone();
        let world::Response { nonce, resources, removed, .. } = world::response(self.variant, outgoing);
        for (name, content) in resources {
            write!(text, " {name}={content}").expect("memory");
        }
        for name in removed {
            write!(text, " -{name}").expect("memory");
        }
        self.nonces.insert(kind.clone(), nonce.clone());
        self.unanswered.push((kind, nonce.clone()));
        write!(text, " #{nonce}").expect("memory");
        text
    }
}

/// A first request.
pub(crate) fn subscribe(variant: Variant, kind: ResourceKind, names: &[&str]) -> Request {
    let (type_url, names) = (kind.type_url(), names.iter().map(ToString::to_string).collect());
    match variant {
        Variant::StateOfTheWorld => {
            Request::StateOfTheWorld(DiscoveryRequest { type_url, resource_names: names, ..Default::default() })
        }
        Variant::Delta => {
            Request::Delta(DeltaDiscoveryRequest { type_url, resource_names_subscribe: names, ..Default::default() })
        }
    }
}

fn short(kind: ResourceKind) -> String {
    kind.short_name().to_uppercase()
}

fn type_url(kind: &str) -> String {
    world::kind(kind).map_or_else(|| format!("type.googleapis.com/{kind}"), ResourceKind::type_url)
}
