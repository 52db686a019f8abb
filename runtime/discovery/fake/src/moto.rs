//! The real moto, started by tests.
