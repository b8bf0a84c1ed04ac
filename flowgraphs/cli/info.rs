//! `sememe info`: what this program is and what it runs on.

use sememe_blocks::isa::{Isa, VARIABLE};

/// The report.
pub fn text() -> String {
    let profile = if cfg!(debug_assertions) { "development" } else { "release" };
    let available: Vec<String> = Isa::available().map(|isa| isa.to_string()).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    [
        ("sememe", env!("CARGO_PKG_VERSION").to_owned()),
        ("build", profile.to_owned()),
        ("target", format!("{} {}", std::env::consts::ARCH, std::env::consts::OS)),
        ("features", "none".to_owned()),
        (
            "SIMD in use",
            format!("{}; available: {} ({VARIABLE} narrows it)", Isa::detect(), available.join(", ")),
        ),
        ("cores", threads.to_string()),
        ("threads", format!("{} (RAYON_NUM_THREADS changes it)", rayon::current_num_threads())),
        ("CUDA", "no".to_owned()),
        ("SoapySDR", "no".to_owned()),
    ]
    .iter()
    .map(|(name, value)| format!("{name:<12} {value}\n"))
    .collect()
}
