//! Integration tests of the compiler, as its users see it.

mod annotations;
mod findings;
mod golden;
mod import_bent;
mod import_bent_malformed;
mod pages;
