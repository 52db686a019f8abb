//! The bootstrap that a sidecar makes itself: of a node that is nothing but a name, for an Envoy that is told the rest.

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use compiler::emit::ads::{Ads, Servers, ads_bootstrap};
use spec::{Diagnostics, Name, SourceFile, Sources, Syntax};

use crate::plan::ENVOY;
use crate::task::is_label;

/// Where Envoy asks us, relative to the folder.
pub(crate) const SOCKET: &str = "xds.sock";

/// The node as far as it is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub name: Name,
    /// Where Envoy's administration binds; 127.0.0.1 by default.
    pub bind: Option<IpAddr>,
    pub region: Option<String>,
    pub zone: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    #[error("cannot write `{path}`: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// A fault of ours: every name makes a node.
    #[error("`{0}` makes no node")]
    NoNode(Name),
}

/// Writes it into the folder, which is made if it is missing. Returns Envoy's administration.
pub fn write(own: &Own, folder: &Path) -> Result<SocketAddr, OwnError> {
    let (text, admin) = bootstrap(own).ok_or_else(|| OwnError::NoNode(own.name.clone()))?;
    let path = folder.join(ENVOY);
    let written = std::fs::create_dir_all(folder).and_then(|()| replace(&path, &text));
    written.map_err(|source| OwnError::Write { path, source })?;
    Ok(admin)
}

fn bootstrap(own: &Own) -> Option<(String, SocketAddr)> {
    let mut node = format!("mesh \"own\" {{\nnode \"{}\" {{\n", own.name);
    if let Some(bind) = own.bind {
        node.push_str(&format!("bind \"{bind}\"\n"));
    }
    for (word, label) in [("region", &own.region), ("zone", &own.zone)] {
        if let Some(label) = label.as_ref().filter(|label| is_label(label)) {
            node.push_str(&format!("{word} \"{label}\"\n"));
        }
    }
    node.push_str("}\n}\n");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("own.kdl", node));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics)?;
    let checked = compiler::check(&mesh, &sources, &mut diagnostics)?;
    let ads = Ads::towards(Servers::Socket(SOCKET.to_owned()));
    let made = ads_bootstrap(&checked, checked.proxies().next()?, &ads);
    let head =
        format!("# Envoy bootstrap of {}, which asks its sidecar. Written by Meshwright. Do not edit.\n", own.name);
    Some((head + &envoy::to_yaml(&made.bootstrap), made.admin()?))
}

/// Whole or as before: a task may be ended at any moment.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str) -> Own {
        Own { name: Name::new(name).unwrap(), bind: None, region: None, zone: None }
    }

    #[test]
    fn any_name_makes_a_node() {
        for name in ["orders", "orders/7", "production/7f3c00aa", "a.b_c-D/9"] {
            let folder = tempfile::tempdir().unwrap();
            let admin = write(&own(name), &folder.path().join("below")).unwrap();
            assert_eq!(admin.to_string(), "127.0.0.1:9901");
            let text = std::fs::read_to_string(folder.path().join("below").join(ENVOY)).unwrap();
            assert!(text.contains(&format!("id: {name}\n")) && text.contains("xds.sock"), "{text}");
        }
    }

    #[test]
    fn a_node_says_where_it_is() {
        let somewhere = Own {
            bind: Some("127.0.9.9".parse().unwrap()),
            region: Some("eu-central-1".to_owned()),
            zone: Some("eu-central-1a".to_owned()),
            ..own("orders/7")
        };
        let (text, admin) = bootstrap(&somewhere).unwrap();
        assert!(text.contains("region: eu-central-1\n") && text.contains("zone: eu-central-1a\n"), "{text}");
        assert_eq!(admin.to_string(), "127.0.9.9:9901");
        let (text, _) = bootstrap(&Own { zone: Some("a\"\nb".to_owned()), ..own("orders") }).unwrap();
        assert!(!text.contains("zone:"), "{text}");
    }
}
