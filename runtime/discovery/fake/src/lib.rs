//! A small AWS for tests.
