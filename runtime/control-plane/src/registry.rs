//! Who is connected, and what each was told.

/// All streams of a control plane. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Registry {}
