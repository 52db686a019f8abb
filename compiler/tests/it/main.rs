//! Integration tests of the compiler, as its users see it.

mod annotation_fields;
mod annotations;
mod findings;
mod golden;
mod import_bent;
mod import_bent_malformed;
mod manual;
mod mesh_findings;
mod pages;
mod rules_observability;
mod rules_resilience;
mod rules_security;
