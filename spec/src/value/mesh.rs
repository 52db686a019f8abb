//! Names: of the mesh itself, its services, nodes and gateways.

use super::{Readable, Reader, Refusal, as_text, refuse, text};
use crate::codes;
use crate::diagnostic::quote;
use crate::mesh::Callee;
use crate::names::Name;
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};

const FORM: ValueForm = ValueForm::Text(Some("^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"));
const NODE_FORM: ValueForm = ValueForm::Text(Some("^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"));

/// Of a mesh, service or gateway.
pub(crate) const NAME: Reader<Name> = Reader::new(
    &Value { name: "name", expected: "a name", form: FORM, examples: &["beta.svc", "front", "Shop_1"], commas: true },
    |scalar| name(scalar, false),
    as_text,
);

/// Of a node: ids of ECS hold slashes.
pub(crate) const NODE: Reader<Name> = Reader::new(
    &Value {
        name: "node-name",
        expected: "the name of a node",
        form: NODE_FORM,
        examples: &["beta-1", "cluster/task-0123"],
        commas: true,
    },
    |scalar| name(scalar, true),
    as_text,
);

/// Names in which `*` stands for any text.
pub(crate) const PATTERN: Reader<String> = Reader::new(
    &Value {
        name: "name-pattern",
        expected: "a name, in which `*` stands for any text",
        form: ValueForm::Text(Some("^[A-Za-z0-9._*-]{1,253}$")),
        examples: &["orders.svc", "*.pay.svc", "*"],
        commas: true,
    },
    |scalar| {
        let text = text(scalar)?;
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._*-".contains(&byte);
        if (1..=253).contains(&text.len()) && text.bytes().all(valid) {
            return Ok(text.to_owned());
        }
        refuse(scalar, "is no name", "write ASCII letters, digits, `.`, `_`, `-`, and `*` for any text")
    },
    as_text,
);

fn name(scalar: &Scalar, slash: bool) -> Result<Name, Refusal> {
    let text = text(scalar)?;
    match Name::new(text).filter(|_| slash || !text.contains('/')) {
        Some(name) => Ok(name),
        None => Err(Refusal::Value {
            code: codes::INVALID_NAME,
            message: format!("`{}` cannot be a name here", quote(text)),
            help: if slash {
                "a node's name has ASCII letters, digits, `.`, `_`, `-` and `/`, at most 253; a letter or digit is first and last"
            } else {
                "a name has ASCII letters, digits, `.`, `_` and `-`, at most 253; a letter or digit is first and last"
            }
            .to_owned(),
        }),
    }
}

impl Readable for Name {
    const READER: Reader<Self> = NAME;
}

impl Readable for Callee {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "callee",
            expected: "the name of a service, or `*`",
            form: ValueForm::Text(Some("^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\*)$")),
            examples: &["beta.svc", "*"],
            commas: true,
        },
        |scalar| match (scalar.kind, &*scalar.text) {
            (Kind::Text | Kind::Variable, "*") => Ok(Callee::All),
            _ => name(scalar, false).map(Callee::Service),
        },
        |callee| match callee {
            Callee::All => (Kind::Text, "*".to_owned()),
            Callee::Service(name) => as_text(name),
        },
    );
}
