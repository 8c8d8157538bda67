//! Candle as an engine of the protocol.

use edgeprof_protocol::{
    Capabilities, Engine, EngineError, EngineFacts, LoadRequest, Loaded, OptionValues, Recorder, Step, StepError,
    StepKind, run_step,
};

use crate::device::describe_build;
use crate::model::Model;
use crate::options::{declared_options, needed_environment};

const CANDLE_VERSION: &str = "0.11.1";

/// Candle, with a model or without.
pub struct CandleEngine {
    facts: EngineFacts,
    model: Option<Model>,
}

impl CandleEngine {
    /// Candle without a model.
    pub fn new() -> Self {
        let capabilities = Capabilities {
            token_steps: true,
            logits: false,
            parallel_sequences: 1,
            prefix_reuse: true,
            token_times: true,
            step_kinds: StepKind::ALL,
        };
        let facts = EngineFacts {
            engine: "candle",
            version: CANDLE_VERSION,
            build: describe_build(),
            capabilities,
            options: declared_options(),
        };
        Self { facts, model: None }
    }
}

impl Engine for CandleEngine {
    fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    fn needed_environment(&self, options: &OptionValues) -> Vec<(&'static str, String)> {
        needed_environment(options)
    }

    fn load(&mut self, request: &LoadRequest, options: &OptionValues) -> Result<Loaded, EngineError> {
        let model = Model::load(request, options.choice("device"), options.integer("batch") as usize)
            .map_err(|error| EngineError::new(format!("{}: {error}", request.model_path)))?;
        let mut in_force = options.in_force();
        in_force.extend(["cache_type_k", "cache_type_v"].map(|name| (name, model.kv_cache_type().to_owned())));
        self.model = Some(model);
        // Candle does not tell what memory it takes.
        Ok(Loaded { options: in_force, ..Loaded::default() })
    }

    fn run(&mut self, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
        let model = self.model.as_mut().ok_or_else(|| EngineError::new("no model is loaded"))?;
        run_step(model, step, recorder)
    }

    fn unload(&mut self) {
        self.model = None;
    }
}
