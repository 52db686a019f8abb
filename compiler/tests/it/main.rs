//! Integration tests of the compiler, as its users see it.

mod ads;
mod annotation_fields;
mod annotations;
mod client_secrets;
mod discovered;
mod endpoints;
mod findings;
mod golden;
mod import_bent;
mod import_bent_malformed;
mod manual;
mod mesh_findings;
mod pages;
mod passwords;
mod rules_clusters;
mod rules_edits;
mod rules_endpoints;
mod rules_observability;
mod rules_references;
mod rules_regex;
mod rules_resilience;
mod rules_routes;
mod rules_routing;
mod rules_security;
mod rules_tls;
mod wasm_modules;
