//! Addresses, ports, networks.

use std::net::IpAddr;

use super::number::{number, within};
use super::{Readable, Reader, Refusal, as_text, refuse, text};
use crate::codes;
use crate::diagnostic::quote;
use crate::mesh::{Address, Cidr, HostPort};
use crate::shape::{Value, ValueForm};

/// 1 to 65535.
pub(crate) const PORT: Reader<u16> = Reader::new(
    &Value {
        name: "port",
        expected: "a port such as `8080`",
        form: ValueForm::Integer(1, 65_535),
        examples: &["1", "8080", "65535"],
        commas: true,
    },
    |scalar| within(scalar, 1, 65_535).and_then(|port| u16::try_from(port).map_err(|_| Refusal::Kind)),
    number,
);

impl Readable for Address {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "address",
            expected: "an address such as `10.0.0.1:8080`",
            form: ValueForm::Text(Some("^.+:[0-9]+$")),
            examples: &["10.0.0.1:8080", "[fd00::1]:80"],
            commas: false,
        },
        |scalar| {
            let text = text(scalar)?;
            Address::parse(text).ok_or_else(|| Refusal::Value {
                code: codes::INVALID_ADDRESS,
                message: format!("`{}` is not an address", quote(text)),
                help: "write an IP address and a port, as in `10.0.0.1:8080` or `[fd00::1]:8080`".to_owned(),
            })
        },
        as_text,
    );
}

impl Readable for HostPort {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "host-and-port",
            expected: "a host with its port such as `collector.local:4317`",
            form: ValueForm::Text(Some("^.+:[0-9]+$")),
            examples: &["collector.local:4317", "10.0.0.1:8080", "[fd00::1]:80"],
            commas: false,
        },
        |scalar| {
            let text = text(scalar)?;
            HostPort::parse(text).ok_or_else(|| Refusal::Value {
                code: codes::INVALID_ADDRESS,
                message: format!("`{}` is not a host with its port", quote(text)),
                help: "write a host name or an IP address, and a port, as in `db.internal:5432` or `[fd00::1]:5432`"
                    .to_owned(),
            })
        },
        as_text,
    );
}

impl Readable for IpAddr {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "ip-address",
            expected: "an IP address such as `0.0.0.0`",
            form: ValueForm::Text(None),
            examples: &["0.0.0.0", "10.0.0.5", "::"],
            commas: false,
        },
        |scalar| {
            let text = text(scalar)?;
            text.parse().map_err(|_| Refusal::Value {
                code: codes::INVALID_ADDRESS,
                message: format!("`{}` is not an IP address", quote(text)),
                help: "write it without a port, as in `10.0.0.5` or `::`".to_owned(),
            })
        },
        as_text,
    );
}

impl Readable for Cidr {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "network",
            expected: "a network such as `10.0.0.0/8`",
            form: ValueForm::Text(None),
            examples: &["10.0.0.0/8", "192.168.1.7", "fd00::/8"],
            commas: true,
        },
        |scalar| {
            let text = text(scalar)?;
            let Some(network) = Cidr::parse(text) else {
                return refuse(
                    scalar,
                    "is not a network",
                    "write an IP address and the length of its prefix, as in `10.0.0.0/8`",
                );
            };
            Ok(network)
        },
        as_text,
    );
}

impl Readable for u16 {
    const READER: Reader<Self> = PORT;
}
