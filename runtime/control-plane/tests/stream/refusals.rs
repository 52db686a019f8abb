//! What a refusal holds up, and what it does not.

mod again;
mod others;
mod routes;
