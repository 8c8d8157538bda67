//! Models that are a Hugging Face folder: a configuration, and floats in safetensors files.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Error, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, qwen2, qwen3};
use edgeprof_protocol::EngineError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::architecture::{Decoder, KNOWN, boxed};
use crate::model_file::cannot_load;

/// What every configuration has, whatever the architecture.
#[derive(Deserialize)]
struct Common {
    model_type: String,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(alias = "torch_dtype")]
    dtype: String,
    #[serde(alias = "quantization_config")]
    quantization: Option<Value>,
}

/// A folder whose configuration has been read.
pub struct ModelFolder {
    config: Value,
    common: Common,
    dtype: DType,
    files: Vec<PathBuf>,
}

impl ModelFolder {
    /// Read a folder's configuration and find its weights. The error says what is wrong, without the folder's path.
    pub fn open(path: &str) -> std::result::Result<Self, EngineError> {
        let text = fs::read(Path::new(path).join("config.json"))
            .map_err(|error| EngineError::new(format!("its config.json cannot be read: {error}")))?;
        let config: Value = serde_json::from_slice(&text).map_err(|error| not_understood(&error))?;
        let common: Common = serde_json::from_value(config.clone()).map_err(|error| not_understood(&error))?;
        let config = with_what_candle_insists_on(config, &common);
        let dtype = float_type(&common)?;
        let mut files: Vec<PathBuf> = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(|error| EngineError::new(format!("cannot be read: {error}")))?;
        files.retain(|file| file.extension().is_some_and(|end| end == "safetensors"));
        if files.is_empty() {
            return Err(EngineError::new("the folder has no *.safetensors files"));
        }
        files.sort();
        Ok(Self { config, common, dtype, files })
    }

    /// Tokens that the vocabulary has.
    pub fn vocabulary_size(&self) -> usize {
        self.common.vocab_size
    }

    /// The longest context, in tokens: candle computes its rotary positions up to there.
    pub fn longest_context(&self) -> usize {
        self.common.max_position_embeddings
    }

    /// The type of cached keys and values, which is that of the weights.
    pub fn kv_cache_type(&self) -> &'static str {
        self.dtype.as_str()
    }

    /// Read the model's weights onto a device.
    pub fn read_weights(self, device: &Device) -> std::result::Result<Box<dyn Decoder>, EngineError> {
        // SAFETY: the files are the model; who changes them while they are read gets another model.
        let weights = unsafe { VarBuilder::from_mmaped_safetensors(&self.files, self.dtype, device) };
        let weights = weights.map_err(|error| cannot_load(&error))?;
        let decoder: Result<Box<dyn Decoder>> = match self.common.model_type.as_str() {
            "llama" => Llama::read(&configuration::<llama::LlamaConfig>(self.config)?, weights, self.dtype).map(boxed),
            "qwen2" => qwen2::ModelForCausalLM::new(&configuration(self.config)?, weights).map(boxed),
            "qwen3" => qwen3::ModelForCausalLM::new(&configuration(self.config)?, weights).map(boxed),
            unknown => {
                return Err(EngineError::new(format!(
                    "this runner of candle does not know the architecture '{unknown}'; it runs {KNOWN}"
                )));
            }
        };
        decoder.map_err(|error| cannot_load(&error))
    }
}

/// Llama, whose cache candle keeps apart from its weights.
struct Llama {
    weights: llama::Llama,
    cache: llama::Cache,
    empty: llama::Cache,
}

impl Llama {
    fn read(config: &llama::LlamaConfig, weights: VarBuilder, dtype: DType) -> Result<Self> {
        let config = config.clone().into_config(false);
        let empty = llama::Cache::new(true, dtype, &config, weights.device())?;
        Ok(Self { weights: llama::Llama::load(weights, &config)?, cache: empty.clone(), empty })
    }
}

impl Decoder for Llama {
    fn forward(&mut self, tokens: &Tensor, position: usize) -> Result<Tensor> {
        self.weights.forward(tokens, position, &mut self.cache)
    }

    fn clear(&mut self) {
        self.cache = self.empty.clone();
    }
}

/// Fill in what candle's Qwen models ask for and a configuration may leave out. Without a sliding window candle's mask
/// has one all the same (`qwen2.rs`), which is then as wide as the context.
fn with_what_candle_insists_on(mut config: Value, common: &Common) -> Value {
    if let Value::Object(fields) = &mut config {
        if fields.get("use_sliding_window") != Some(&Value::Bool(true)) {
            fields.insert("use_sliding_window".to_owned(), Value::Bool(false));
            fields.insert("sliding_window".to_owned(), common.max_position_embeddings.into());
        }
        fields.entry("max_window_layers").or_insert(Value::from(0));
        fields.entry("attention_bias").or_insert(Value::Bool(false));
        fields.entry("tie_word_embeddings").or_insert(Value::Bool(false));
    }
    config
}

fn float_type(common: &Common) -> std::result::Result<DType, EngineError> {
    if common.quantization.is_some() {
        return Err(EngineError::new("its weights are quantised, and candle reads floats from folders alone"));
    }
    match common.dtype.as_str() {
        "float16" => Ok(DType::F16),
        "bfloat16" => Ok(DType::BF16),
        "float32" => Ok(DType::F32),
        other => Err(EngineError::new(format!("candle reads no weights of the type '{other}'"))),
    }
}

fn configuration<C: DeserializeOwned>(config: Value) -> std::result::Result<C, EngineError> {
    serde_json::from_value(config).map_err(|error| not_understood(&error))
}

fn not_understood(error: &serde_json::Error) -> EngineError {
    cannot_load(&Error::Msg(format!("its config.json: {error}")))
}
