//! Beside Envoy: passes xDS through, keeps the last good state, supervises.
