//! Says hello, then answers commands until it is told to close.

use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;
use std::time::Instant;

use nix::errno::Errno;

use crate::channel::Channel;
use crate::clock::{CLOCK_NAME, monotonic_ns};
use crate::commands::Command;
use crate::lifeline::die_with_parent;
use crate::messages::Message;
use crate::options::read_options;
use crate::page_cache::page_cache_ratio;
use crate::restart::{has_environment, restart, resumed_commands};
use crate::{Engine, EngineError, LoadRequest, Recorder, Step, StepError};

const PROTOCOL_VERSION: u32 = 1;

/// Serve an engine on standard input and output.
///
/// `open` makes the engine, after the streams are private: what it prints does not reach the protocol.
pub fn serve<E: Engine>(open: impl FnOnce() -> Result<E, EngineError>) -> ExitCode {
    panic::set_hook(Box::new(|panic| eprintln!("{}", describe(panic))));
    let resumed = resumed_commands();
    let is_fresh = resumed.is_empty();
    let channel = match die_with_parent().and_then(|()| Channel::take_standard_streams(resumed)) {
        Ok(channel) => channel,
        Err(error) => {
            eprintln!("error: the engine cannot set up its pipes: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut engine = match open() {
        Ok(engine) => engine,
        Err(error) => {
            channel.send(0, &Message::Error { cause: &error.to_string() });
            return ExitCode::FAILURE;
        }
    };
    if is_fresh {
        say_hello(&channel, &engine);
    }
    loop {
        let command = channel.next_command();
        if command.name == "close" {
            engine.unload();
            return ExitCode::SUCCESS;
        }
        answer(&channel, &mut engine, &command);
    }
}

/// One line that says what went wrong, where the standard hook would write three and a hint for programmers.
fn describe(panic: &PanicHookInfo) -> String {
    let text = panic.payload_as_str().unwrap_or("it does not say why");
    let place = panic.location().map_or_else(String::new, |location| format!(" at {location}"));
    format!("fatal error{place}: {}", EngineError::new(text))
}

fn say_hello(channel: &Channel, engine: &impl Engine) {
    channel.send_hello(&Message::Hello {
        protocol: PROTOCOL_VERSION,
        facts: engine.facts(),
        clock: CLOCK_NAME,
        monotonic_ns: monotonic_ns(),
    });
}

fn answer(channel: &Channel, engine: &mut impl Engine, command: &Command) {
    match carry_out(channel, engine, command) {
        Ok(()) => {}
        Err(StepError::Cancelled) => channel.send(command.id, &Message::Cancelled),
        Err(StepError::Failed(error)) => channel.send(command.id, &Message::Error { cause: &error.to_string() }),
    }
}

fn carry_out(channel: &Channel, engine: &mut impl Engine, command: &Command) -> Result<(), StepError> {
    match command.name.as_str() {
        "load" => return Ok(load(channel, engine, command)?),
        "unload" => engine.unload(),
        "step" => {
            let mut send = |message: &Message| channel.send(command.id, message);
            run(channel, engine, command, &command.read()?, &mut send)?;
        }
        "warm_up" => run(channel, engine, command, &command.read::<Step>()?.warm_up(), &mut |_| {})?,
        unknown => return Err(EngineError::new(format!("no command is called '{unknown}'")).into()),
    }
    channel.send(command.id, &Message::Done);
    Ok(())
}

fn run(
    channel: &Channel,
    engine: &mut impl Engine,
    command: &Command,
    step: &Step,
    send: &mut dyn FnMut(&Message),
) -> Result<(), StepError> {
    let is_cancelled = || channel.is_cancelled(command.id);
    engine.run(step, &mut Recorder::new(send, &is_cancelled))
}

fn load(channel: &Channel, engine: &mut impl Engine, command: &Command) -> Result<(), EngineError> {
    let request: LoadRequest = command.read()?;
    let facts = engine.facts();
    let options = read_options(facts.engine, &facts.options, &request.options)?;
    let environment = engine.needed_environment(&options);
    if !has_environment(&environment) {
        return Err(restart(channel, command, environment));
    }
    engine.unload();
    let path = &request.model_path;
    let page_cache_ratio = page_cache_ratio(path).map_err(|error| {
        EngineError::new(format!(
            "{path}: cannot be read: {}",
            Errno::from_raw(error.raw_os_error().unwrap_or(0)).desc()
        ))
    })?;
    let start = Instant::now();
    let loaded = engine.load(&request, &options)?;
    let load_seconds = start.elapsed().as_secs_f64();
    channel.send(
        command.id,
        &Message::Loaded {
            load_seconds,
            page_cache_ratio,
            options: &loaded.options,
            weights_bytes: loaded.weights_bytes,
            kv_cache_bytes: loaded.kv_cache_bytes,
            compute_bytes: loaded.compute_bytes,
        },
    );
    Ok(())
}
