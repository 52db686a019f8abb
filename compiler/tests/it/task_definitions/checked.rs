//! What is found in a task definition.
