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
        ("features", if cfg!(feature = "cuda") { "cuda" } else { "none" }.to_owned()),
        (
            "SIMD in use",
            format!("{}; available: {} ({VARIABLE} narrows it)", Isa::detect(), available.join(", ")),
        ),
        ("cores", threads.to_string()),
        ("threads", format!("{} (RAYON_NUM_THREADS changes it)", rayon::current_num_threads())),
        ("CUDA", cuda()),
        ("SoapySDR", "no".to_owned()),
    ]
    .iter()
    .map(|(name, value)| format!("{name:<12} {value}\n"))
    .collect()
}

/// Whether networks can be computed on a GPU.
fn cuda() -> String {
    match sememe_models::device::named("cuda") {
        Ok(_) => "yes, device cuda".into(),
        Err(_) if !cfg!(feature = "cuda") => "no (cargo build --release --features cuda)".into(),
        Err(reason) => format!("no: {reason}"),
    }
}
