//! A loaded model, and text of a given number of tokens for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use candle_core_of_kalosm::Device;
use edgeprof_protocol::{EngineError, StepError};
use kalosm_llama::prelude::{CreateTextCompletionSession, Llama, LlamaSession, LlamaSource, TextCompletionModel};
use kalosm_model_types::FileSource;
use tokio::runtime::{Builder, Runtime};

use crate::answer::FixedAnswer;
use crate::model_file::ModelFacts;

/// A word that byte-level vocabularies of English models have as one token, with the space before it.
const WORD: &str = " a";

/// A model in Kalosm, which computes in a thread of its own.
pub struct Model {
    llama: Llama,
    runtime: Runtime,
    word: u32,
    stop: u32,
    stop_text: String,
}

impl Model {
    /// Load a GGUF file. The error leaves its path to the caller.
    pub fn load(path: &str, facts: ModelFacts) -> Result<Self, EngineError> {
        let runtime = Builder::new_current_thread()
            .build()
            .map_err(|error| EngineError::new(format!("Kalosm's runtime cannot start: {error}")))?;
        let source = LlamaSource::new(FileSource::local(path.into()));
        let builder = Llama::builder().with_source(source).with_device(Device::Cpu);
        let llama = runtime
            .block_on(builder.build_with_loading_handler(|_| {}))
            .map_err(|error| EngineError::new(format!("Kalosm cannot load it: {error}")))?;
        let &[word] = &encode(&llama, WORD)?[..] else {
            return Err(EngineError::new(format!(
                "its vocabulary has no token for {WORD:?}, of which prompts are made"
            )));
        };
        Ok(Self { llama, runtime, word, stop: facts.stop_token, stop_text: facts.stop_text })
    }

    /// A session without context.
    pub fn new_session(&self) -> Result<LlamaSession, EngineError> {
        self.llama.new_session().map_err(|error| failed(&error))
    }

    /// A text of `count` tokens.
    pub fn text(&self, count: usize) -> Result<String, EngineError> {
        self.checked(WORD.repeat(count), count)
    }

    /// The text of an answer of `count` tokens, at least one: the last is the stop token.
    pub fn answer_text(&self, count: usize) -> Result<String, EngineError> {
        self.checked(WORD.repeat(count - 1) + &self.stop_text, count)
    }

    fn checked(&self, text: String, count: usize) -> Result<String, EngineError> {
        let tokens = encode(&self.llama, &text)?.len();
        if tokens == count {
            return Ok(text);
        }
        Err(EngineError::new(format!("Kalosm's tokenizer makes {tokens} tokens of what should be {count} of them")))
    }

    /// Feed a text to a session, and have the model answer with `tokens` tokens.
    ///
    /// `on_token` is called with the time at which each was there, the first when the text has been processed. On
    /// return the session holds text and answer. An error of `on_token` ends the answer early, and is returned.
    pub fn converse(
        &self,
        session: &mut LlamaSession,
        text: &str,
        tokens: usize,
        mut on_token: impl FnMut(u64) -> Result<(), StepError>,
    ) -> Result<(), StepError> {
        let (times, told) = mpsc::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let (word, stop) = (self.word, self.stop);
        let answer = FixedAnswer { word, stop, tokens, times, cancelled: Arc::clone(&cancelled), given: None };
        thread::scope(|scope| {
            let generating = scope.spawn(|| {
                self.runtime.block_on(self.llama.stream_text_with_callback(session, text, answer, |_| Ok(())))
            });
            let heard = told.into_iter().try_for_each(&mut on_token);
            cancelled.store(heard.is_err(), Ordering::Relaxed);
            let generated = generating.join().expect("the thread only waits for Kalosm's own");
            heard.and(generated.map_err(|error| failed(&error).into()))
        })
    }
}

fn failed(error: &impl std::error::Error) -> EngineError {
    EngineError::new(format!("Kalosm failed: {error}"))
}

fn encode(llama: &Llama, text: &str) -> Result<Vec<u32>, EngineError> {
    let encoding = llama.tokenizer().encode(text, false);
    let encoding = encoding.map_err(|error| EngineError::new(format!("Kalosm's tokenizer failed: {error}")))?;
    Ok(encoding.get_ids().to_vec())
}
