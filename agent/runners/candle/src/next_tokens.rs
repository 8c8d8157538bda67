//! What a model would say next, to compare with other engines.

use std::process::ExitCode;

use candle_core::D;
use edgeprof_protocol::{EngineError, LoadRequest};

use crate::model::Model;
use crate::model_file::first_line;

/// Print the likeliest token after `prompt` fixed tokens, processed in one call, and after each of `count` more.
pub fn print(model: &str, seed: &str, prompt: &str, count: &str) -> ExitCode {
    match next_tokens(model, seed, prompt, count) {
        Ok(tokens) => {
            println!("{}", tokens.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {model}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn next_tokens(path: &str, seed: &str, prompt: &str, count: &str) -> Result<Vec<u32>, EngineError> {
    let [prompt, count] = [read_number(prompt)?, read_number(count)?];
    let request = LoadRequest {
        model_path: path.to_owned(),
        options: [].into(),
        context_tokens: (prompt + count) as usize,
        seed: read_number(seed)?,
    };
    let mut model = Model::load(&request, "cpu", 0)?;
    let mut tokens = vec![likeliest(&mut model, prompt as usize)?];
    for _ in 0..count {
        tokens.push(likeliest(&mut model, 1)?);
    }
    Ok(tokens)
}

fn likeliest(model: &mut Model, count: usize) -> Result<u32, EngineError> {
    let logits = model.forward(count)?;
    let token = logits.flatten_all().and_then(|logits| logits.argmax(D::Minus1)?.to_scalar::<u32>());
    token.map_err(|error| EngineError::new(first_line(&error)))
}

fn read_number(text: &str) -> Result<u64, EngineError> {
    text.parse().map_err(|_| EngineError::new(format!("'{text}' is no whole number")))
}
