//! The kernels compiled for the processor, as a library that is loaded once per process.

use crate::cuda::queue::{Argument, Grid, LANES, ROWS};
use crate::cuda::source::{SOURCE, kernel_names};
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

const HOST: &str = include_str!("host.cpp");

type Launch = unsafe extern "C" fn(
    *const c_char,
    *const c_uint,
    c_uint,
    c_uint,
    *mut *mut c_void,
    usize,
    c_int,
) -> c_int;

/// The loaded library. Its state is shared by all launches, hence the lock.
pub struct Library(Mutex<Launch>);

impl Library {
    /// The library, or why there is none.
    pub fn shared() -> Result<&'static Self, &'static str> {
        static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
        LIBRARY.get_or_init(Self::build).as_ref().map_err(String::as_str)
    }

    fn build() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (source, library) = (folder.path().join("kernels.cpp"), folder.path().join("kernels.so"));
        let mut text = format!("{HOST}\n{SOURCE}\nconst Kernel kernels[] = {{\n");
        for name in kernel_names() {
            text += &format!(
                "    {{\"{name}\", count({name}), [](void **arguments) {{ call({name}, arguments); }}}},\n"
            );
        }
        text += "    {nullptr, 0, nullptr}};\n";
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        let output = Command::new("c++")
            .args(["-std=c++17", "-O2", "-shared", "-fPIC", "-w", "-o"])
            .args([&library, &source])
            .output()
            .map_err(|error| format!("no C++ compiler: c++: {error}"))?;
        // A compiler that is there and refuses is a defect of the kernels.
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = CString::new(library.to_string_lossy().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: the library was just built from the source above; its only entry has the type of `Launch`.
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null(), "the library of kernels does not load");
            let entry = libc::dlsym(handle, c"launch".as_ptr());
            assert!(!entry.is_null(), "the library of kernels has no entry");
            Ok(Self(Mutex::new(std::mem::transmute::<*mut c_void, Launch>(entry))))
        }
    }

    /// Runs all blocks of a kernel.
    pub fn launch(
        &self,
        kernel: &str,
        grid: Grid,
        arguments: &[Argument],
        backwards: bool,
    ) -> Result<(), String> {
        let mut pointers: Vec<*mut c_void> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Address(value) => value as *const u64 as *mut c_void,
                Argument::Int(value) => value as *const i32 as *mut c_void,
                Argument::Float(value) => value as *const f32 as *mut c_void,
            })
            .collect();
        let name = CString::new(kernel).map_err(|error| error.to_string())?;
        let launch = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // SAFETY: name, grid and arguments live until the call returns; the library checks their number.
        let result = unsafe {
            launch(
                name.as_ptr(),
                grid.0.as_ptr(),
                LANES as c_uint,
                ROWS as c_uint,
                pointers.as_mut_ptr(),
                pointers.len(),
                backwards as c_int,
            )
        };
        match result {
            0 => Ok(()),
            1 => Err(format!("there is no kernel {kernel}")),
            2 => Err(format!("{kernel} takes another number of arguments than {}", arguments.len())),
            _ => Err(format!("threads of a block of {kernel} wait at different barriers")),
        }
    }
}
