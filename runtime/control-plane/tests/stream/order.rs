//! In which order changes are told.

mod patience;
mod steps;
mod views;
