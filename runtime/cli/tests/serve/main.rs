//! `meshwright serve` as a person runs it: follows files, survives mistakes, remembers, tells.

mod ends;
mod follows;
mod process;
mod remembers;
mod tells;
mod unobserved;
