//! What may be told of an error that a client reports. Envoy repeats whole resources in it, secrets and all, so nothing is
//! told but what cannot be a secret: words that such messages are made of, and names that were sent anyway.

/// Longest text that is kept, in bytes.
const LENGTH: usize = 300;
/// How much of a message is read, in characters.
const READ: usize = 4096;

/// Everything else becomes `…`. What follows the beginning of an object, or a line's end, is repeated content.
pub(super) fn error(message: &str, is_known: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let end = message.char_indices().nth(READ).map_or(message.len(), |(place, _)| place);
    let said = message[..end].split(['{', '\n']).next().unwrap_or_default();
    for token in said.split_whitespace() {
        let safe = token.split(['/', '=', ':']).all(|part| {
            let core = part.trim_matches(is_punctuation);
            core.is_empty() || is_known(core) || is_word(core)
        });
        let token = if safe || is_known(token.trim_matches(is_punctuation)) { token } else { "…" };
        if token == "…" && text.ends_with('…') {
            continue;
        }
        if text.len() + token.len() > LENGTH {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token);
    }
    if said.len() < message.len() && !text.ends_with('…') {
        text.push_str(if text.is_empty() { "…" } else { " …" });
    }
    text
}

fn is_punctuation(character: char) -> bool {
    matches!(character, '(' | ')' | '[' | ']' | ',' | '.' | ':' | ';' | '\'' | '"' | '|' | '<' | '>' | '-' | '`')
}

/// A word of the trade: an English word of such messages, a short number, the name of a message or of a rule that it broke.
fn is_word(core: &str) -> bool {
    let letters = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.'));
    let short_number = core.len() <= 3 && core.chars().all(|it| it.is_ascii_digit());
    let of_validation = core.split_once("ValidationError.").is_some_and(|(message, field)| {
        core.len() <= 100 && letters(message) && letters(field) && field.starts_with(|it: char| it.is_ascii_uppercase())
    });
    let of_envoy = core.len() <= 100
        && letters(core)
        && ["envoy.config.", "envoy.extensions.", "envoy.filters.", "envoy.service.", "envoy.type."]
            .iter()
            .any(|it| core.starts_with(it));
    let plain = core.strip_suffix("(s").unwrap_or(core).to_ascii_lowercase();
    short_number || of_validation || of_envoy || WORDS.split_whitespace().any(|word| word == plain)
}

/// Of the messages of Envoy and gRPC, in lower case.
const WORDS: &str = "
    a able access activate active actual add added adding address addresses after ahead algorithm all allow allowed already
    also an and any apply are argument as assignment at attempt authority authorization base be because before between bind
    bool both bucket buffer by bytes ca can cannot cannot cause caused cds certificate chain chains characters check child
    circuit client cluster clusters code config configuration configured configs conflict conflicting connect connection
    constraint contain contains could couldn't create creating creation crl cyclic default defined deprecated destination
    did didn't different direct discovery dns do does doesn't domain domains doubled duplicate duplicated duration dynamic
    each ecds eds either element embedded empty endpoint endpoints entries entry enum envoy equal error errors exactly exceed
    exceeded exceeds exception exist existing exists expected expecting expired extension fail failed failure fallback false
    fetch field fields file filter filters for format found from full grpc had handler has have header headers health host
    http hash hashed id ignored illegal implementation in incomplete initial initialize inline inside instance int integer
    internal invalid invalid_argument io ip is issuer it item items json jwt key keys large last lb lb_policy lds least length less limit limits
    list listener listeners load loaded loading local locality longer malformed map mandatory match matcher matches matching
    max maximum may message messages method min minimum mismatch missing mode more most multiple must name named names needed
    negative neither no node non none not not_found null number object of on one only open operator option optional or order
    other out outside overflow override parse parsed parser parsing path pattern percent permission permitted per plugin
    policy port prefix present priority private program proto protobuf protocol provided proxy query range rate rds reached
    read reason received redirect reference refused regex registered rejected remove removed repeated repetition request
    require required requires reserved resource resources response retry root route router routes rule runtime rejecting
    same schema scheme sds secret secrets seconds section server service set should single size socket some specified specifier
    status stream string subset such support supported syntax target tcp than that the their there this time timeout tls to
    token too transport trusted true type types unable unexpected unique unknown unmatched unrecognized unresolved unset
    unsupported until update updates updated updating uri url use used using valid validate validated validating validation
    value values vary version vhds via violated virtual vm wasm was weight weights when where which wildcard with within without
    would write wrong xds zero zone";

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(message: &str, expect: Expect) {
        let text = super::error(message, |name| ["beta.svc", "front", "outbound:80"].contains(&name));
        assert!(text.len() <= super::LENGTH + " …".len(), "{text}");
        expect.assert_eq(&text);
    }

    #[test]
    fn says_what_is_wrong_with_which_resource() {
        check(
            "Error adding/updating cluster(s) beta.svc: Proto constraint validation failed \
             (ClusterValidationError.LbPolicy: value must not be in list [7])",
            expect![
                "Error adding/updating cluster(s) beta.svc: Proto constraint validation failed (ClusterValidationError.LbPolicy: value must not be in list [7])"
            ],
        );
        check(
            "Error adding/updating listener(s) front: route: unknown cluster 'beta.svc'",
            expect!["Error adding/updating listener(s) front: route: unknown cluster 'beta.svc'"],
        );
        check(
            "Unexpected EDS cluster (expecting beta.svc): other.svc",
            expect!["Unexpected EDS cluster (expecting beta.svc): …"],
        );
        check(
            "Error adding/updating listener(s) front: error adding listener: 'front' has duplicate address \
             '0.0.0.0:80' as existing listener",
            expect![
                "Error adding/updating listener(s) front: error adding listener: 'front' has duplicate address … as existing listener"
            ],
        );
        check("no argument for repetition operator: ++", expect!["no argument for repetition operator: …"]);
        check(
            "errors validating CDS resource: [field:lb_policy error:LB policy is not supported]",
            expect!["errors validating CDS resource: [field:lb_policy error:LB policy is not supported]"],
        );
    }

    #[test]
    fn never_repeats_what_a_resource_holds() {
        check(
            "Proto constraint validation failed (BasicAuthValidationError.Users: embedded message failed validation | \
             caused by field: inline_string, reason: value hunter2:{SHA}2kuSN7rMzfGcB2DKt67EqDWQELA=): users { \
             inline_string: \"alice:{SHA}2kuSN7rMzfGcB2DKt67EqDWQELA=\" }",
            expect![
                "Proto constraint validation failed (BasicAuthValidationError.Users: embedded message failed validation | caused by field: … reason: value …"
            ],
        );
        check(
            "Proto constraint validation failed (field: value: alice:$2y$10$Zk0ZjZ0cQ5o4Jcc3q8bZbO value: correcthorse)",
            expect!["Proto constraint validation failed (field: value: … value: …"],
        );
        check(
            "Error adding/updating listener(s) front: Unable to parse JSON as proto (INVALID_ARGUMENT: invalid name \
             token): \"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\"",
            expect![
                "Error adding/updating listener(s) front: Unable to parse JSON as proto (INVALID_ARGUMENT: invalid name token): … PRIVATE KEY----- …"
            ],
        );
        check("bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln token=abc123 key=/etc/ssl/key.pem", expect!["…"]);
        check("4711 815 1234567890", expect!["… 815 …"]);
    }

    #[test]
    fn any_text_becomes_a_short_one() {
        check("", expect![[""]]);
        check("\n", expect!["…"]);
        check(
            &"cluster ".repeat(10_000),
            expect![
                "cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster cluster …"
            ],
        );
        check(&"x".repeat(100_000), expect!["…"]);
        check("\u{202e}\0\u{1b}[31m front", expect!["… front"]);
    }
}
