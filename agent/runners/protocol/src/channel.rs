//! The child's two ends of the protocol: commands come in, messages go out, one JSON object per line.

use std::fs::File;
use std::io::{self, Read, Write};
use std::iter;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use nix::libc;
use nix::unistd::{dup2_stdin, dup2_stdout};
use serde_json::{Value, json};

use crate::commands::Command;
use crate::messages::Message;

const SHOWN_CHARACTERS: usize = 80;

/// Commands from the parent and messages to it, on descriptors that no engine writes to.
///
/// A thread reads the commands, so that a cancellation is seen while a step runs. When the parent's end of the pipe is
/// closed, that thread ends the process at once, whatever the engine is doing: its parent is gone.
pub struct Channel {
    messages: File,
    commands_end: OwnedFd,
    commands: Receiver<Command>,
    cancelled_id: Arc<AtomicU64>,
}

impl Channel {
    /// Keep standard input and output for the protocol alone.
    ///
    /// From here on descriptor 0 is empty and descriptor 1 is standard error: what an engine or its libraries print
    /// lands there. The private descriptors are not inherited.
    ///
    /// `waiting` are commands that have been read already.
    pub fn take_standard_streams(waiting: Vec<Command>) -> io::Result<Self> {
        let commands = io::stdin().as_fd().try_clone_to_owned()?;
        let messages = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(io::stderr())?;
        let (queue, received) = mpsc::channel();
        let cancelled_id = Arc::new(AtomicU64::new(0));
        let listener = Listener { queue, cancelled_id: Arc::clone(&cancelled_id) };
        for command in waiting {
            listener.accept(command);
        }
        let commands_end = commands.try_clone()?;
        thread::Builder::new().name("edgeprof-commands".to_owned()).spawn(move || listener.listen(commands))?;
        Ok(Self { messages: messages.into(), commands_end, commands: received, cancelled_id })
    }

    /// Send a message that answers the command of this id.
    pub fn send(&self, id: u64, message: &Message) {
        let mut fields = serde_json::to_value(message).expect("messages are plain values");
        fields["id"] = json!(id);
        self.write_line(&fields);
    }

    /// Send the first message, which answers no command.
    pub fn send_hello(&self, message: &Message) {
        self.write_line(&serde_json::to_value(message).expect("messages are plain values"));
    }

    /// Wait for the next command.
    pub fn next_command(&self) -> Command {
        self.commands.recv().expect("the listener ends with the process alone")
    }

    /// Whether the parent has cancelled this command. Ids ascend, so the latest cancellation says it all.
    pub fn is_cancelled(&self, id: u64) -> bool {
        id <= self.cancelled_id.load(Ordering::Relaxed)
    }

    /// The commands that have been read and not been answered, a cancellation first.
    pub fn waiting(&self) -> Vec<Command> {
        let cancel = Command::cancel(self.cancelled_id.load(Ordering::Relaxed));
        iter::once(cancel).chain(self.commands.try_iter()).collect()
    }

    /// Put the descriptors back where a fresh program expects them.
    pub fn give_back_standard_streams(&self) -> io::Result<()> {
        dup2_stdin(&self.commands_end)?;
        dup2_stdout(&self.messages)?;
        Ok(())
    }

    fn write_line(&self, fields: &Value) {
        if let Err(error) = (&self.messages).write_all(format!("{fields}\n").as_bytes()) {
            end_now(1, &format!("error: the parent does not listen: {error}"));
        }
    }
}

/// The thread that reads commands.
struct Listener {
    queue: Sender<Command>,
    cancelled_id: Arc<AtomicU64>,
}

impl Listener {
    fn listen(&self, commands: OwnedFd) {
        let mut commands = File::from(commands);
        loop {
            match read_line(&mut commands) {
                Ok(Some(line)) => match serde_json::from_slice(&line) {
                    Ok(command) => self.accept(command),
                    Err(_) => end_now(2, &format!("error: the engine was sent what is no command: {}", shown(&line))),
                },
                Ok(None) => end_now(0, "the parent is gone"),
                Err(error) => end_now(1, &format!("error: the commands cannot be read: {error}")),
            }
        }
    }

    fn accept(&self, command: Command) {
        if command.name == "cancel" {
            self.cancelled_id.store(command.id, Ordering::Relaxed);
        } else {
            self.queue.send(command).expect("the channel lives as long as the process");
        }
    }
}

/// Read up to the next line feed and no further, so that a program that is started afresh finds what comes after it.
fn read_line(commands: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match commands.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) if byte == *b"\n" => return Ok(Some(line)),
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn shown(line: &[u8]) -> String {
    let start: String = String::from_utf8_lossy(line).chars().take(SHOWN_CHARACTERS).collect();
    format!("{start:?}")
}

/// End the process without the clean-up of libraries, which may wait for what the engine is doing.
fn end_now(status: i32, words: &str) -> ! {
    eprintln!("{words}");
    // SAFETY: _exit(2) has no preconditions.
    unsafe { libc::_exit(status) }
}
