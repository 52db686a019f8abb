//! The decisions of Meshwright's filters, as pure functions.
