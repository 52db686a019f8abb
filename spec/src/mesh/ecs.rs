//! What is asked of ECS, and who may say what there.

use super::Place;
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::value::{mesh, text};

/// What is asked of ECS, and who may say what there.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "an ECS block", not_empty)]
pub struct Ecs {
    /// Clusters whose tasks are read, by name or ARN; `*` for all of the account.
    #[field(key = "cluster", value = text::TEXT, default = "those that services name, else `default`")]
    pub clusters: Vec<Spanned<String>>,
    /// Which tasks may say what of which service.
    #[field(key = "owner")]
    pub owners: Vec<Owner>,
    /// Whose words count: others are not looked at.
    #[field(default = "meshwright, bent, nightjar, nightjar-1")]
    pub read: Vec<Spanned<Vocabulary>>,
    #[field(place)]
    pub place: Place,
}

/// Tasks that may speak of a service. As soon as one owner is said of it, nobody else may.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an owner", line)]
pub struct Owner {
    /// The service; `*` stands for any text: `*.pay.svc`.
    #[field(main, value = mesh::PATTERN)]
    pub service: Spanned<String>,
    /// The family of their task definitions; `*` stands for any text.
    #[field(value = mesh::PATTERN, default = "any family")]
    pub family: Option<Spanned<String>>,
    /// The cluster they run in, by name or ARN.
    #[field(value = text::TEXT, default = "any cluster")]
    pub cluster: Option<Spanned<String>>,
}

/// Words that task definitions and tasks can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Vocabulary {
    /// Labels and tags that begin with `meshwright.`.
    Meshwright,
    /// Labels that begin with `envoy.service.`.
    Bent,
    /// Tags and variables that begin with `NJ_`.
    Nightjar,
    /// Variables of the first nightjar.
    #[word("nightjar-1")]
    Nightjar1,
}
