//! How each kind of step is done with sessions that take text.

use edgeprof_protocol::{EngineError, Recorder, Step, StepError, StepKind};
use kalosm_llama::prelude::LlamaSession;

use crate::model::Model;
use crate::options::SessionUse;

/// Run a step.
pub fn run_step(model: &Model, session_use: SessionUse, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    match (step.kind, session_use) {
        (StepKind::Prefill, _) => prefill(model, step, recorder),
        (StepKind::Decode, _) => decode(model, step, recorder),
        (StepKind::Chat, SessionUse::Keep) => chat_in_one_session(model, step, recorder),
        (StepKind::Chat, SessionUse::Rebuild) => chat_in_new_sessions(model, step, recorder),
    }
}

/// A session of `depth_tokens` tokens, the last of which ends an answer.
fn session_of(model: &Model, depth_tokens: usize) -> Result<LlamaSession, StepError> {
    let mut session = model.new_session()?;
    match depth_tokens {
        0 => {}
        1 => {
            return Err(EngineError::new("Kalosm's shortest context is of 2 tokens: take another depth_tokens").into());
        }
        _ => model.converse(&mut session, &model.text(depth_tokens - 1)?, 1, |_| Ok(()))?,
    }
    Ok(session)
}

fn prefill(model: &Model, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    let mut session = session_of(model, step.depth_tokens)?;
    let prompt = model.text(step.prompt_tokens)?;
    recorder.check()?;
    recorder.begin(step.prompt_tokens, 0, step.depth_tokens);
    model.converse(&mut session, &prompt, 1, |time_ns| {
        recorder.prefill_end_at(time_ns);
        Ok(())
    })?;
    recorder.end();
    Ok(())
}

/// Kalosm decodes in answer to a text alone: this is the context, at least one token of it, and the clock starts when
/// it has been processed.
fn decode(model: &Model, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    let depth_tokens = step.depth_tokens.max(1);
    let mut begun = false;
    let mut session = model.new_session()?;
    model.converse(&mut session, &model.text(depth_tokens)?, step.decode_tokens + 1, |time_ns| {
        if begun {
            return recorder.token_at(time_ns);
        }
        begun = true;
        recorder.begin_at(time_ns, 0, 0, depth_tokens);
        recorder.check()
    })?;
    recorder.end();
    Ok(())
}

/// Each turn feeds its new text to the session that holds the conversation.
fn chat_in_one_session(model: &Model, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    let mut session = session_of(model, step.depth_tokens)?;
    for turn in 0..step.turns {
        let reused_tokens = turn * (step.prompt_tokens + step.decode_tokens);
        let prompt = model.text(step.prompt_tokens)?;
        recorder.check()?;
        recorder.begin(reused_tokens + step.prompt_tokens, reused_tokens, step.depth_tokens);
        answer(model, &mut session, &prompt, step.decode_tokens, recorder)?;
    }
    Ok(())
}

/// Each turn feeds the text of the whole conversation so far to a new session.
fn chat_in_new_sessions(model: &Model, step: &Step, recorder: &mut Recorder) -> Result<(), StepError> {
    let mut conversation = model.text(step.depth_tokens)?;
    for turn in 0..step.turns {
        conversation += &model.text(step.prompt_tokens)?;
        let prompt_tokens = step.depth_tokens + turn * (step.prompt_tokens + step.decode_tokens) + step.prompt_tokens;
        recorder.check()?;
        recorder.begin(prompt_tokens, 0, 0);
        let mut session = model.new_session()?;
        answer(model, &mut session, &conversation, step.decode_tokens, recorder)?;
        conversation += &model.answer_text(step.decode_tokens)?;
    }
    Ok(())
}

/// Have the model answer; the first token is there when the prompt has been processed.
fn answer(
    model: &Model,
    session: &mut LlamaSession,
    prompt: &str,
    tokens: usize,
    recorder: &mut Recorder,
) -> Result<(), StepError> {
    let mut processed = false;
    model.converse(session, prompt, tokens, |time_ns| {
        if !processed {
            processed = true;
            recorder.prefill_end_at(time_ns);
        }
        recorder.token_at(time_ns)
    })?;
    recorder.end();
    Ok(())
}
