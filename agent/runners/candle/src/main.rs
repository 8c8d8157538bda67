//! Candle as an engine of edgeprof.
//!
//! Without arguments it speaks the engine protocol. `edgeprof-candle --next-tokens MODEL SEED PROMPT COUNT` prints the
//! token that the model finds likeliest after PROMPT fixed tokens and after each of COUNT more, to compare engines.

mod architecture;
mod device;
mod engine;
mod model;
mod model_file;
mod model_folder;
mod next_tokens;
mod options;
mod source;

use std::env;
use std::process::ExitCode;

use engine::CandleEngine;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--next-tokens", model, seed, prompt, count] => next_tokens::print(model, seed, prompt, count),
        _ => edgeprof_protocol::serve(|| Ok(CandleEngine::new())),
    }
}
