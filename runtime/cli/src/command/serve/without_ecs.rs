//! `serve` of a command that was built without AWS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use control_plane::reconcile::Reconciler;
use control_plane::{Metrics, admin};

use crate::exit::Exit;

#[derive(Args, Debug)]
pub(super) struct Ecs {
    #[arg(long, hide = true)]
    pub(super) ecs: bool,
    #[arg(long = "cluster", hide = true)]
    pub(super) clusters: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
}

impl Place {
    pub(super) fn in_folder(_: Option<&Path>) -> Result<Self, Exit> {
        Err(Exit::usage(anyhow::anyhow!("this `meshwright` was built without `ecs`")))
    }
}

/// There is none.
pub(super) enum Discovering {}

pub(super) async fn start(_: &Ecs, place: &Place, _: &Reconciler, _: &Metrics) -> Result<Discovering, Exit> {
    match Place::in_folder(Some(&place.file)) {
        Ok(_) => Err(Exit::usage(anyhow::anyhow!("there is no ECS to read"))),
        Err(error) => Err(error),
    }
}

impl Discovering {
    pub(super) fn shown(&self) -> Arc<dyn admin::Discovery> {
        match *self {}
    }

    pub(super) fn read_now(&self) {
        match *self {}
    }
}
