//! Where a model is read from: a GGUF file, or a Hugging Face folder.

use std::path::Path;

use candle_core::Device;
use edgeprof_protocol::EngineError;

use crate::architecture::{Decoder, KV_CACHE_TYPE, longest_context, read_weights};
use crate::model_file::ModelFile;
use crate::model_folder::ModelFolder;

/// A model that has been described, and whose weights have not been read.
pub enum Source {
    /// Quantised weights.
    File(ModelFile),
    /// Floats.
    Folder(ModelFolder),
}

impl Source {
    /// Open what is at `path`. The error says what is wrong with it, without the path.
    pub fn open(path: &str) -> Result<Self, EngineError> {
        if Path::new(path).is_dir() {
            ModelFolder::open(path).map(Self::Folder)
        } else {
            ModelFile::open(path).map(Self::File)
        }
    }

    /// Tokens that the vocabulary has.
    pub fn vocabulary_size(&self) -> Result<usize, EngineError> {
        match self {
            Self::File(file) => file.vocabulary_size(),
            Self::Folder(folder) => Ok(folder.vocabulary_size()),
        }
    }

    /// The longest context, in tokens.
    pub fn longest_context(&self) -> usize {
        match self {
            Self::File(file) => longest_context(file),
            Self::Folder(folder) => folder.longest_context(),
        }
    }

    /// The type of cached keys and values.
    pub fn kv_cache_type(&self) -> &'static str {
        match self {
            Self::File(_) => KV_CACHE_TYPE,
            Self::Folder(folder) => folder.kv_cache_type(),
        }
    }

    /// Read the model's weights onto a device.
    pub fn read_weights(self, device: &Device) -> Result<Box<dyn Decoder>, EngineError> {
        match self {
            Self::File(file) => read_weights(file, device),
            Self::Folder(folder) => folder.read_weights(device),
        }
    }
}
