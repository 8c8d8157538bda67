//! The architectures that candle runs, as `candle-transformers` implements them, and how GGUF files are read for them.

use candle_core::{Device, Result, Tensor};
use candle_transformers::models::{quantized_llama, quantized_qwen2, quantized_qwen3, qwen2, qwen3};
use edgeprof_protocol::EngineError;

use crate::model_file::{ModelFile, cannot_load};

/// Those that this runner knows, in GGUF files and in folders.
pub const KNOWN: &str = "llama, qwen2, qwen3";

/// The type of cached keys and values of a GGUF file: weights are multiplied into `f32`, whatever their own type, and kept as that.
pub const KV_CACHE_TYPE: &str = "f32";

/// A model with its KV cache, which grows with every call and can be emptied, but not cut back.
pub trait Decoder: Send {
    /// Process tokens that stand at `position` and after; return the logits of the last.
    fn forward(&mut self, tokens: &Tensor, position: usize) -> Result<Tensor>;

    /// Empty the KV cache.
    fn clear(&mut self);
}

macro_rules! decoder {
    ($($model:ty),+) => {$(
        impl Decoder for $model {
            fn forward(&mut self, tokens: &Tensor, position: usize) -> Result<Tensor> {
                Self::forward(self, tokens, position)
            }

            fn clear(&mut self) {
                self.clear_kv_cache();
            }
        }
    )+};
}

decoder!(
    quantized_llama::ModelWeights,
    quantized_qwen2::ModelWeights,
    quantized_qwen3::ModelWeights,
    qwen2::ModelForCausalLM,
    qwen3::ModelForCausalLM
);

/// The longest context of a GGUF file's model, in tokens: candle computes its rotary positions up to there.
pub fn longest_context(file: &ModelFile) -> usize {
    match file.architecture.as_str() {
        "llama" => quantized_llama::MAX_SEQ_LEN,
        _ => file.number("context_length").unwrap_or(usize::MAX),
    }
}

/// Read a GGUF file's weights onto a device.
pub fn read_weights(file: ModelFile, device: &Device) -> std::result::Result<Box<dyn Decoder>, EngineError> {
    let ModelFile { content, mut reader, architecture } = file;
    let decoder: Result<Box<dyn Decoder>> = match architecture.as_str() {
        "llama" => quantized_llama::ModelWeights::from_gguf(content, &mut reader, device).map(boxed),
        "qwen2" => quantized_qwen2::ModelWeights::from_gguf(content, &mut reader, device).map(boxed),
        "qwen3" => quantized_qwen3::ModelWeights::from_gguf(content, &mut reader, device).map(boxed),
        unknown => {
            return Err(EngineError::new(format!(
                "this runner of candle does not know the architecture '{unknown}'; it runs {KNOWN}"
            )));
        }
    };
    decoder.map_err(|error| cannot_load(&error))
}

/// Any model as a decoder.
pub fn boxed<D: Decoder + 'static>(decoder: D) -> Box<dyn Decoder> {
    Box::new(decoder)
}
