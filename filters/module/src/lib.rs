//! Every filter in one wasm module, each under its root id.
//!
//! Outside wasm there is nothing here: the module is built by `meshwright-artifacts`.
#![cfg(target_arch = "wasm32")]

mod no_op;

use policy::{BasicAuth, Fault, HeaderRouting};
use shell::{Filter, filter};

use crate::no_op::NoOp;

const FILTERS: &[Filter] = &[filter::<BasicAuth>(), filter::<Fault>(), filter::<HeaderRouting>(), filter::<NoOp>()];

shell::module!(FILTERS);
