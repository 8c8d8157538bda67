//! Kalosm as an engine of the protocol.

use edgeprof_protocol::{
    Capabilities, Engine, EngineError, EngineFacts, LoadRequest, Loaded, OptionValues, Recorder, Step, StepError,
    StepKind,
};

use crate::model::Model;
use crate::model_file::read_facts;
use crate::options::{SessionUse, declared_options, needed_environment, session_use};
use crate::steps::run_step;

const KALOSM_VERSION: &str = "0.4.4";
/// What the steps feed besides what the plan counts: the token that ends an answer that only fills a context.
const SPARE_TOKENS: usize = 2;

/// Kalosm, with a model or without.
pub struct KalosmEngine {
    facts: EngineFacts,
    model: Option<(Model, SessionUse)>,
}

impl KalosmEngine {
    /// Kalosm without a model.
    pub fn new() -> Self {
        let capabilities = Capabilities {
            token_steps: false,
            logits: false,
            parallel_sequences: 1,
            prefix_reuse: true,
            token_times: true,
            step_kinds: StepKind::ALL,
        };
        let facts = EngineFacts {
            engine: "kalosm",
            version: KALOSM_VERSION,
            build: describe_build(),
            capabilities,
            options: declared_options(),
        };
        Self { facts, model: None }
    }
}

impl Engine for KalosmEngine {
    fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    fn needed_environment(&self, options: &OptionValues) -> Vec<(&'static str, String)> {
        needed_environment(options)
    }

    fn load(&mut self, request: &LoadRequest, options: &OptionValues) -> Result<Loaded, EngineError> {
        let path = &request.model_path;
        let model = load_model(path, request.context_tokens);
        let model = model.map_err(|error| EngineError::new(format!("{path}: {error}")))?;
        self.model = Some((model, session_use(options)));
        // Kalosm does not tell what memory it takes.
        Ok(Loaded { options: options.in_force(), ..Loaded::default() })
    }

    fn run(&mut self, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
        let (model, session_use) = self.model.as_ref().ok_or_else(|| EngineError::new("no model is loaded"))?;
        run_step(model, *session_use, step, recorder)
    }

    fn unload(&mut self) {
        self.model = None;
    }
}

/// The candle below, and the processor's features that it was compiled for: this version does not look for them later.
fn describe_build() -> String {
    use candle_core_of_kalosm::utils::{with_avx, with_f16c, with_neon};
    let features = [("avx2", with_avx()), ("f16c", with_f16c()), ("neon", with_neon())];
    let present: Vec<_> = features.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect();
    format!(
        "candle 0.8.4; cpu; {}",
        if present.is_empty() { "no vector instructions".to_owned() } else { present.join(" ") }
    )
}

fn load_model(path: &str, context_tokens: usize) -> Result<Model, EngineError> {
    let facts = read_facts(path)?;
    let wanted = context_tokens + SPARE_TOKENS;
    if wanted > facts.context_tokens {
        return Err(EngineError::new(format!(
            "the plan needs a context of {wanted} tokens, and Kalosm cuts what is over this model's {}: take shorter \
             steps",
            facts.context_tokens
        )));
    }
    Model::load(path, facts)
}
