//! What the control plane says while it works: log lines on standard error, spans for a collector.

use std::fmt;
use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Field;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// What whoever collects spans calls us.
pub const SERVICE: &str = "meshwright-control-plane";
const OURS: &str = "meshwright";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub format: Format,
    /// As `RUST_LOG` has it: `info`, `meshwright_control_plane=debug`.
    pub filter: String,
    /// Where spans go by OTLP over gRPC: `http://127.0.0.1:4317`.
    pub otlp: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    /// An object a line.
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("`{filter}` is no filter of log lines: {error}")]
    Filter { filter: String, error: tracing_subscriber::filter::ParseError },
    #[error("`{url}` is no address of a collector: {error}")]
    Collector { url: String, error: opentelemetry_otlp::ExporterBuildError },
    #[error("log lines go elsewhere already: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Hands out the last spans when it is stopped.
#[derive(Debug, Default)]
pub struct Tracing {
    provider: Option<SdkTracerProvider>,
}

/// For the whole process. With a collector it needs a tokio runtime.
pub fn start(options: &Options) -> Result<Tracing, StartError> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| StartError::Filter { filter: options.filter.clone(), error })?;
    let provider = options.otlp.as_deref().map(provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let ours = Targets::new().with_target(OURS, Level::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE)).with_filter(ours)
    });
    Registry::default().with(spans).with(lines(options.format).with_filter(filter)).try_init()?;
    Ok(Tracing { provider })
}

impl Tracing {
    /// A collector that is away is not waited for long.
    pub fn stop(self) {
        if let Some(provider) = self.provider {
            // What it did not take, nobody takes.
            let _ = provider.shutdown();
        }
    }
}

fn provider(url: &str) -> Result<SdkTracerProvider, StartError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(url).build();
    let exporter = exporter.map_err(|error| StartError::Collector { url: url.to_owned(), error })?;
    let resource = Resource::builder().with_service_name(SERVICE).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

fn lines<S>(format: Format) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        Format::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        Format::Text => {
            layer.with_ansi(std::io::stderr().is_terminal()).fmt_fields(debug_fn(words)).event_format(Line).boxed()
        }
    }
}

/// What machines read is in lines for machines only.
fn words(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        "findings" => Ok(()),
        name => write!(writer, " {name}={value:?}"),
    }
}

/// `2026-01-31T12:00:00.000000Z  INFO published 1f3c…`: time, level, words. Spans are the collector's.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5} ", event.metadata().level())?;
        ctx.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
