//! Turns what drivers say when a device does not open into a sentence that says what to do.

use super::listing;
use crate::HwError;

/// Why a device did not open, from the driver's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Busy,
    Permission,
    Other,
}

/// The error for a device that did not open.
///
/// - message: the driver's words
/// - is_reopening: whether it was open before, and may come back
pub(super) fn explain(args: &str, message: &str, is_reopening: bool) -> HwError {
    let driver = soapysdr::Args::from(args).get("driver").map(str::to_string);
    if let Some(error) = driver.and_then(|driver| missing_driver(args, &driver, listing::drivers())) {
        return error;
    }
    match Fault::of(message) {
        Fault::Busy => {
            HwError::refused(args, format!("the device is busy: end the program that holds it ({message})"))
        }
        Fault::Permission => HwError::refused(
            args,
            format!(
                "permission denied: install the udev rules that come with the driver, add yourself to their group \
                 (often plugdev), plug the device in again ({message})"
            ),
        ),
        Fault::Other if listing::devices(args).is_ok_and(|found| found.is_empty()) => {
            let reason = format!("no such device is found: {} ({message})", others(args));
            if is_reopening { HwError::gone(args, reason) } else { HwError::refused(args, reason) }
        }
        Fault::Other => HwError::refused(args, format!("the driver could not open the device: {message}")),
    }
}

/// The error for a driver that is not installed, if it is not.
fn missing_driver(args: &str, driver: &str, installed: Vec<String>) -> Option<HwError> {
    // The library itself brings the driver `null`.
    if driver == "null" || installed.iter().any(|name| name == driver) {
        return None;
    }
    let installed = if installed.is_empty() { "none".to_string() } else { installed.join(", ") };
    let failures: String = listing::modules()
        .into_iter()
        .filter_map(|module| module.error.map(|error| format!("; {} did not load: {error}", module.path)))
        .collect();
    Some(HwError::refused(
        args,
        format!(
            "no driver {driver} is installed, installed are: {installed}{failures}. Install its SoapySDR module \
             (Debian: soapysdr-module-{driver}), or name its folder in SOAPY_SDR_PLUGIN_PATH"
        ),
    ))
}

/// What to do, and what is there instead.
fn others(args: &str) -> String {
    let driver = soapysdr::Args::from(args).get("driver").map(|driver| format!("driver={driver}"));
    let found = listing::devices(&driver.unwrap_or_default()).unwrap_or_default();
    let found: Vec<_> = found.into_iter().map(|device| device.args).collect();
    if found.is_empty() {
        "check cable and power; SoapySDRUtil --find lists what is plugged in".to_string()
    } else {
        format!("found are {}", found.join(" and "))
    }
}

impl Fault {
    fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["busy", "in use", "already open", "already claimed", "usb_claim_interface"]) {
            Self::Busy
        } else if says(&["permission", "libusb_error_access", "access denied", "insufficient perm", "eacces"])
        {
            Self::Permission
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_words_of_drivers() {
        // From libhackrf, librtlsdr, UHD and libusb.
        assert_eq!(Fault::of("hackrf_open() failed: Resource busy"), Fault::Busy);
        assert_eq!(Fault::of("usb_claim_interface error -6"), Fault::Busy);
        assert_eq!(Fault::of("RuntimeError: USB open failed: insufficient permissions."), Fault::Permission);
        assert_eq!(Fault::of("hackrf_open() failed: Access denied (LIBUSB_ERROR_ACCESS)"), Fault::Permission);
        assert_eq!(Fault::of("LookupError: KeyError: No devices found"), Fault::Other);
    }

    #[test]
    fn names_the_drivers_that_are_installed() {
        let installed = || vec!["hackrf".to_string(), "uhd".to_string()];
        assert!(missing_driver("driver=uhd", "uhd", installed()).is_none());
        let error = missing_driver("driver=lime", "lime", installed()).expect("it is missing").to_string();
        assert!(error.contains("installed are: hackrf, uhd"), "{error}");
        assert!(error.contains("soapysdr-module-lime"), "{error}");
    }
}
