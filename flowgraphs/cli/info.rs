//! `sememe info`: what this program is and what it runs on.

use sememe_models::ops::lanes::Isa;

/// The report.
pub fn text() -> String {
    let profile = if cfg!(debug_assertions) { "development" } else { "release" };
    let simd = match Isa::detect() {
        Isa::Avx512 => "AVX-512",
        Isa::Avx2 => "AVX2",
        Isa::Portable => "portable (no vector instructions chosen by hand)",
    };
    let available: Vec<String> =
        Isa::available().iter().map(|isa| format!("{isa:?}").to_lowercase()).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    [
        ("sememe", env!("CARGO_PKG_VERSION").to_owned()),
        ("build", profile.to_owned()),
        ("target", format!("{} {}", std::env::consts::ARCH, std::env::consts::OS)),
        ("features", "none".to_owned()),
        ("SIMD in use", format!("{simd}; available: {} (SEMEME_SIMD narrows it)", available.join(", "))),
        ("cores", threads.to_string()),
        ("threads", format!("{} (RAYON_NUM_THREADS changes it)", rayon::current_num_threads())),
        ("CUDA", "no".to_owned()),
        ("SoapySDR", "no".to_owned()),
    ]
    .iter()
    .map(|(name, value)| format!("{name:<12} {value}\n"))
    .collect()
}
