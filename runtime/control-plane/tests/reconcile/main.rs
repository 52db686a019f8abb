//! From files to what is published: what is served, what is held, what is kept, and what never happens on the way.

mod alike;
mod child;
mod follow;
mod guarded;
mod isolation;
mod kept;
mod killed;
mod modules;
mod observed;
mod published;
mod storms;
mod world;
