//! What the parent asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EngineError;

/// A command as it arrives: what every command has, and the fields of its kind, unread.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Command {
    /// Its kind: `load`, `step`, ...
    #[serde(rename = "command")]
    pub name: String,
    /// Grows from one command to the next.
    pub id: u64,
    /// Everything else.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, Value>,
}

impl Command {
    /// The command that cancels another.
    pub fn cancel(id: u64) -> Self {
        Self { name: "cancel".to_owned(), id, fields: serde_json::Map::new() }
    }

    /// Read the fields of this kind of command.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, EngineError> {
        serde_json::from_value(Value::Object(self.fields.clone()))
            .map_err(|error| EngineError::new(format!("the command '{}' cannot be read: {error}", self.name)))
    }
}

/// The fields of `load`.
#[derive(Debug, Deserialize)]
pub struct LoadRequest {
    /// The model's path.
    pub model_path: String,
    /// Engine options by name, as text.
    pub options: BTreeMap<String, String>,
    /// The context that the steps to come will need at most.
    pub context_tokens: usize,
    /// Chooses the token ids.
    pub seed: u64,
}

/// What kind of work a step is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Process a prompt.
    Prefill,
    /// Process tokens one at a time.
    Decode,
    /// Turns of a prompt and an answer each.
    Chat,
}

/// The fields of `step` and `warm_up`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Step {
    /// The kind of work.
    pub kind: StepKind,
    /// Tokens of the prompt, in a chat of each turn.
    pub prompt_tokens: usize,
    /// Tokens of context that are there before the first request starts.
    pub depth_tokens: usize,
    /// Tokens to decode, in a chat in each turn.
    pub decode_tokens: usize,
    /// Turns of a chat, else 1.
    pub turns: usize,
}

impl StepKind {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Prefill, Self::Decode, Self::Chat];
}

impl Step {
    /// The part of the step that warms up: the whole first prompt, and a few tokens.
    pub(crate) fn warm_up(self) -> Self {
        const DECODE_TOKENS: usize = 4;
        Self { turns: 1, decode_tokens: self.decode_tokens.min(DECODE_TOKENS), ..self }
    }
}
