//! What the SDK says of a failure, as a [`Fault`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::{Fault, Kind};

pub(super) fn fault<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let code = context.err().code().unwrap_or("an error without a code");
            answered(action, code, status, context.err().message())
        }
        SdkError::TimeoutError(_) => Fault::new(Kind::Timeout, action, "no answer in time"),
        _ => unanswered(action, &error),
    }
}

/// The same for a page: a token that is not taken has expired.
pub(super) fn listing<E>(action: &'static str, token: Option<&str>, error: SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let code = error.as_service_error().and_then(|error| error.code()).unwrap_or_default();
    let of_the_token = ["InvalidParameterException", "InvalidNextToken", "ExpiredNextToken"].contains(&code);
    let mut fault = fault(action, error);
    if token.is_some() && of_the_token {
        fault.kind = Kind::PageExpired;
    }
    fault
}

/// AWS answered with an error.
pub(super) fn answered(action: &'static str, code: &str, status: u16, message: Option<&str>) -> Fault {
    let kind = Kind::of(code, status);
    match message {
        Some(message) => Fault::new(kind, action, format_args!("{code} (status {status}): {message}")),
        None => Fault::new(kind, action, format_args!("{code} (status {status})")),
    }
}

/// Nobody answered, or nobody was asked.
pub(super) fn unanswered<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: Error + 'static,
{
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (*error).source());
    let deepest = causes().last().map(ToString::to_string).unwrap_or_default();
    if causes().any(<dyn Error>::is::<CredentialsError>) {
        return Fault::new(Kind::Credentials, action, format_args!("no credentials: {deepest}"));
    }
    let kind = match error {
        SdkError::TimeoutError(_) => Kind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::Timeout,
        SdkError::DispatchFailure(_) => Kind::Connection,
        SdkError::ResponseError(_) => Kind::Unusable,
        _ => Kind::Refused,
    };
    Fault::new(kind, action, deepest)
}
