//! What a shop registers, as people do: each family describes itself in another vocabulary.

use serde_json::Value;

/// bent's labels, on Fargate, with a sidecar.
pub const ORDERS: &str = include_str!("definitions/orders.json");
/// Our labels, on Fargate, with a sidecar and a health check.
pub const PAYMENTS: &str = include_str!("definitions/payments.json");
/// nightjar's tags, on EC2 with ephemeral ports, without a sidecar.
pub const CATALOG: &str = include_str!("definitions/catalog.json");
/// Our labels and nothing more, with a sidecar: no Envoy asks whether it lives, as with bent's labels all do, and nothing is
/// tried again.
pub const STOCK: &str = include_str!("definitions/stock.json");
/// The same without a sidecar: callers dial its application.
pub const DIRECT: &str = include_str!("definitions/direct.json");
/// Our labels: it calls all of the others.
pub const WEB: &str = include_str!("definitions/web.json");

/// What callers call it: nightjar's services are reached through their namespace, by path.
pub const CATALOG_SERVICE: &str = "shop";

pub const ALL: [&str; 4] = [WEB, ORDERS, PAYMENTS, CATALOG];

/// # Errors
///
/// It is no JSON, which a test would notice.
pub fn json(text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(text)?)
}
