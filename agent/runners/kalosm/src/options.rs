//! The options of Kalosm that a plan may set.

use candle_core_of_kalosm::utils::get_num_threads;
use edgeprof_protocol::{OptionDeclaration, OptionValues};

/// What happens to a conversation's session between two turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionUse {
    /// It is kept: a turn processes what is new.
    Keep,
    /// A new one is made: a turn processes the whole conversation, as programs do that keep its text alone.
    Rebuild,
}

/// Every option, with the defaults of this machine.
pub fn declared_options() -> Vec<OptionDeclaration> {
    vec![
        OptionDeclaration::integer("threads", get_num_threads() as i64, 1, "threads that compute on the CPU"),
        OptionDeclaration::choice("session", &["keep", "rebuild"], "what becomes of a chat's session at each turn"),
    ]
}

/// The value of the option `session`.
pub fn session_use(options: &OptionValues) -> SessionUse {
    if options.choice("session") == "rebuild" { SessionUse::Rebuild } else { SessionUse::Keep }
}

/// What Kalosm's candle reads its number of threads from, and rayon once, when it first computes.
pub fn needed_environment(options: &OptionValues) -> Vec<(&'static str, String)> {
    let threads = options.integer("threads");
    if threads == get_num_threads() as i64 {
        return Vec::new();
    }
    vec![("RAYON_NUM_THREADS", threads.to_string())]
}
