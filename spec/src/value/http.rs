//! What stands in requests: paths, headers, hosts, methods, status codes, regular expressions.

use super::number::{number, within};
use super::{Readable, Reader, Refusal, as_text, refuse, text};
use crate::codes;
use crate::diagnostic::quote;
use crate::mesh::{Method, NumberRange};
use crate::names::Name;
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};
use crate::units::StatusRange;

/// A path without its query; begins with `/`.
pub(crate) const PATH: Reader<String> = Reader::new(
    &Value {
        name: "path",
        expected: "a path such as `/healthz`",
        form: ValueForm::Text(Some("^/[^?# \\u0000-\\u001f\\u007f]*$")),
        examples: &["/", "/healthz", "/a%20b/é"],
        commas: false,
    },
    path,
    as_text,
);

/// A path that a cookie can name (RFC 6265, 4.1.1).
pub(crate) const COOKIE_PATH: Reader<String> = Reader::new(
    &Value {
        name: "cookie-path",
        expected: "a path such as `/shop`",
        form: ValueForm::Text(Some("^/[!$-+\\--:<>@-\\[\\]-~]*$")),
        examples: &["/", "/shop"],
        commas: false,
    },
    |scalar| {
        let path = path(scalar)?;
        let plain = |character: char| character.is_ascii_graphic() && !";,=\"\\".contains(character);
        if !path.chars().all(plain) {
            return refuse(
                scalar,
                "has characters that the path of a cookie cannot have",
                "leave out `;`, `,`, `=`, quotes, backslashes and what is not ASCII",
            );
        }
        Ok(path)
    },
    as_text,
);

/// RFC 9110, 5.1: a token.
pub(crate) const HEADER_NAME: Reader<String> = Reader::new(
    &Value {
        name: "header-name",
        expected: "the name of a header such as `x-user`",
        form: ValueForm::Text(Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")),
        examples: &["x-user", "x-canary-2"],
        commas: true,
    },
    header_name,
    as_text,
);

/// A header's value: no control characters, not empty.
pub(crate) const HEADER_VALUE: Reader<String> = Reader::new(
    &Value {
        name: "header-text",
        expected: "the value of a header",
        form: ValueForm::AnyText,
        examples: &["on", "max-age=31536000; includeSubDomains", "100%"],
        commas: false,
    },
    |scalar| match scalar.kind {
        Kind::Null => Err(Refusal::Kind),
        _ if scalar.text.chars().any(char::is_control) => {
            refuse(scalar, "has characters that no header has", "leave out control characters and line breaks")
        }
        _ => Ok(scalar.text.to_string()),
    },
    as_text,
);

/// A host of the outside world: exact, with a leading `*.`, with a trailing `.*`, or `*`; with or without a port.
pub(crate) const HOST: Reader<String> = Reader::new(
    &Value {
        name: "host",
        expected: "a host such as `*.shop.example`",
        form: ValueForm::Text(Some("^[*A-Za-z0-9]([*A-Za-z0-9._-]*[*A-Za-z0-9])?(:[0-9]+)?$")),
        examples: &["shop.example", "*.shop.example", "api.*", "shop.example:8443", "*"],
        commas: true,
    },
    host_pattern,
    as_text,
);

/// A host name that replaces another: exact.
pub(crate) const HOST_NAME: Reader<String> = Reader::new(
    &Value {
        name: "host-name",
        expected: "a host such as `shop.example`",
        form: ValueForm::Text(Some("^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")),
        examples: &["shop.example", "10.0.0.1"],
        commas: true,
    },
    |scalar| {
        let text = text(scalar)?;
        if Name::new(text).is_some() && !text.contains('/') {
            return Ok(text.to_owned());
        }
        refuse(scalar, "is not a host", "write it without a scheme and a port, as in `shop.example`")
    },
    as_text,
);

/// A host in the outside world that sidecars may call: exact or with a leading `*.`.
pub(crate) const EGRESS_HOST: Reader<String> = Reader::new(
    &Value {
        name: "egress-host-name",
        expected: "a host such as `*.amazonaws.com`",
        form: ValueForm::Text(Some("^(\\*\\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")),
        examples: &["api.example", "*.amazonaws.com"],
        commas: true,
    },
    |scalar| {
        let said = text(scalar)?;
        let exact = said.strip_prefix("*.").unwrap_or(said);
        if Name::new(exact).is_some() && !exact.contains('/') {
            return Ok(said.to_owned());
        }
        refuse(scalar, "is not a host", "write `api.example` or `*.example`, without scheme, port and path")
    },
    as_text,
);

/// A regular expression in RE2's syntax that must match the whole value. Its meaning is checked by the compiler.
pub(crate) const REGEX: Reader<String> = Reader::new(
    &Value {
        name: "regex",
        expected: "a regular expression such as `v[0-9]+`",
        form: ValueForm::Text(Some("^[\\s\\S]+$")),
        examples: &["v[0-9]+", "/api/(a|b)/.*"],
        commas: false,
    },
    |scalar| {
        let text = text(scalar)?;
        if text.is_empty() {
            return refuse(scalar, "is empty", "write `.*` for anything");
        }
        Ok(text.to_owned())
    },
    as_text,
);

/// A URL with its scheme, `http` or `https`.
pub(crate) const URL: Reader<String> = Reader::new(
    &Value {
        name: "url",
        expected: "a URL such as `https://idp.example/keys`",
        form: ValueForm::Text(Some("^https?://[^ /?#]+([/?#][^ ]*)?$")),
        examples: &["https://idp.example/keys", "http://beta.svc/admin?x=1"],
        commas: false,
    },
    |scalar| {
        let said = text(scalar)?;
        let rest = said.strip_prefix("https://").or_else(|| said.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let clean = !said.chars().any(|character| character.is_control() || character == ' ');
        if clean && host.is_some_and(|host| !host.is_empty()) {
            if host.is_some_and(|host| host.contains('@')) {
                return Err(Refusal::Value {
                    code: codes::INVALID_VALUE,
                    message: "the URL holds credentials".to_owned(),
                    help: "leave out what stands before `@`".to_owned(),
                });
            }
            return Ok(said.to_owned());
        }
        refuse(scalar, "is not a URL", "write `http://HOST/PATH` or `https://HOST/PATH`")
    },
    as_text,
);

/// An origin as browsers send it (RFC 6454, 6.1), or `*`.
pub(crate) const ORIGIN: Reader<String> = Reader::new(
    &Value {
        name: "origin",
        expected: "an origin such as `https://shop.example`",
        form: ValueForm::Text(Some("^(\\*|[a-z][a-z0-9+.-]*://[^/?#, ]+)$")),
        examples: &["https://shop.example", "http://localhost:3000", "*"],
        commas: true,
    },
    |scalar| {
        let said = text(scalar)?;
        let scheme = |scheme: &str| {
            let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.-".contains(&byte);
            scheme.starts_with(|first: char| first.is_ascii_lowercase()) && scheme.bytes().all(inner)
        };
        let host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', ',', ' ']);
        if said == "*" || said.split_once("://").is_some_and(|(before, after)| scheme(before) && host(after)) {
            return Ok(said.to_owned());
        }
        refuse(scalar, "is no origin", "write scheme and host without a path, as in `https://shop.example`, or `*`")
    },
    as_text,
);

/// 200 to 599.
pub(crate) const STATUS: Reader<u16> = Reader::new(
    &Value {
        name: "status",
        expected: "a status such as `503`",
        form: ValueForm::Integer(200, 599),
        examples: &["200", "503", "599"],
        commas: true,
    },
    |scalar| within(scalar, 200, 599).and_then(|status| u16::try_from(status).map_err(|_| Refusal::Kind)),
    number,
);

fn header_name(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(token) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Refusal::Value {
        code: codes::INVALID_NAME,
        message: format!("`{}` cannot be the name of a header", quote(text)),
        help: "a header's name has ASCII letters, digits and `-`".to_owned(),
    })
}

fn path(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    if !text.starts_with('/') {
        return refuse(scalar, "is not a path", "a path begins with `/`");
    }
    if text.contains(['?', '#']) {
        return refuse(
            scalar,
            "is more than a path",
            "the query is not part of the path: leave out `?`, `#` and what follows",
        );
    }
    if text.chars().any(|character| character.is_control() || character == ' ') {
        return refuse(scalar, "has characters that no path has", "write spaces as `%20`");
    }
    Ok(text.to_owned())
}

fn host_pattern(scalar: &Scalar) -> Result<String, Refusal> {
    let said = text(scalar)?;
    let (host, port) = match said.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (said, None),
    };
    let exact = host.strip_prefix("*.").or_else(|| host.strip_suffix(".*")).unwrap_or(host);
    let named = host == "*" || (Name::new(exact).is_some() && !exact.contains('/'));
    let port =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number != 0 && port == number.to_string()));
    if named && port {
        return Ok(said.to_owned());
    }
    refuse(scalar, "is not a host", "write `shop.example`, `*.shop.example`, `shop.*` or `*`, with or without a port")
}

impl Readable for StatusRange {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "status-range",
            expected: "status codes such as `200-299`",
            form: ValueForm::NumberOrText("^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$"),
            examples: &["200-299", "204"],
            commas: true,
        },
        |scalar| match scalar.kind {
            Kind::Text | Kind::Variable | Kind::Integer(_) => StatusRange::parse_inclusive(&scalar.text)
                .map_or_else(|| refuse(scalar, "are not status codes", "write `200-299`, from 100 to 599"), Ok),
            _ => Err(Refusal::Kind),
        },
        as_text,
    );
}

impl Readable for NumberRange {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "number-range",
            expected: "a range such as `1..100`",
            form: ValueForm::Text(Some("^-?[0-9]+\\.\\.-?[0-9]+$")),
            examples: &["1..100", "-5..0"],
            commas: false,
        },
        |scalar| match NumberRange::parse(text(scalar)?) {
            Some(range) => Ok(range),
            None => refuse(scalar, "is not a range", "write `FIRST..END`: FIRST is in it, END is not, as in `1..100`"),
        },
        as_text,
    );
}

impl Readable for Method {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "method",
            expected: "a method such as `GET`",
            form: ValueForm::Text(Some("^[A-Z]+$")),
            examples: &["GET", "POST", "PURGE"],
            commas: true,
        },
        |scalar| {
            let said = text(scalar)?;
            match Method::new(said) {
                Some(method) => Ok(method),
                None => refuse(scalar, "is no method", "write it in capitals, as in `GET`"),
            }
        },
        as_text,
    );
}
