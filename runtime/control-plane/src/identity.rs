//! Which proxies a client certificate may ask for.

use std::str::FromStr;

/// Templates of URIs in certificates, in which `{node}` stands for the proxy's name, and `*` for anything but a `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    templates: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATemplate {
    #[error("`{0}` must hold `{{node}}` once")]
    NoNode(String),
    #[error("`{0}` must begin with `spiffe://`, or be `dns:{{node}}`")]
    NoUri(String),
}

impl Default for Identity {
    fn default() -> Self {
        let templates = ["spiffe://*/node/{node}", "spiffe://*/ns/*/sa/{node}", "dns:{node}"];
        Self { templates: templates.map(str::to_owned).to_vec() }
    }
}

impl FromStr for Identity {
    type Err = NotATemplate;

    /// Templates, separated by commas.
    fn from_str(text: &str) -> Result<Self, NotATemplate> {
        Ok(Self { templates: text.split(',').map(template).collect::<Result<_, _>>()? })
    }
}

fn template(text: &str) -> Result<String, NotATemplate> {
    let text = text.trim();
    if text.matches("{node}").count() != 1 {
        return Err(NotATemplate::NoNode(text.to_owned()));
    }
    if !text.starts_with("spiffe://") && !text.starts_with("dns:") {
        return Err(NotATemplate::NoUri(text.to_owned()));
    }
    Ok(text.to_owned())
}
