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
        ("features", features()),
        (
            "SIMD in use",
            format!("{}; available: {} ({VARIABLE} narrows it)", Isa::detect(), available.join(", ")),
        ),
        ("cores", threads.to_string()),
        ("threads", format!("{} (RAYON_NUM_THREADS changes it)", rayon::current_num_threads())),
        ("CUDA", cuda()),
        ("SoapySDR", soapy()),
        (
            "ZeroMQ",
            if cfg!(feature = "zeromq") { "yes" } else { "no (cargo build --release --features zeromq)" }
                .to_owned(),
        ),
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

fn features() -> String {
    let built = [
        ("cuda", cfg!(feature = "cuda")),
        ("soapy", cfg!(feature = "soapy")),
        ("zeromq", cfg!(feature = "zeromq")),
    ];
    let built: Vec<&str> =
        built.into_iter().filter(|(_, is_built)| *is_built).map(|(name, _)| name).collect();
    if built.is_empty() { "none".into() } else { built.join(", ") }
}

/// The radio library and what it drives.
#[cfg(feature = "soapy")]
fn soapy() -> String {
    use sememe_hw::soapy::{drivers, library_version};
    let drivers = drivers();
    let drivers =
        if drivers.is_empty() { "none: install those of your radio".into() } else { drivers.join(", ") };
    format!("{}; drivers: {drivers}", library_version())
}

#[cfg(not(feature = "soapy"))]
fn soapy() -> String {
    "no (cargo build --release --features soapy)".into()
}
