//! Who may call: ordered rules, enforced where requests arrive.

use super::policies::{Chain, Policies};
use super::scope::Scope;

/// The first rule that matches decides.
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain) {}
