//! Users with their passwords, their groups, and what rules ask of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use policy::{
    BasicAuthRule, BasicAuthUser, HtpasswdErrorKind, HtpasswdUser, InvalidPasswordHash, parse_groups, parse_htpasswd,
};
use spec::mesh::{BasicAuth, Engine, PasswordAccess, PasswordPath, PasswordRule};
use spec::suggest::closest;
use spec::{Diagnostic, Diagnostics, FileId, Name, Sources, Spanned, codes};

use super::line_span;
use crate::checked;

/// A worker that stops for longer is felt by everybody whose requests it carries.
const LONG: Duration = Duration::from_millis(50);
const FAILURE_BUDGET: Duration = Duration::from_millis(100);

/// Groups by their names.
type Groups = BTreeMap<String, BTreeSet<String>>;

/// Every line that cannot be used is named by its number; its text is not shown. A file that could not be read was
/// reported when it was loaded.
pub(in crate::check) fn resolve(
    auth: &BasicAuth,
    mesh: &Name,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> checked::BasicAuth {
    let known = users(auth, sources, diagnostics);
    let names: BTreeSet<&str> = known.iter().map(|user| user.name.as_str()).collect();
    let groups = groups(auth, &names, sources, diagnostics);
    let of = |user: &str| -> Vec<String> {
        let in_it = groups.iter().filter(|(_, users)| users.contains(user));
        in_it.map(|(name, _)| name.clone()).collect()
    };
    let rules = auth.rules.iter().map(|said| rule(said, &groups, &names, diagnostics)).collect();
    let users = known
        .iter()
        .map(|user| BasicAuthUser { name: user.name.clone(), hash: user.hash.clone(), groups: of(&user.name) })
        .collect();
    checked::BasicAuth {
        realm: auth.realm.as_ref().map_or_else(|| mesh.to_string(), |realm| realm.value.clone()),
        users,
        rules,
        forward_user_header: auth.forward_user_header.as_ref().map(|header| header.value.to_ascii_lowercase()),
        hide: auth.hide.is_some_and(|hide| hide.value),
        preflight: auth.preflight.is_some_and(|preflight| preflight.value),
        failure_budget: auth.failure_budget.map_or(FAILURE_BUDGET, |budget| budget.value),
        engine: auth.engine.as_ref().map(|engine| engine.value).unwrap_or_default(),
    }
}

fn users(auth: &BasicAuth, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<HtpasswdUser> {
    let Some((file, text)) = read(&auth.htpasswd_file, sources) else {
        let message = format!("the credentials in `{}` have not been read", auth.htpasswd_file.value);
        diagnostics.push(
            Diagnostic::error(codes::UNREADABLE_FILE, auth.htpasswd_file.span, message)
                .help("put the file beside the mesh, or correct `htpasswd-file`"),
        );
        return Vec::new();
    };
    let (users, errors) = parse_htpasswd(text);
    for error in errors {
        diagnostics.push(
            Diagnostic::error(codes::HTPASSWD, line_span(file, text, error.line), error.to_string())
                .related(auth.htpasswd_file.span, "the file is named here")
                .help(help(&error.kind)),
        );
    }
    native(auth, &users, diagnostics);
    slow(auth, &users, file, text, diagnostics);
    users
}

fn help(kind: &HtpasswdErrorKind) -> &'static str {
    match kind {
        HtpasswdErrorKind::Duplicate { .. } => "delete one of the two lines",
        HtpasswdErrorKind::Hash {
            reason: InvalidPasswordHash::TooSlow(_) | InvalidPasswordHash::TooLarge(_), ..
        } => "hash the password anew with lower parameters, as `htpasswd -B -C 8` does",
        HtpasswdErrorKind::Hash { .. } => "hash the password anew, as `htpasswd -B -C 8` does",
        HtpasswdErrorKind::Empty
        | HtpasswdErrorKind::NoColon
        | HtpasswdErrorKind::EmptyName
        | HtpasswdErrorKind::ControlCharacter => "write `USER:HASH`, as `htpasswd -B -C 8` does",
    }
}

/// Envoy's own filter refuses the whole file for a hash that it does not know, and has no other settings than these.
fn native(auth: &BasicAuth, users: &[HtpasswdUser], diagnostics: &mut Diagnostics) {
    let Some(native) = auth.engine.as_ref().filter(|engine| engine.value == Engine::Native) else { return };
    if let Some(user) = users.iter().find(|user| user.hash.format() != "{SHA}") {
        let message = format!(
            "the hash of `{}` is in the format {}, and `native` knows `{{SHA}}` only",
            user.name,
            user.hash.format()
        );
        diagnostics.push(
            Diagnostic::error(codes::HTPASSWD, native.span, message)
                .label("Envoy's own filter refuses the file")
                .help("leave `engine` out, or write the hashes anew with `htpasswd -s`"),
        );
    }
    let set = [
        ("rule", auth.rules.first().map(|rule| rule.access.span)),
        ("group", auth.groups.first().map(|group| group.name.span)),
        ("groups-file", auth.groups_file.as_ref().map(|file| file.span)),
        ("hide", auth.hide.filter(|hide| hide.value).map(|hide| hide.span)),
        ("preflight", auth.preflight.filter(|preflight| preflight.value).map(|preflight| preflight.span)),
        ("failure-budget", auth.failure_budget.map(|budget| budget.span)),
    ];
    for (key, span) in set.into_iter().filter_map(|(key, span)| Some((key, span?))) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, span, format!("`native` cannot check passwords with `{key}`"))
                .label("Envoy's own filter knows nothing of it")
                .related(native.span, "it is asked for here")
                .help(format!("leave `engine` out, or `{key}`")),
        );
    }
}

/// The slowest hash is named, the others are counted.
fn slow(auth: &BasicAuth, users: &[HtpasswdUser], file: FileId, text: &str, diagnostics: &mut Diagnostics) {
    let cost = |user: &HtpasswdUser| Duration::from_micros(user.hash.check_micros().into());
    let slow: Vec<_> = users.iter().filter(|user| cost(user) > LONG).collect();
    let Some(slowest) = slow.iter().max_by_key(|user| (cost(user), user.line)) else { return };
    let others = match slow.len().saturating_sub(1) {
        0 => String::new(),
        1 => format!(", and another for more than {} ms", LONG.as_millis()),
        several => format!(", and {several} others for more than {} ms", LONG.as_millis()),
    };
    let message = format!(
        "line {}: checking the password of `{}` stops a worker for about {} ms{others}",
        slowest.line,
        slowest.name,
        cost(slowest).as_millis()
    );
    diagnostics.push(
        Diagnostic::of(codes::SLOW_PASSWORD_HASH, line_span(file, text, slowest.line), message)
            .related(auth.htpasswd_file.span, "the file is named here")
            .help("hash long random passwords anew with `htpasswd -B -C 8`: about 30 ms, once for each worker"),
    );
}

/// Of the file and of the mesh, without users who are not there.
fn groups(auth: &BasicAuth, users: &BTreeSet<&str>, sources: &Sources, diagnostics: &mut Diagnostics) -> Groups {
    let mut groups = Groups::new();
    if let Some((named, (file, text))) = auth.groups_file.as_ref().and_then(|it| Some((it, read(it, sources)?))) {
        let (lines, errors) = parse_groups(text);
        let mut refuse = |line: usize, message: String, help: String| {
            diagnostics.push(
                Diagnostic::error(codes::USER_GROUPS, line_span(file, text, line), message)
                    .related(named.span, "the file is named here")
                    .help(help),
            );
        };
        for error in errors {
            refuse(error.line, error.to_string(), "write `GROUP: USER USER`".to_owned());
        }
        for line in lines {
            let group = groups.entry(line.name.clone()).or_default();
            for user in line.users {
                if users.contains(user.as_str()) {
                    group.insert(user);
                } else {
                    let message =
                        format!("line {}: group `{}` has a user `{user}` without a password", line.line, line.name);
                    refuse(line.line, message, unknown(&user, users));
                }
            }
        }
    }
    for said in &auth.groups {
        let group = groups.entry(said.name.value.clone()).or_default();
        for user in &said.users {
            if is_user(user, users, diagnostics) {
                group.insert(user.value.clone());
            }
        }
    }
    groups
}

fn rule(said: &PasswordRule, groups: &Groups, users: &BTreeSet<&str>, diagnostics: &mut Diagnostics) -> BasicAuthRule {
    for group in said.groups.iter().filter(|group| !groups.contains_key(&group.value)) {
        let names: BTreeSet<&str> = groups.keys().map(String::as_str).collect();
        diagnostics.push(
            Diagnostic::error(codes::USER_GROUPS, group.span, format!("no group is called `{}`", group.value)).help(
                match closest(&group.value, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("write `group \"{}\" {{ user \"…\"; }}`, or correct the name", group.value),
                },
            ),
        );
    }
    for user in &said.users {
        is_user(user, users, diagnostics);
    }
    let values = |list: &[Spanned<String>]| list.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
    let (path, path_prefix) = match said.path.as_ref().map(|path| &path.value) {
        Some(PasswordPath::Exact(path)) => (Some(path.clone()), None),
        Some(PasswordPath::Prefix(prefix)) => (None, Some(prefix.clone())),
        None => (None, None),
    };
    BasicAuthRule {
        hosts: said.hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        path,
        path_prefix,
        methods: said.methods.iter().map(|method| method.value.to_string()).collect(),
        public: said.access.value == PasswordAccess::Public,
        groups: values(&said.groups),
        users: values(&said.users),
    }
}

fn is_user(user: &Spanned<String>, users: &BTreeSet<&str>, diagnostics: &mut Diagnostics) -> bool {
    // Without any user the file is at fault, and says so.
    let known = users.is_empty() || users.contains(user.value.as_str());
    if !known {
        let message = format!("no user with a password is called `{}`", user.value);
        diagnostics.push(Diagnostic::error(codes::USER_GROUPS, user.span, message).help(unknown(&user.value, users)));
    }
    known
}

fn unknown(user: &str, users: &BTreeSet<&str>) -> String {
    match closest(user, users.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "give the user a line in the htpasswd file, or correct the name".to_owned(),
    }
}

fn read<'s>(named: &Spanned<String>, sources: &'s Sources) -> Option<(FileId, &'s str)> {
    let named_by = sources.file(named.span.file).map_or("", |file| file.name.as_str());
    let (file, source) = sources.find(&spec::load::resolved(named_by, &named.value))?;
    Some((file, &source.text))
}
