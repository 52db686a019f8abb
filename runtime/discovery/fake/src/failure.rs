//! What AWS says when it refuses, in the words and with the status of each of its protocols.

use serde_json::{Value, json};

/// An error of the service's model, or one that every service has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// Such as `ClusterNotFoundException`.
    pub code: String,
    pub message: String,
    pub status: u16,
}

impl Failure {
    /// The caller's mistake.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Failure { code: code.to_owned(), message: message.into(), status: 400 }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Failure::new("InvalidParameterException", message)
    }

    pub fn client(message: impl Into<String>) -> Self {
        Failure::new("ClientException", message)
    }

    pub fn cluster_not_found() -> Self {
        Failure::new("ClusterNotFoundException", "Cluster not found.")
    }

    pub fn throttled() -> Self {
        Failure::new("ThrottlingException", "Rate exceeded")
    }

    pub fn server() -> Self {
        let message = "Service Unavailable. Please try again later.";
        Failure { status: 500, ..Failure::new("ServerException", message) }
    }

    pub fn unavailable() -> Self {
        Failure { status: 503, ..Failure::new("ServiceUnavailableException", "Service is unavailable.") }
    }

    pub fn expired_credentials() -> Self {
        Failure::new("ExpiredTokenException", "The security token included in the request is expired")
    }

    pub fn denied(action: &str) -> Self {
        let message = format!(
            "User: arn:aws:sts::123456789012:assumed-role/mesh/session is not authorized to perform: {action} \
             because no identity-based policy allows the {action} action"
        );
        Failure::new("AccessDeniedException", message)
    }

    pub fn unknown_action() -> Self {
        Failure::new("UnknownOperationException", "")
    }

    /// The body of JSON 1.1.
    pub fn json(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }

    /// The same in EC2's words: it has its own names for what every service has.
    pub fn of_ec2(&self) -> Failure {
        let (code, status) = match self.code.as_str() {
            "ThrottlingException" => ("RequestLimitExceeded", 503),
            "ServerException" => ("InternalError", 500),
            "ServiceUnavailableException" => ("Unavailable", 503),
            "ExpiredTokenException" => ("RequestExpired", 400),
            "AccessDeniedException" => ("UnauthorizedOperation", 403),
            "MissingAuthenticationTokenException" => ("MissingParameter", 400),
            "UnrecognizedClientException" | "InvalidSignatureException" => ("AuthFailure", 401),
            code => (code, self.status),
        };
        Failure { code: code.to_owned(), message: self.message.clone(), status }
    }
}
