//! What compiling and filtering cost.
