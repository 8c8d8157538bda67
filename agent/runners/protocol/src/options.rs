//! The options an engine declares, and the reading of those it is given.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::EngineError;

const NEAR_RATIO: f64 = 0.6;

/// What values an option can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// A whole number.
    Integer,
    /// One of some words.
    Choice,
}

/// An option that an engine knows.
#[derive(Clone, Debug, Serialize)]
pub struct OptionDeclaration {
    /// Its name.
    pub name: &'static str,
    /// What values it can have.
    pub kind: OptionKind,
    /// What is in force when it is not given, as a person would write it.
    pub default: String,
    /// One line.
    pub help: &'static str,
    /// The smallest value of an integer.
    pub minimum: Option<i64>,
    /// The words of a choice.
    pub choices: &'static [&'static str],
}

impl OptionDeclaration {
    /// An integer of at least `minimum`.
    pub fn integer(name: &'static str, default: i64, minimum: i64, help: &'static str) -> Self {
        let default = default.to_string();
        Self { name, kind: OptionKind::Integer, default, help, minimum: Some(minimum), choices: &[] }
    }

    /// One of `choices`, the first unless it is given.
    pub fn choice(name: &'static str, choices: &'static [&'static str], help: &'static str) -> Self {
        let default = choices[0].to_owned();
        Self { name, kind: OptionKind::Choice, default, help, minimum: None, choices }
    }

    fn read(&self, text: &str) -> Result<OptionValue, EngineError> {
        let value = match self.kind {
            OptionKind::Choice => self.choices.iter().find(|choice| **choice == text).map(|c| OptionValue::Choice(c)),
            OptionKind::Integer => {
                text.parse().ok().filter(|n| self.minimum.is_none_or(|minimum| *n >= minimum)).map(OptionValue::Integer)
            }
        };
        value.ok_or_else(|| {
            EngineError::new(format!("the option '{}' cannot be '{text}': expected {}", self.name, self.expected()))
        })
    }

    fn expected(&self) -> String {
        match self.minimum {
            _ if self.kind == OptionKind::Choice => format!("one of {}", self.choices.join(", ")),
            Some(minimum) => format!("a whole number, {minimum} or more"),
            None => "a whole number".to_owned(),
        }
    }
}

/// An option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// Of an integer.
    Integer(i64),
    /// Of a choice.
    Choice(&'static str),
}

impl fmt::Display for OptionValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(formatter),
            Self::Choice(word) => word.fmt(formatter),
        }
    }
}

/// A value for every declared option.
#[derive(Clone, Debug)]
pub struct OptionValues(BTreeMap<&'static str, OptionValue>);

impl OptionValues {
    /// The value of an integer option that the engine has declared.
    pub fn integer(&self, name: &str) -> i64 {
        let OptionValue::Integer(number) = self.0[name] else { panic!("'{name}' was not declared as an integer") };
        number
    }

    /// The value of a choice that the engine has declared.
    pub fn choice(&self, name: &str) -> &'static str {
        let OptionValue::Choice(word) = self.0[name] else { panic!("'{name}' was not declared as a choice") };
        word
    }

    /// All values as text, as a person would write them.
    pub fn in_force(&self) -> BTreeMap<&'static str, String> {
        self.0.iter().map(|(name, value)| (*name, value.to_string())).collect()
    }
}

/// Return a value for every declared option: what was given, or else its default.
///
/// It is an error to give an option that is not declared, or a value that it cannot have.
pub fn read_options(
    engine: &str,
    declared: &[OptionDeclaration],
    given: &BTreeMap<String, String>,
) -> Result<OptionValues, EngineError> {
    if let Some(name) = given.keys().find(|name| declared.iter().all(|option| option.name != **name)) {
        return Err(unknown_option(engine, declared, name));
    }
    let read = |option: &OptionDeclaration| {
        let text = given.get(option.name).unwrap_or(&option.default);
        Ok((option.name, option.read(text)?))
    };
    Ok(OptionValues(declared.iter().map(read).collect::<Result<_, EngineError>>()?))
}

fn unknown_option(engine: &str, declared: &[OptionDeclaration], name: &str) -> EngineError {
    let names: Vec<_> = declared.iter().map(|option| option.name).collect();
    let nearness = |known: &str| strsim::normalized_levenshtein(known, name);
    let near = names.iter().copied().max_by(|one, other| nearness(one).total_cmp(&nearness(other)));
    let hint = match near.filter(|near| nearness(near) >= NEAR_RATIO) {
        Some(near) => format!("did you mean '{near}'? It has "),
        None => "it has ".to_owned(),
    };
    EngineError::new(format!("the engine {engine} has no option '{name}'; {hint}{}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{OptionDeclaration, OptionValues, read_options};
    use crate::EngineError;

    fn read(name: &str, value: &str) -> Result<OptionValues, EngineError> {
        let declared = [
            OptionDeclaration::integer("threads", 2, 1, ""),
            OptionDeclaration::choice("device", &["cpu", "cuda"], ""),
        ];
        read_options("test", &declared, &[(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn values_are_read_and_defaults_filled_in() {
        let values = read("device", "cuda").unwrap();
        assert_eq!((values.choice("device"), values.integer("threads")), ("cuda", 2));
        assert_eq!(read("threads", "9").unwrap().in_force()["threads"], "9");
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_with_what_can() {
        for (name, value, cause) in [
            ("thread", "2", "the engine test has no option 'thread'; did you mean 'threads'? It has threads, device"),
            ("xyz", "2", "the engine test has no option 'xyz'; it has threads, device"),
            ("threads", "0", "the option 'threads' cannot be '0': expected a whole number, 1 or more"),
            ("threads", "two", "the option 'threads' cannot be 'two': expected a whole number, 1 or more"),
            ("device", "tpu", "the option 'device' cannot be 'tpu': expected one of cpu, cuda"),
        ] {
            assert_eq!(read(name, value).unwrap_err().to_string(), cause);
        }
    }
}
