//! A loaded model and its context.

use candle_core::{Device, Tensor};
use edgeprof_protocol::{Check, EngineError, LoadRequest, StepError, TokenModel, token_id};

use crate::architecture::Decoder;
use crate::device::open_device;
use crate::model_file::first_line;
use crate::source::Source;

/// A model, its context, and the tokens that it is fed.
pub struct Model {
    decoder: Box<dyn Decoder>,
    kv_cache_type: &'static str,
    device: Device,
    tokens: Vec<u32>,
    length: usize,
    call_tokens: usize,
}

impl Model {
    /// Load a model; `batch` tokens at most go into one call, all at once if it is 0.
    ///
    /// The error leaves the model's path to the caller.
    pub fn load(request: &LoadRequest, device: &str, batch: usize) -> Result<Self, EngineError> {
        let source = Source::open(&request.model_path)?;
        let vocabulary_size = source.vocabulary_size()?;
        let (longest, wanted) = (source.longest_context(), request.context_tokens);
        if wanted > longest {
            return Err(EngineError::new(format!(
                "the plan needs a context of {wanted} tokens, and candle's longest for this model is {longest}: take \
                 shorter steps"
            )));
        }
        let device = open_device(device)
            .map_err(|error| EngineError::new(format!("candle cannot open the device: {}", first_line(&error))))?;
        let kv_cache_type = source.kv_cache_type();
        let decoder = source.read_weights(&device)?;
        let tokens = (0..wanted).map(|position| token_id(request.seed, position, vocabulary_size)).collect();
        let call_tokens = if batch == 0 { usize::MAX } else { batch };
        Ok(Self { decoder, kv_cache_type, device, tokens, length: 0, call_tokens })
    }

    /// The type of cached keys and values.
    pub fn kv_cache_type(&self) -> &'static str {
        self.kv_cache_type
    }

    /// Process the next `count` tokens in one call, and return the logits of the last.
    ///
    /// On a CPU the call has candle's own threads kept awake, as candle advises for a model's forward pass.
    pub fn forward(&mut self, count: usize) -> Result<Tensor, EngineError> {
        let Self { decoder, device, tokens, length, .. } = self;
        let called = device.with_context(|| {
            let input = Tensor::new(&tokens[*length..*length + count], device)?.unsqueeze(0)?;
            decoder.forward(&input, *length)
        });
        match called {
            Ok(logits) => {
                self.length += count;
                Ok(logits)
            }
            Err(error) => {
                self.forget_context();
                Err(EngineError::new(format!("candle failed: {}", first_line(&error))))
            }
        }
    }

    fn forget_context(&mut self) {
        self.decoder.clear();
        self.length = 0;
    }

    fn synchronize(&self) -> Result<(), EngineError> {
        self.device
            .synchronize()
            .map_err(|error| EngineError::new(format!("candle's device failed: {}", first_line(&error))))
    }
}

impl TokenModel for Model {
    fn context_length(&self) -> usize {
        self.length
    }

    /// Candle's KV caches cannot be cut back, so a context that is too long is processed again from its beginning.
    fn rewind(&mut self, length: usize, check: Check) -> Result<(), StepError> {
        if self.length > length {
            self.forget_context();
        }
        self.process(length - self.length, check)
    }

    fn process(&mut self, count: usize, check: Check) -> Result<(), StepError> {
        let end = self.length + count;
        if end > self.tokens.len() {
            let room = self.tokens.len();
            return Err(EngineError::new(format!(
                "the step needs {end} tokens of context; the model was loaded with {room}"
            ))
            .into());
        }
        while self.length < end {
            self.forward(self.call_tokens.min(end - self.length))?;
            if self.length < end {
                check()?;
            }
        }
        Ok(self.synchronize()?)
    }
}
