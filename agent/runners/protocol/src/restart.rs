//! Starts the program afresh in the same process, where only its environment can change what a library does.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process;

use crate::EngineError;
use crate::channel::Channel;
use crate::commands::Command;

const RESUME: &str = "--resume";

/// Replace this program by itself, with these variables set, and have it answer the command that is under way.
///
/// The process stays the same: its id, its group, its parent and its pipes. Returns only if it fails.
pub fn restart(channel: &Channel, command: &Command, environment: Vec<(&'static str, String)>) -> EngineError {
    let replaced = env::current_exe().and_then(|program| {
        let mut waiting = vec![command.clone()];
        waiting.extend(channel.waiting());
        let waiting = serde_json::to_string(&waiting)?;
        channel.give_back_standard_streams()?;
        Err::<(), io::Error>(process::Command::new(program).args([RESUME, &waiting]).envs(environment).exec())
    });
    let error = replaced.expect_err("exec() returns when it fails");
    EngineError::new(format!("the engine cannot start itself afresh: {error}"))
}

/// The commands that this program was started afresh to answer; none if it was started by its parent.
pub fn resumed_commands() -> Vec<Command> {
    let arguments: Vec<String> = env::args().collect();
    match &arguments[..] {
        [_, flag, commands] if flag == RESUME => serde_json::from_str(commands).expect("it was written by `restart`"),
        _ => Vec::new(),
    }
}

/// Whether the process was started with all of these variables.
pub fn has_environment(needed: &[(&'static str, String)]) -> bool {
    needed.iter().all(|(name, value)| env::var(name).as_ref() == Ok(value))
}
