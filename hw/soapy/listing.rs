//! What is installed and what is plugged in.

use super::library;
use crate::{HwError, Result};
use soapysdr::Args;

/// A device that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDevice {
    /// The driver that found it.
    pub driver: String,
    /// What the driver calls it.
    pub label: String,
    /// All that the driver says of it, as a device string that opens it.
    pub args: String,
}

/// A SoapySDR module: a library of drivers that was found in a search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Where it lies.
    pub path: String,
    /// Its version; empty where it states none.
    pub version: String,
    /// Drivers it brought.
    pub drivers: Vec<String>,
    /// Why it, or one of its drivers, could not be loaded.
    pub error: Option<String>,
}

/// Lists the devices that are plugged in, as `SoapySDRUtil --find` does; takes seconds with some drivers.
///
/// - args: a device string to narrow the search, or an empty one
/// - errors: [`HwError::Refused`] with the library's words
pub fn devices(args: &str) -> Result<Vec<FoundDevice>> {
    let found = soapysdr::enumerate(args).map_err(|error| HwError::refused("SoapySDR", error.message))?;
    Ok(found.iter().map(found_device).collect())
}

/// Lists the modules that are installed, loading them where that has not been done.
pub fn modules() -> Vec<Module> {
    // Searching loads the modules once; no device has this driver, so none is touched.
    soapysdr::enumerate("driver=none").ok();
    let mut modules: Vec<_> = library::module_paths().into_iter().map(describe).collect();
    modules.sort_by(|a, b| a.path.cmp(&b.path));
    modules
}

/// Lists the drivers that are installed, by the names that a device string takes.
pub fn drivers() -> Vec<String> {
    let mut names: Vec<_> = modules().into_iter().flat_map(|module| module.drivers).collect();
    names.sort();
    names.dedup();
    names
}

/// Lists the folders in which modules are looked for; `SOAPY_SDR_PLUGIN_PATH` adds to them.
pub fn search_paths() -> Vec<String> {
    library::search_paths()
}

/// Version of the SoapySDR library.
pub fn library_version() -> String {
    library::library_version()
}

fn found_device(args: &Args) -> FoundDevice {
    let value = |key: &str| args.get(key).unwrap_or_default().to_string();
    let mut pairs: Vec<_> = args.iter().filter(|(key, _)| *key != "label").collect();
    pairs.sort_by_key(|(key, _)| *key != "driver"); // as users write it: the driver first
    let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    FoundDevice { driver: value("driver"), label: value("label"), args: pairs.join(",") }
}

fn describe(path: String) -> Module {
    let (loaded, failed): (Vec<_>, Vec<_>) =
        library::loader_result(&path).into_iter().partition(|(_, error)| error.is_empty());
    Module {
        version: library::module_version(&path),
        drivers: loaded.into_iter().map(|(name, _)| name).collect(),
        error: failed.into_iter().map(|(_, error)| error).reduce(|all, error| format!("{all}; {error}")),
        path,
    }
}
