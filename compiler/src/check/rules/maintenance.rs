//! Maintenance happens at some time, and who passes it knows a secret.

use policy::sha256;
use spec::mesh::{Maintenance, PassSecret};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.maintenance.as_deref());
    for maintenance in services.chain(mesh.gateways.iter().filter_map(|gateway| gateway.maintenance.as_deref())) {
        times(maintenance, diagnostics);
        let secrets = maintenance.pass_headers.iter().chain(&maintenance.pass_cookies);
        diagnostics.extend(secrets.filter_map(known_to_all));
    }
}

fn times(maintenance: &Maintenance, diagnostics: &mut Diagnostics) {
    for window in &maintenance.windows {
        let (Some(from), Some(until)) = (&window.from, &window.until) else { continue };
        if until.value <= from.value {
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, until.span, "this window is over before it begins")
                    .related(from.span, "it begins here")
                    .help("write a later `until`"),
            );
        }
    }
    for weekly in maintenance.weekly.iter().filter(|weekly| weekly.from.value.minutes() == 24 * 60) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, weekly.from.span, "no window begins at the end of a day")
                .help("write `from=\"00:00\"` and the day after"),
        );
    }
}

/// Secrets that anybody would try.
const KNOWN: [&str; 7] = ["", "true", "1", "on", "yes", "secret", "maintenance"];

fn known_to_all(secret: &PassSecret) -> Option<Diagnostic> {
    let said = secret.sha256.value.to_ascii_lowercase();
    let digest = |text: &str| sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    KNOWN.iter().any(|known| digest(known) == said).then(|| {
        let message = format!("anybody can guess the value of `{}`", secret.name.value);
        Diagnostic::error(codes::INVALID_VALUE, secret.sha256.span, message)
            .label("this is the digest of a word that everybody tries")
            .help("take the digest of a long random value, as `openssl rand -hex 32` makes it")
    })
}
