//! What the child says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{OptionDeclaration, StepKind};

/// What an engine can do; `docs/engine-protocol.md` says what each promises.
#[expect(clippy::struct_excessive_bools, reason = "these are the protocol's fields")]
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Capabilities {
    /// It processes exactly the tokens that a step asks for, one call per decoded token.
    pub token_steps: bool,
    /// It can hand out next-token logits.
    pub logits: bool,
    /// How many requests it can decode together.
    pub parallel_sequences: u32,
    /// A later turn of a chat does not process the earlier turns again.
    pub prefix_reuse: bool,
    /// It gives the time of each token, or of each few, and not of all together.
    pub token_times: bool,
    /// The kinds of steps that it runs.
    pub step_kinds: &'static [StepKind],
}

/// What an engine is.
#[derive(Clone, Debug, Serialize)]
pub struct EngineFacts {
    /// Its name.
    pub engine: &'static str,
    /// Its library's version.
    pub version: &'static str,
    /// Back ends and processor features, in the engine's own words.
    pub build: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The options that it knows.
    pub options: Vec<OptionDeclaration>,
}

/// A message, without the id of the command that it answers.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message<'a> {
    /// The first one.
    Hello {
        protocol: u32,
        #[serde(flatten)]
        facts: &'a EngineFacts,
        clock: &'a str,
        monotonic_ns: u64,
    },
    /// A model is loaded.
    Loaded {
        load_seconds: f64,
        page_cache_ratio: Option<f64>,
        options: &'a BTreeMap<&'static str, String>,
        weights_bytes: Option<u64>,
        kv_cache_bytes: Option<u64>,
        compute_bytes: Option<u64>,
    },
    /// A request has begun.
    Request {
        index: u32,
        #[serde(flatten)]
        request: RequestFacts,
    },
    /// Tokens were there.
    Tokens { index: u32, first_event: usize, times_monotonic_ns: &'a [u64] },
    /// A request has ended.
    RequestEnd { index: u32, end_monotonic_ns: u64 },
    /// The command is done.
    Done,
    /// The command was cancelled.
    Cancelled,
    /// The command failed.
    Error { cause: &'a str },
}

/// What is told of a request with its first token times.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct RequestFacts {
    pub prompt_tokens: usize,
    pub reused_tokens: usize,
    pub depth_tokens: usize,
    pub start_monotonic_ns: u64,
    pub prefill_end_monotonic_ns: u64,
}
