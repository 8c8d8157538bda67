//! Kalosm as an engine of edgeprof. It speaks the engine protocol on standard input and output.

mod answer;
mod engine;
mod model;
mod model_file;
mod options;
mod steps;

use std::process::ExitCode;

use engine::KalosmEngine;

fn main() -> ExitCode {
    edgeprof_protocol::serve(|| Ok(KalosmEngine::new()))
}
