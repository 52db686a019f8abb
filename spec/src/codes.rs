//! Every code a diagnostic can carry. Each has a page in `reference/diagnostics/<slug>.md`.

/// A stable name of one kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// Lower-case words joined by `-`; a promise to users who search or suppress by it.
    pub slug: &'static str,
    /// One line: what it says.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($name:ident = $slug:literal: $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code { slug: $slug, summary: $summary };)*
        /// Every code, in the order of this file.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // Reading.
    SYNTAX = "syntax": "the text is not well-formed KDL or YAML";
    TOO_LARGE = "too-large": "the text exceeds a bound on its size, depth or number of values";
    NOT_UTF8 = "not-utf8": "the file is not UTF-8 text";
    UNREADABLE_FILE = "unreadable-file": "a file that the mesh refers to cannot be read, or must not be";
    // Decoding.
    UNKNOWN_FIELD = "unknown-field": "no field or child of this name exists here";
    DUPLICATE_FIELD = "duplicate-field": "a field that can be said once is said twice";
    MISSING_FIELD = "missing-field": "a field that is needed is absent";
    WRONG_TYPE = "wrong-type": "a value of another type is needed here";
    INVALID_VALUE = "invalid-value": "the value is outside what the field accepts, alone or beside another field";
    INVALID_NAME = "invalid-name": "the name has characters or a length that names cannot have";
    INVALID_ADDRESS = "invalid-address": "the address is not an IP address, or not one with a port";
    // Checking.
    DUPLICATE_NAME = "duplicate-name": "two things of one kind have the same name or address";
    UNKNOWN_SERVICE = "unknown-service": "no service has this name";
    UNKNOWN_NODE = "unknown-node": "no node has this name";
    NO_ENDPOINTS = "no-endpoints": "a service that is called has no endpoints";
    AMBIGUOUS_ENDPOINT = "ambiguous-endpoint": "it is not clear which node an endpoint belongs to";
    FOREIGN_ENDPOINT = "foreign-endpoint": "an endpoint names a node that does not serve the service";
    SHARED_ADDRESS = "shared-address": "two nodes have one address, where only one sidecar can listen";
    RESERVED_NAME = "reserved-name": "the name would stand for something else in Envoy too";
    ZERO_WEIGHTS = "zero-weights": "the weights of a split are all zero";
    UNREACHABLE_ROUTE = "unreachable-route": "an earlier route takes every request of this one";
    FORBIDDEN_ADDRESS = "forbidden-address": "the address would let callers reach metadata or administration";
    RESERVED_HEADER = "reserved-header": "the header is not for users to set: the mesh or HTTP itself needs it";
    TIMEOUT_ORDER = "timeout-order": "the time limit of one try is longer than that of the whole request";
    PORT_CONFLICT = "port-conflict": "a gateway wants a port that its own Envoy needs";
    EMPTY_BLOCK = "empty-block": "the block says nothing";
    // Credentials.
    HTPASSWD = "htpasswd": "a line of an htpasswd file cannot be used";
    // Annotations.
    UNKNOWN_ANNOTATION = "unknown-annotation": "no annotation has this key";
    INVALID_ANNOTATION = "invalid-annotation": "the value is outside what the annotation accepts";
    CONFLICTING_ANNOTATION = "conflicting-annotation": "two places say different things of one service";
    INEFFECTIVE_ANNOTATION = "ineffective-annotation": "the annotation has no effect where it stands, or not the one it seems to have";
    IMPLIED_ANNOTATION = "implied-annotation": "the annotation takes effect as if another one were there too";
    // Importing.
    NOT_MAPPED = "not-mapped": "a field of the imported file has no counterpart";
    IMPORTED_DIFFERENTLY = "imported-differently": "what was imported behaves otherwise than before";
}
