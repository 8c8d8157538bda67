//! The options of candle that a plan may set.

use candle_core::utils::get_num_threads;
use edgeprof_protocol::{OptionDeclaration, OptionValues};

use crate::device::DEVICES;

/// Every option, with the defaults of this machine.
pub fn declared_options() -> Vec<OptionDeclaration> {
    vec![
        OptionDeclaration::integer("threads", get_num_threads() as i64, 1, "threads that compute on the CPU"),
        OptionDeclaration::integer("batch", 512, 0, "tokens handed to candle in one call; 0: the whole prompt"),
        OptionDeclaration::choice("device", DEVICES, "what computes"),
    ]
}

/// What candle reads its number of threads from, once, when it first computes (`candle_core::utils`).
pub fn needed_environment(options: &OptionValues) -> Vec<(&'static str, String)> {
    let threads = options.integer("threads");
    if threads == get_num_threads() as i64 {
        return Vec::new();
    }
    ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"].map(|name| (name, threads.to_string())).into()
}
