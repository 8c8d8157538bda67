//! A GGUF file's header, and errors that name the file.

use std::fs::File;
use std::io::BufReader;

use candle_core::quantized::gguf_file::Content;
use edgeprof_protocol::{EngineError, open_gguf};

/// An open model file, whose header has been read.
pub struct ModelFile {
    /// Metadata and tensor places.
    pub content: Content,
    /// The file itself.
    pub reader: BufReader<File>,
    /// `general.architecture`.
    pub architecture: String,
}

impl ModelFile {
    /// Open a file and read its header. The error says what is wrong with it, without its path.
    pub fn open(path: &str) -> Result<Self, EngineError> {
        let mut reader = open_gguf(path)?;
        let content = Content::read(&mut reader).map_err(|error| cannot_load(&error))?;
        let architecture = content.metadata.get("general.architecture").and_then(|name| name.to_string().ok()).cloned();
        let architecture = architecture.ok_or_else(|| EngineError::new("the file does not name its architecture"))?;
        Ok(Self { content, reader, architecture })
    }

    /// Tokens that the vocabulary has: those that are listed, or else the rows of the embedding.
    pub fn vocabulary_size(&self) -> Result<usize, EngineError> {
        let listed = self.content.metadata.get("tokenizer.ggml.tokens").and_then(|tokens| tokens.to_vec().ok());
        let embedding = self.content.tensor_infos.get("token_embd.weight").map(|tensor| tensor.shape.dims()[0]);
        listed.map(Vec::len).or(embedding).ok_or_else(|| EngineError::new("the file has no vocabulary"))
    }

    /// A number of the architecture's metadata.
    pub fn number(&self, key: &str) -> Option<usize> {
        let value = self.content.metadata.get(&format!("{}.{key}", self.architecture))?;
        value.to_u64().ok().map(|number| number as usize)
    }
}

/// Say that candle cannot load a model, in the first line of its error: more lines are a backtrace.
pub fn cannot_load(error: &candle_core::Error) -> EngineError {
    EngineError::new(format!("candle cannot load it: {}", first_line(error)))
}

/// The first line of candle's error, which prints a backtrace after it where `RUST_BACKTRACE` is set.
pub fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or("it does not say why").to_owned()
}
