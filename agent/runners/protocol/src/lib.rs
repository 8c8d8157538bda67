//! The child's side of edgeprof's engine protocol, which `docs/engine-protocol.md` defines.
//!
//! An engine implements [`Engine`], mostly by way of [`TokenModel`], and its `main` calls [`serve`]. The Python
//! files in `agent/edgeprof_agent/engines/` do the same for engines that are Python packages.

mod channel;
mod clock;
mod commands;
mod engine;
mod gguf;
mod lifeline;
mod messages;
mod options;
mod page_cache;
mod recorder;
mod restart;
mod serve;
mod token_ids;
mod token_model;

pub use clock::monotonic_ns;
pub use commands::{LoadRequest, Step, StepKind};
pub use engine::{Engine, EngineError, Loaded, StepError};
pub use gguf::open_gguf;
pub use messages::{Capabilities, EngineFacts};
pub use options::{OptionDeclaration, OptionKind, OptionValues};
pub use recorder::Recorder;
pub use serve::serve;
pub use token_ids::token_id;
pub use token_model::{Check, TokenModel, run_step};
