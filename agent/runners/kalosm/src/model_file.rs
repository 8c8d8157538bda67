//! What Kalosm does not check of a model file: whether it is there and what it holds.

use std::path::Path;

use candle_core_of_kalosm::quantized::gguf_file::Content;
use edgeprof_protocol::{EngineError, open_gguf};

/// Those of the models that Kalosm offers by name, for which it has a sampler, a tokenizer and the right rotation.
const KNOWN: [&str; 3] = ["llama", "qwen2", "phi3"];

/// What the header of a model's file says.
pub struct ModelFacts {
    /// The longest context, in tokens.
    pub context_tokens: usize,
    /// The token that ends an answer.
    pub stop_token: u32,
    /// Its text.
    pub stop_text: String,
}

/// Read the header of a model that Kalosm can run. The error leaves the model's path to the caller.
pub fn read_facts(path: &str) -> Result<ModelFacts, EngineError> {
    let content = read_header(path)?;
    let value = |key: &str| {
        content.metadata.get(key).ok_or_else(|| EngineError::new(format!("its header has no value '{key}'")))
    };
    let architecture = value("general.architecture")?.to_string().map_err(|error| cannot_load(&error))?;
    if !KNOWN.contains(&architecture.as_str()) {
        return Err(EngineError::new(format!(
            "this runner of Kalosm does not know the architecture '{architecture}'; it runs {}",
            KNOWN.join(", ")
        )));
    }
    let number = |key: &str| value(key)?.to_u32().map_err(|error| cannot_load(&error));
    let stop_token = number("tokenizer.ggml.eos_token_id")?;
    let tokens = value("tokenizer.ggml.tokens")?.to_vec().map_err(|error| cannot_load(&error))?;
    let stop_text = tokens.get(stop_token as usize).and_then(|text| text.to_string().ok()).cloned();
    Ok(ModelFacts {
        context_tokens: number(&format!("{architecture}.context_length"))? as usize,
        stop_token,
        stop_text: stop_text.ok_or_else(|| EngineError::new("its vocabulary does not have its own stop token"))?,
    })
}

fn read_header(path: &str) -> Result<Content, EngineError> {
    if Path::new(path).extension().is_none_or(|extension| extension != "gguf") {
        return Err(EngineError::new("Kalosm takes files whose names end with .gguf alone: rename it"));
    }
    let mut reader = open_gguf(path)?;
    Content::read(&mut reader).map_err(|error| cannot_load(&error))
}

fn cannot_load(error: &candle_core_of_kalosm::Error) -> EngineError {
    EngineError::new(format!("Kalosm cannot load it: {error}"))
}
