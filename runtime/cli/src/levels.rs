//! How much rules weigh for one run: `--deny`, `--warn` and `--allow`, of which the last wins.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use spec::codes::{self, Kind};
use spec::mesh::Level;
use spec::{Code, Diagnostics, Severity, severity};

/// What was said on the command line, in its order.
#[derive(Clone, Debug, Default)]
pub struct Levels(Vec<Choice>);

#[derive(Clone, Copy, Debug)]
struct Choice {
    what: What,
    level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Rule(Code),
    /// Whatever would be a warning.
    Warnings,
}

impl Levels {
    /// Weighs findings: by the mesh's own levels, unless the command line says otherwise.
    pub(crate) fn weigh(&self, mut levels: severity::Levels, found: Diagnostics) -> Diagnostics {
        let mut named: BTreeSet<Code> = BTreeSet::new();
        let mut deny_warnings = false;
        for choice in &self.0 {
            match choice.what {
                What::Rule(code) => {
                    levels.insert(code, choice.level);
                    named.insert(code);
                }
                What::Warnings => {
                    named.clear();
                    deny_warnings = true;
                }
            }
        }
        let mut weighed: Vec<_> = severity::apply(&levels, found).into_iter().collect();
        for finding in &mut weighed {
            if deny_warnings && finding.severity == Severity::Warning && !named.contains(&finding.code) {
                finding.severity = Severity::Error;
            }
        }
        weighed.into_iter().collect()
    }
}

const OPTIONS: [(&str, Level); 3] = [("deny", Level::Error), ("warn", Level::Warning), ("allow", Level::Off)];

// By hand: what clap derives forgets the order of different options.
impl Args for Levels {
    fn augment_args(command: Command) -> Command {
        let option = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name("RULE").action(ArgAction::Append).help(help)
        };
        command
            .arg(
                option("deny", "Make a rule's findings errors; `warnings` for whatever is a warning")
                    .value_parser(denied),
            )
            .arg(option("warn", "Make a rule's findings warnings").value_parser(rule))
            .arg(option("allow", "Do not report a rule's findings").value_parser(rule))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Levels {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut choices: Vec<(usize, Choice)> = Vec::new();
        for (name, level) in OPTIONS {
            let places = matches.indices_of(name).into_iter().flatten();
            let whats = matches.get_many::<What>(name).into_iter().flatten();
            choices.extend(places.zip(whats).map(|(place, what)| (place, Choice { what: *what, level })));
        }
        choices.sort_by_key(|(place, _)| *place);
        Ok(Self(choices.into_iter().map(|(_, choice)| choice).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

fn denied(written: &str) -> Result<What, String> {
    if written == "warnings" { Ok(What::Warnings) } else { known(written).map(What::Rule) }
}

fn rule(written: &str) -> Result<What, String> {
    let code = known(written)?;
    match code.kind {
        Kind::Fault => Err(format!("`{}` is a fault, which stays what it is", code.slug)),
        Kind::Rule(_) => Ok(What::Rule(code)),
    }
}

/// The code of this name, or what was meant by it.
pub(crate) fn known(written: &str) -> Result<Code, String> {
    codes::find(written).ok_or_else(|| {
        let unknown = format!("no rule is called `{}`", spec::diagnostic::quote(written));
        match severity::suggestion(written) {
            Some(close) => format!("{unknown}; did you mean `{close}`?"),
            None => format!("{unknown}; `meshwright rule` lists all of them"),
        }
    })
}
