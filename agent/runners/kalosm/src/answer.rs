//! The answer that a model is made to give.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use edgeprof_protocol::monotonic_ns;
use llm_samplers::types::{HasSamplerResources, Logits, Sampler, TID};

/// Answers with a word again and again, and ends with the model's stop token: an answer of exactly `tokens` tokens.
///
/// Kalosm asks its sampler for a token when it has the logits of the one before, on the CPU: so the time of that
/// question is when the token is there, and all before it has been computed. It is told to `times`. Who sets
/// `cancelled` has the answer end with the next token.
#[derive(Debug)]
pub struct FixedAnswer {
    pub word: TID,
    pub stop: TID,
    pub tokens: usize,
    pub times: Sender<u64>,
    pub cancelled: Arc<AtomicBool>,
    pub given: Option<TID>,
}

impl Sampler for FixedAnswer {
    fn sample<'a>(
        &mut self,
        _resources: &mut dyn HasSamplerResources,
        logits: &'a mut Logits,
    ) -> anyhow::Result<&'a mut Logits> {
        // Nobody listens any more to an answer that is cancelled.
        let _ = self.times.send(monotonic_ns());
        self.tokens = self.tokens.saturating_sub(1);
        let is_last = self.tokens == 0 || self.cancelled.load(Ordering::Relaxed);
        self.given = Some(if is_last { self.stop } else { self.word });
        Ok(logits)
    }

    fn sampled_token_id(&self) -> Option<TID> {
        self.given
    }
}
