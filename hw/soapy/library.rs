//! The functions of the C library that the `soapysdr` crate does not wrap: what is installed.
//!
//! See `Modules.h`, `Types.h` and `Version.h` of SoapySDR 0.8.

use soapysdr_sys::{
    SoapySDR_free, SoapySDR_getLibVersion, SoapySDR_getLoaderResult, SoapySDR_getModuleVersion,
    SoapySDR_listModules, SoapySDR_listSearchPaths, SoapySDRKwargs_clear, SoapySDRStrings_clear,
};
use std::ffi::{CStr, CString, c_char};

/// Paths of the modules that are installed.
pub(super) fn module_paths() -> Vec<String> {
    // SAFETY: the function follows the contract that `strings` asks for.
    unsafe { strings(SoapySDR_listModules) }
}

/// Folders in which modules are looked for.
pub(super) fn search_paths() -> Vec<String> {
    // SAFETY: the function follows the contract that `strings` asks for.
    unsafe { strings(SoapySDR_listSearchPaths) }
}

/// What loading a module gave: name of each of its drivers, and its error or an empty text.
pub(super) fn loader_result(path: &str) -> Vec<(String, String)> {
    let Ok(path) = CString::new(path) else { return Vec::new() };
    // SAFETY: `path` outlives the call; the result is ours until it is cleared, and holds `size` keys and values,
    // each a terminated text; it is cleared once and not used after that.
    unsafe {
        let mut result = SoapySDR_getLoaderResult(path.as_ptr());
        let pairs =
            (0..result.size).map(|n| (text(*result.keys.add(n)), text(*result.vals.add(n)))).collect();
        SoapySDRKwargs_clear(&mut result);
        pairs
    }
}

/// Version that a module states, often empty.
pub(super) fn module_version(path: &str) -> String {
    let Ok(path) = CString::new(path) else { return String::new() };
    // SAFETY: `path` outlives the call; the result is a terminated text that is ours to free.
    unsafe {
        let pointer = SoapySDR_getModuleVersion(path.as_ptr());
        let version = text(pointer);
        SoapySDR_free(pointer.cast());
        version
    }
}

/// Version of the library.
pub(super) fn library_version() -> String {
    // SAFETY: the result is a terminated text that lives as long as the library.
    unsafe { text(SoapySDR_getLibVersion()) }
}

/// Copies a list of texts and gives the list back to the library.
///
/// # Safety
/// `list` stores a length and returns that many terminated texts, in a list that is the caller's to clear.
unsafe fn strings(list: unsafe extern "C" fn(*mut usize) -> *mut *mut c_char) -> Vec<String> {
    let mut length = 0;
    // SAFETY: as promised by the caller; the list is cleared once and not used after that.
    unsafe {
        let mut elems = list(&mut length);
        let copies = (0..length).map(|n| text(*elems.add(n))).collect();
        SoapySDRStrings_clear(&mut elems, length);
        copies
    }
}

/// Copies a text; null is empty.
///
/// # Safety
/// `pointer` is null or points to a terminated text.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and terminated as promised by the caller.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
