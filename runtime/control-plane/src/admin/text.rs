//! The pages as text, in columns for people.

use std::fmt::Write as _;

use crate::registry::{State, StreamStatus, TypeRow};
use crate::status::{From, Seconds, Status};

pub(super) fn status(status: &Status, discovery: &[(&'static str, String)], now: Seconds) -> String {
    let mut page = String::new();
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(page, "{name:<10} {}", one_line(text));
    };
    match &status.serving {
        None => line("serving", status.not_ready().unwrap_or_default()),
        Some(serving) => {
            let from = match serving.from {
                From::Compiled => "",
                From::Stored => ", kept from an earlier run",
            };
            line("serving", &format!("{} for {}{from}", short(&serving.digest), ago(serving.since, now)));
            line("proxies", &serving.proxies.to_string());
            line("resources", &serving.resources.to_string());
        }
    }
    line("stale", status.stale.as_deref().unwrap_or("no"));
    if let Some(held) = &status.held {
        let name = held.edit.as_ref().unwrap_or(&held.digest);
        line("held", &format!("{name} for {}: {}", ago(held.since, now), held.reason));
        line("", &format!("to publish it: POST /allow/{name}"));
        if held.edit.is_some() {
            line("", "until then, or until the edit is undone, endpoints stay as they are");
        }
    }
    if let Some(error) = &status.store_error {
        line("store", error);
    }
    if status.tombstones > 0 {
        line("leaving", &format!("{} clusters and endpoints", status.tombstones));
    }
    if let Some(ecs) = status.ecs.as_ref().filter(|ecs| ecs.observed) {
        line("tasks", &format!("{} may get requests", ecs.routable));
        for quarantined in &ecs.quarantined {
            let reason = quarantined.reason.trim_start_matches("left out: ");
            line("left out", &format!("{}: {reason}", quarantined.who));
        }
    }
    for (name, text) in discovery {
        line(name, text);
    }
    if let Some(reconcile) = &status.reconcile {
        let outcome = reconcile.outcome.name();
        line("sources", &format!("{outcome}, {} ago, took {} ms", ago(reconcile.at, now), reconcile.milliseconds));
        for finding in &reconcile.findings {
            let _ = write!(page, "\n{}\n", finding.trim_end());
        }
    }
    page
}

pub(super) fn streams(streams: &[StreamStatus], now: Seconds) -> String {
    let header = ["NODE", "VARIANT", "STATE", "FOR", "AGENT", "PEER", "TYPE", "NAMES", "SENT", "ACKED", "REFUSED"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut errors = String::new();
    for stream in streams {
        let state = match stream.state {
            State::Settled => "settled".to_owned(),
            State::Behind => format!("behind {} ms", stream.behind_milliseconds.unwrap_or_default()),
            State::Refused => "refused".to_owned(),
            State::Unknown => "not in the mesh".to_owned(),
        };
        let first = [
            one_line(&stream.node),
            stream.variant.to_owned(),
            state,
            ago(stream.connected_since, now),
            one_line(&stream.agent),
            stream.peer.clone(),
        ];
        // The client stands in the first row of its types alone.
        let mut first = first.to_vec();
        for of in &stream.types {
            first.resize(6, String::new());
            rows.push(std::mem::take(&mut first).into_iter().chain(row(of)).collect());
            if let Some(error) = &of.error {
                let _ = writeln!(errors, "{} refuses {}: {}", one_line(&stream.node), of.kind, one_line(error));
            }
        }
        if stream.types.is_empty() {
            rows.push(first);
        }
    }
    let mut page = table(&rows);
    let _ = write!(page, "\n{} streams\n", streams.len());
    if !errors.is_empty() {
        let _ = write!(page, "\n{errors}");
    }
    page
}

fn row(of: &TypeRow) -> [String; 5] {
    let names = if of.wildcard { "all".to_owned() } else { of.subscribed.to_string() };
    let version = |version: &Option<String>| version.as_deref().map_or_else(|| "-".to_owned(), short);
    [of.kind.to_owned(), names, version(&of.sent), version(&of.acknowledged), version(&of.refused)]
}

fn table(rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(table, "{}", cells.join("  ").trim_end());
    }
    table
}

/// Of a digest what people compare.
fn short(digest: &str) -> String {
    one_line(digest).chars().take(12).collect()
}

fn ago(since: Seconds, now: Seconds) -> String {
    match now.0.saturating_sub(since.0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

/// Clients choose these texts: no line breaks, nothing that steers a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::status::{Ecs, Held, Outcome, Quarantined, Reconcile, Serving};

    #[track_caller]
    fn check(page: &str, expected: Expect) {
        expected.assert_eq(page);
    }

    fn stream(node: &str, state: State, types: Vec<TypeRow>) -> StreamStatus {
        StreamStatus {
            node: node.to_owned(),
            proxy: node.to_owned(),
            cluster: String::new(),
            agent: "envoy 1.40.0".to_owned(),
            peer: "127.0.0.1:40000".to_owned(),
            variant: "delta",
            connected_since: Seconds(700),
            state,
            behind_milliseconds: None,
            types,
        }
    }

    #[test]
    fn streams_stand_in_columns() {
        let clusters = TypeRow {
            kind: "cds",
            subscribed: 0,
            wildcard: true,
            sent: Some("0123456789abcdef".into()),
            acknowledged: Some("aaaaaaaaaaaaaaaa".into()),
            refused: Some("0123456789abcdef".into()),
            error: Some("no such\nthing".into()),
        };
        let endpoints = TypeRow {
            kind: "eds",
            subscribed: 12,
            wildcard: false,
            sent: Some("b".into()),
            acknowledged: Some("b".into()),
            refused: None,
            error: None,
        };
        let page = streams(
            &[
                stream("alpha~1", State::Refused, vec![clusters, endpoints]),
                stream("stranger\u{1b}[2J", State::Unknown, Vec::new()),
            ],
            Seconds(1000),
        );
        check(
            &page,
            expect![[r#"
                NODE          VARIANT  STATE            FOR    AGENT         PEER             TYPE  NAMES  SENT          ACKED         REFUSED
                alpha~1       delta    refused          5 min  envoy 1.40.0  127.0.0.1:40000  cds   all    0123456789ab  aaaaaaaaaaaa  0123456789ab
                                                                                              eds   12     b             b             -
                stranger?[2J  delta    not in the mesh  5 min  envoy 1.40.0  127.0.0.1:40000

                2 streams

                alpha~1 refuses cds: no such?thing
            "#]],
        );
    }

    #[test]
    fn the_status_of_a_mesh_that_is_held_says_how_to_publish_it() {
        let now = Seconds(1000);
        let page = status(
            &Status {
                serving: Some(Serving {
                    digest: "aaaaaaaaaaaaaaaa".into(),
                    since: now,
                    from: From::Stored,
                    proxies: 3,
                    resources: 40,
                }),
                stale: Some("a newer state is held".into()),
                reconcile: Some(Reconcile {
                    at: now,
                    milliseconds: 12,
                    outcome: Outcome::Held,
                    findings: vec!["warning[unused-service]: nobody calls `beta`\n --> mesh.kdl:3:1".into()],
                }),
                held: Some(Held {
                    digest: "bbbbbbbbbbbbbbbb".into(),
                    edit: None,
                    since: now,
                    reason: "`beta` would be empty".into(),
                }),
                store_error: None,
                tombstones: 2,
                ecs: None,
            },
            &[],
            Seconds(1060),
        );
        check(
            &page,
            expect![[r#"
                serving    aaaaaaaaaaaa for 60 s, kept from an earlier run
                proxies    3
                resources  40
                stale      a newer state is held
                held       bbbbbbbbbbbbbbbb for 60 s: `beta` would be empty
                           to publish it: POST /allow/bbbbbbbbbbbbbbbb
                leaving    2 clusters and endpoints
                sources    held, 60 s ago, took 12 ms

                warning[unused-service]: nobody calls `beta`
                 --> mesh.kdl:3:1
            "#]],
        );
    }

    #[test]
    fn the_status_names_who_is_left_out_and_why_and_what_discovery_says() {
        let quarantined = Quarantined { who: "orders:7".into(), reason: "a weight is no\nnumber".into() };
        let ecs = Some(Ecs { observed: true, routable: 12, quarantined: vec![quarantined] });
        check(
            &status(
                &Status { ecs, ..Status::default() },
                &[("discovery", "read 3 s ago with 7 calls".to_owned())],
                Seconds(0),
            ),
            expect![[r#"
                serving    no complete state of the mesh was loaded or compiled yet
                stale      no
                tasks      12 may get requests
                left out   orders:7: a weight is no?number
                discovery  read 3 s ago with 7 calls
            "#]],
        );
    }

    #[test]
    fn a_control_plane_without_a_mesh_says_so() {
        check(
            &status(&Status::default(), &[], Seconds(0)),
            expect![[r#"
            serving    no complete state of the mesh was loaded or compiled yet
            stale      no
        "#]],
        );
    }
}
