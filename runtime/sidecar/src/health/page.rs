//! The endpoint over HTTP, and its client, for images without any other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use local::{Client, Request};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Health;

const ANSWER_WITHIN: Duration = Duration::from_secs(3);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Runs until it is dropped.
pub struct Page {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("cannot listen at {address} for health checks: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}

impl Page {
    pub(crate) async fn start(address: SocketAddr, health: Health) -> Result<Self, HealthError> {
        let failed = |source| HealthError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = Router::new()
            .route("/healthz", get(async || "alive\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(health));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn readyz(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let readiness = health.readiness().await;
    let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{readiness}\n"))
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], health.metrics())
}

/// Asks a sidecar whether it is ready. `Err` says why not.
pub async fn ask(address: SocketAddr, path: &str) -> Result<String, String> {
    let response = Client::new(address).timeout(ANSWER_WITHIN).send(&Request::get(path)).await;
    match response {
        Ok(response) if response.status == 200 => Ok(response.text().trim().to_owned()),
        Ok(response) => Err(response.text().trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
