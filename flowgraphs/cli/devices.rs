//! `sememe devices`: the radios that are plugged in, and the drivers that are installed.

#[cfg(feature = "soapy")]
use crate::report;
use sememe::experiment::RunError;

/// Arguments of `sememe devices`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only these, such as driver=hackrf
    #[arg(default_value = "")]
    pub args: String,
}

/// Lists them.
#[cfg(feature = "soapy")]
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    use sememe_hw::soapy::{devices, library_version, modules, search_paths};
    let mut text = format!("SoapySDR {}\n", library_version());
    let modules = modules();
    for module in &modules {
        let drivers = module.drivers.join(", ");
        match &module.error {
            Some(error) => text.push_str(&format!("module      {}: not loaded: {error}\n", module.path)),
            None => text.push_str(&format!("module      {} ({drivers}) {}\n", module.path, module.version)),
        }
    }
    if modules.is_empty() {
        text.push_str(&format!(
            "no modules in {}: install those of your radio, such as soapysdr-module-hackrf or soapysdr-module-uhd\n",
            search_paths().join(", ")
        ));
    }
    let found = devices(&arguments.args).map_err(|error| RunError::Usage(error.to_string()))?;
    for device in &found {
        text.push_str(&format!("device      {}  {}\n", device.args, device.label));
    }
    if found.is_empty() {
        text.push_str("no device is plugged in, or its driver does not see it\n");
    }
    report::print(&text)
}

/// Says why none can be listed.
#[cfg(not(feature = "soapy"))]
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let asked = if arguments.args.is_empty() { "devices" } else { &arguments.args };
    Err(RunError::Usage(format!("{asked}: {}", sememe::antenna::NO_RADIOS)))
}
