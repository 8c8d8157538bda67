//! Engines that process exactly the tokens they are told to: how each kind of step is done with them.

use crate::{Recorder, Step, StepError, StepKind};

/// A model with a context of tokens, which it extends at the end and cuts back.
///
/// The tokens are fixed: which one stands at a position is [`token_id`](crate::token_id). So a context is known by
/// its length alone, and what it holds already may be kept.
pub trait TokenModel {
    /// Tokens in the context.
    fn context_length(&self) -> usize;

    /// Make the context hold its first `length` tokens: drop the rest, process what is missing.
    ///
    /// `check` may stop it between two calls of the engine; the context is then shorter, but sound.
    fn rewind(&mut self, length: usize, check: Check) -> Result<(), StepError>;

    /// Extend the context by `count` tokens, and return when the device has finished.
    fn process(&mut self, count: usize, check: Check) -> Result<(), StepError>;
}

/// Stops a step that is cancelled.
pub type Check<'a> = &'a mut dyn FnMut() -> Result<(), StepError>;

/// Run a step. The context up to its depth is made ready before any clock is read.
pub fn run_step(model: &mut impl TokenModel, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    model.rewind(step.depth_tokens, &mut || recorder.check())?;
    match step.kind {
        StepKind::Prefill => prefill(model, step, recorder),
        StepKind::Decode => decode(model, step, recorder),
        StepKind::Chat => chat(model, step, recorder),
    }
}

fn prefill(model: &mut impl TokenModel, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    recorder.begin(step.prompt_tokens, 0, step.depth_tokens);
    model.process(step.prompt_tokens, &mut || recorder.check())?;
    recorder.prefill_end();
    recorder.end();
    Ok(())
}

fn decode(model: &mut impl TokenModel, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    recorder.begin(0, 0, step.depth_tokens);
    for _ in 0..step.decode_tokens {
        model.process(1, &mut || recorder.check())?;
        recorder.token()?;
    }
    recorder.end();
    Ok(())
}

/// Each turn's prompt is the conversation so far, which is in the context already, and the new tokens.
///
/// A turn's first token is there when its prompt is processed, each later one when the token before it is. What the
/// last token adds to the context is processed after the turn has ended, as the first thing that the next turn rests
/// on.
fn chat(model: &mut impl TokenModel, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    for turn in 1..=step.turns {
        let reused_tokens = model.context_length() - step.depth_tokens;
        recorder.begin(reused_tokens + step.prompt_tokens, reused_tokens, step.depth_tokens);
        model.process(step.prompt_tokens, &mut || recorder.check())?;
        recorder.prefill_end();
        recorder.token()?;
        for _ in 1..step.decode_tokens {
            model.process(1, &mut || recorder.check())?;
            recorder.token()?;
        }
        recorder.end();
        if turn < step.turns {
            model.process(1, &mut || recorder.check())?;
        }
    }
    Ok(())
}
