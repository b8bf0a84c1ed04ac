//! The queue of a GPU: one stream, on which kernels and products follow each other.

use super::queue::{Address, Argument, Grid, LANES, Matrix, Product, Queue, ROWS, Stored};
use super::source::{SOURCE, kernel_names};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::cublas::{CudaBlas, result, sys};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, LaunchConfig, PushKernelArg, sys as driver,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::{CudaDevice, CudaStorage, Device, Error, Layout, Result, Shape, Storage, Tensor, bail};
use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

/// Opens a GPU, once for the whole process: all its work is queued on one stream.
///
/// - errors: no driver, or no such GPU
pub fn open(ordinal: usize) -> Result<Device> {
    static OPENED: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());
    let mut opened = OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(device) = opened.get(&ordinal) {
        return Ok(device.clone());
    }
    let device = CudaDevice::new_with_stream(ordinal)?;
    // SAFETY: all work of this device is queued on its one stream, in order.
    unsafe { device.disable_event_tracking() };
    keep_freed(ordinal)?;
    let device = Device::Cuda(device);
    opened.insert(ordinal, device.clone());
    Ok(device)
}

/// Keeps freed memory in the driver's pool: by default each wait for the GPU hands it back to the system.
fn keep_freed(ordinal: usize) -> Result<()> {
    let failed = |what: &str, code: driver::CUresult| Error::Msg(format!("{what}: {code:?}"));
    let mut pool = std::ptr::null_mut();
    let mut threshold = u64::MAX;
    // SAFETY: the device is open, and both pointers are to live values of the types that are asked for.
    unsafe {
        let code = driver::cuDeviceGetDefaultMemPool(&mut pool, ordinal as i32);
        if code != driver::CUresult::CUDA_SUCCESS {
            return Err(failed("the GPU has no memory pool", code));
        }
        let attribute = driver::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        let code = driver::cuMemPoolSetAttribute(pool, attribute, (&raw mut threshold).cast::<c_void>());
        if code != driver::CUresult::CUDA_SUCCESS {
            return Err(failed("the GPU's memory pool takes no threshold", code));
        }
    }
    Ok(())
}

type Functions = Arc<HashMap<&'static str, CudaFunction>>;

/// The kernels of a GPU, compiled when they are first asked for.
fn functions(device: &CudaDevice) -> Result<Functions> {
    static COMPILED: Mutex<BTreeMap<usize, Functions>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let stream = device.cuda_stream();
    let context = stream.context();
    if let Some(functions) = compiled.get(&context.ordinal()) {
        return Ok(functions.clone());
    }
    let (major, minor) = context.compute_capability().w()?;
    let options = CompileOptions {
        options: vec![format!("--gpu-architecture=compute_{major}{minor}"), "--std=c++17".into()],
        ..CompileOptions::default()
    };
    let ptx = compile_ptx_with_opts(SOURCE, options)
        .map_err(|error| Error::Msg(format!("the kernels do not compile for this GPU: {error:?}")))?;
    let module = context.load_module(ptx).w()?;
    let load = |name| Ok((name, module.load_function(name).w()?));
    let functions: Functions = Arc::new(kernel_names().into_iter().map(load).collect::<Result<_>>()?);
    compiled.insert(context.ordinal(), functions.clone());
    Ok(functions)
}

/// The queue of one GPU.
pub struct DeviceQueue {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    functions: Functions,
    blas: Arc<CudaBlas>,
}

/// Memory of a GPU.
pub struct Memory {
    values: CudaSlice<f32>,
    address: Address,
}

impl DeviceQueue {
    fn new(device: &CudaDevice) -> Result<Self> {
        if device.is_event_tracking() {
            bail!("this GPU was not opened by sememe_models::device: its streams may run beside each other");
        }
        Ok(Self {
            stream: device.cuda_stream(),
            functions: functions(device)?,
            blas: device.cublas_handle(),
            device: device.clone(),
        })
    }
}

impl Queue for DeviceQueue {
    type Memory = Memory;

    fn reserve(&self, values: usize) -> Result<Memory> {
        // SAFETY: programs write what they read.
        let values = unsafe { self.device.alloc::<f32>(values.max(1))? };
        let address = Address(values.device_ptr(&self.stream).0);
        Ok(Memory { values, address })
    }

    fn address(&self, memory: &Memory) -> Address {
        memory.address
    }

    fn launch(&self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        let Some(function) = self.functions.get(kernel) else { bail!("there is no kernel {kernel}") };
        let mut launch = self.stream.launch_builder(function);
        for argument in arguments {
            match argument {
                Argument::Address(value) => launch.arg(value),
                Argument::Int(value) => launch.arg(value),
                Argument::Float(value) => launch.arg(value),
            };
        }
        let [x, y, z] = grid.0;
        let config = LaunchConfig {
            grid_dim: (x, y, z),
            block_dim: (LANES as u32, ROWS as u32, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: programs give each kernel the arguments it takes, as their tests on the processor show, and
        // memory that lives until what they queue has run.
        unsafe { launch.launch(config) }.w()?;
        Ok(())
    }

    fn product(&self, p: Product, a: Matrix, b: Matrix, out: Matrix) -> Result<()> {
        if p.rows * p.columns == 0 {
            return Ok(());
        }
        let int = |size: usize| i32::try_from(size).map_err(Error::wrap);
        let (rows, inner, columns) = (int(p.rows)?, int(p.inner)?, int(p.columns)?);
        let kind = |matrix: Matrix| match matrix.stored {
            Stored::F32 => sys::cudaDataType::CUDA_R_32F,
            Stored::Bf16 => sys::cudaDataType::CUDA_R_16BF,
        };
        let turned = |matrix: Matrix| match matrix.is_transposed {
            true => sys::cublasOperation_t::CUBLAS_OP_T,
            false => sys::cublasOperation_t::CUBLAS_OP_N,
        };
        let compute = match p.may_round && a.stored == Stored::F32 {
            true => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
            false => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
        };
        let (one, start) = (1f32, if p.adds { 1f32 } else { 0f32 });
        // cuBLAS counts column by column: what it takes for b^T a^T = out^T is b, a and out as they stand.
        // SAFETY: sizes and types are those of the memory behind the matrices; the handle's stream is ours.
        unsafe {
            result::gemm_ex(
                *self.blas.handle(),
                turned(b),
                turned(a),
                columns,
                rows,
                inner,
                (&raw const one).cast(),
                b.address.0 as *const c_void,
                kind(b),
                if b.is_transposed { inner } else { columns },
                a.address.0 as *const c_void,
                kind(a),
                if a.is_transposed { rows } else { inner },
                (&raw const start).cast(),
                out.address.0 as *mut c_void,
                kind(out),
                columns,
                compute,
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .w()
    }
}

/// Where the values of a contiguous f32 tensor stand.
fn address_of(op: &str, storage: &CudaStorage, layout: &Layout, stream: &CudaStream) -> Result<Address> {
    let values = storage.as_cuda_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, _)) => Ok(Address(values.device_ptr(stream).0).at(start)),
        None => bail!("{op}: input of shape {:?} is not contiguous", layout.shape()),
    }
}

/// Runs a program from contiguous f32 inputs to a new tensor.
pub fn run<const N: usize>(
    op: &str,
    inputs: [(&CudaStorage, &Layout); N],
    shape: impl Into<Shape>,
    program: impl FnOnce(&DeviceQueue, [Address; N], Address) -> Result<()>,
) -> Result<(CudaStorage, Shape)> {
    let shape = shape.into();
    if shape.elem_count() > 0 && inputs.iter().any(|(_, layout)| layout.shape().elem_count() == 0) {
        bail!("{op}: an input without values is not possible on a GPU");
    }
    let queue = DeviceQueue::new(inputs[0].0.device())?;
    let mut addresses = [Address::NONE; N];
    for (address, (storage, layout)) in addresses.iter_mut().zip(inputs) {
        *address = address_of(op, storage, layout, &queue.stream)?;
    }
    let out = queue.reserve(shape.elem_count())?;
    if shape.elem_count() > 0 {
        program(&queue, addresses, out.address)?;
    }
    let storage = CudaStorage::wrap_cuda_slice(out.values, queue.device.clone());
    Ok((storage, shape))
}

/// Where the values of contiguous f32 tensors on one GPU stand.
pub fn addresses(op: &str, tensors: &[&Tensor]) -> Result<Vec<u64>> {
    let address = |tensor: &&Tensor| {
        let (storage, layout) = tensor.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => {
                let stream = storage.device().cuda_stream();
                Ok(address_of(op, storage, layout, &stream)?.0)
            }
            _ => bail!("{op}: a tensor is not on the GPU"),
        }
    };
    tensors.iter().map(address).collect()
}

/// Runs a program on memory that is found by a table of words.
pub fn run_on_table(
    device: &CudaDevice,
    words: &[u64],
    results: usize,
    program: impl FnOnce(&DeviceQueue, Address, Address) -> Result<()>,
) -> Result<Vec<f32>> {
    let queue = DeviceQueue::new(device)?;
    let table = device.clone_htod(words)?;
    let out = queue.reserve(results)?;
    program(&queue, Address(table.device_ptr(&queue.stream).0), out.address)?;
    if results == 0 {
        return Ok(Vec::new());
    }
    device.clone_dtoh(&out.values)
}

/// Runs a program that changes its first input.
pub fn run_in_place(
    op: &str,
    (changed, changed_at): (&mut CudaStorage, &Layout),
    (other, other_at): (&CudaStorage, &Layout),
    program: impl FnOnce(&DeviceQueue, [Address; 2]) -> Result<()>,
) -> Result<()> {
    let queue = DeviceQueue::new(other.device())?;
    let Some((start, _)) = changed_at.contiguous_offsets() else {
        bail!("{op}: needs contiguous values, found shape {:?}", changed_at.shape())
    };
    let changed = Address(changed.as_cuda_slice_mut::<f32>()?.device_ptr_mut(&queue.stream).0).at(start);
    program(&queue, [changed, address_of(op, other, other_at, &queue.stream)?])
}
