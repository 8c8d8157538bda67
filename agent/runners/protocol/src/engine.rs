//! What an engine has to be.

use std::collections::BTreeMap;
use std::fmt;

use crate::{EngineFacts, LoadRequest, OptionValues, Recorder, Step};

/// Something the engine refuses or fails at. Its text is one line: the cause, then the way out.
#[derive(Debug, PartialEq, Eq)]
pub struct EngineError(String);

impl EngineError {
    /// Make an error of a text, whose lines become one.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for EngineError {}

/// Why a step did not come to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum StepError {
    /// The parent has cancelled it.
    Cancelled,
    /// The engine failed.
    Failed(EngineError),
}

impl From<EngineError> for StepError {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// What an engine says of a model that it has loaded; bytes are `None` where it does not tell.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every option in force, defaults included.
    pub options: BTreeMap<&'static str, String>,
    /// Memory of the weights, in bytes.
    pub weights_bytes: Option<u64>,
    /// Memory of the KV cache, in bytes.
    pub kv_cache_bytes: Option<u64>,
    /// Memory of everything else, in bytes.
    pub compute_bytes: Option<u64>,
}

/// An engine within the child process. One method runs at a time.
pub trait Engine {
    /// What it is.
    fn facts(&self) -> &EngineFacts;

    /// Variables of the environment with which the process must have been started to honour these options.
    ///
    /// Libraries that fix their number of threads at the first use are told so. If one has another value, the
    /// process starts its program afresh, before anything is loaded; parent and pipes stay.
    fn needed_environment(&self, _options: &OptionValues) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Load a model, ready for its first token. Nothing is loaded before.
    fn load(&mut self, request: &LoadRequest, options: &OptionValues) -> Result<Loaded, EngineError>;

    /// Run a step and tell the recorder each request's times.
    fn run(&mut self, step: &Step, recorder: &mut Recorder) -> Result<(), StepError>;

    /// Give the model's memory back, if one is loaded.
    fn unload(&mut self);
}
