//! What candle computes on. GPUs are chosen when it is built: features `cuda` and `metal`.

use candle_core::{Device, Result};

/// The devices of this build, the fastest first, which is the default.
pub const DEVICES: &[&str] = if cfg!(feature = "cuda") {
    &["cuda", "cpu"]
} else if cfg!(feature = "metal") {
    &["metal", "cpu"]
} else {
    &["cpu"]
};

/// Open the device of this name, the first of its kind.
pub fn open_device(name: &str) -> Result<Device> {
    match name {
        "cuda" => Device::new_cuda(0),
        "metal" => Device::new_metal(0),
        _ => Ok(Device::Cpu),
    }
}

/// The back ends of this build and the processor's features that its kernels choose by, as candle names them.
pub fn describe_build() -> String {
    use candle_core::utils::{has_accelerate, has_mkl, with_avx, with_f16c, with_neon};
    let features = [("avx2", with_avx()), ("f16c", with_f16c()), ("neon", with_neon())];
    let libraries = [("mkl", has_mkl()), ("accelerate", has_accelerate())];
    let present = features.into_iter().chain(libraries).filter(|(_, present)| *present).map(|(name, _)| name);
    format!("{}; {}", DEVICES.join(" "), present.collect::<Vec<_>>().join(" "))
}
