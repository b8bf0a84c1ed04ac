//! Vector kernels of the depthwise convolution, for one sample and one block of channels.
//!
//! A block of `Lanes::LEN` channels is copied once into a zero-padded tile, so that the inner loops
//! have no borders; eight neighbouring output pixels stay in registers while the taps pass by.

use crate::ops::lanes::{LaneKernel, Lanes};

/// Sizes of one call. `kernel` is odd, padding keeps the size of the image.
#[derive(Clone, Copy)]
pub struct Geometry {
    /// Height of the image.
    pub height: usize,
    /// Width of the image.
    pub width: usize,
    /// Channels of the image.
    pub channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
}

impl Geometry {
    /// Values of one sample.
    pub fn sample_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn padded_width(&self) -> usize {
        self.width + self.kernel - 1
    }

    fn tile_len(&self, lanes: usize) -> usize {
        (self.height + self.kernel - 1) * self.padded_width() * lanes
    }
}

/// Correlates one block of channels of one sample with its taps.
pub struct Correlate<'a> {
    /// Sizes.
    pub geometry: Geometry,
    /// `[H, W, C]`.
    pub input: &'a [f32],
    /// `[k * k + 1, C]`: taps, then the bias.
    pub weight: &'a [f32],
    /// Take the taps in reverse and no bias: the gradient of the input.
    pub adjoint: bool,
    /// First channel of the block; the block ends where the channels or the lanes do.
    pub first_channel: usize,
    /// `[H, W, C]`; only the channels of this block are written.
    pub output: *mut f32,
    /// Scratch that keeps its allocation between calls.
    pub tile: &'a mut Vec<f32>,
}

impl LaneKernel for Correlate<'_> {
    type Output = ();

    // Safety: `output` must be valid for one sample, with no other writer to this block's channels.
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let g = self.geometry;
        let used = L::LEN.min(g.channels - self.first_channel);
        let taps = g.kernel * g.kernel;
        self.tile.clear();
        self.tile.resize(g.tile_len(L::LEN) + (taps + 1) * L::LEN, 0.0);
        let (tile, weight) = self.tile.split_at_mut(g.tile_len(L::LEN));
        fill_tile(tile, self.input, g, self.first_channel, used, L::LEN);
        for tap in 0..taps {
            let from = if self.adjoint { taps - 1 - tap } else { tap };
            let row = &self.weight[from * g.channels + self.first_channel..][..used];
            weight[tap * L::LEN..][..used].copy_from_slice(row);
        }
        if !self.adjoint {
            let bias = &self.weight[taps * g.channels + self.first_channel..][..used];
            weight[taps * L::LEN..][..used].copy_from_slice(bias);
        }
        for y in 0..g.height {
            let mut x = 0;
            while x < g.width {
                let out = unsafe { self.output.add((y * g.width + x) * g.channels + self.first_channel) };
                let corner = (y * g.padded_width() + x) * L::LEN;
                x += unsafe {
                    match g.width - x {
                        8.. => pixels::<L, 8>(&tile[corner..], weight, g, used, out),
                        4.. => pixels::<L, 4>(&tile[corner..], weight, g, used, out),
                        _ => pixels::<L, 1>(&tile[corner..], weight, g, used, out),
                    }
                };
            }
        }
    }
}

/// `N` neighbouring output pixels; returns `N`.
#[inline(always)]
unsafe fn pixels<L: Lanes, const N: usize>(
    tile: &[f32],
    weight: &[f32],
    g: Geometry,
    used: usize,
    out: *mut f32,
) -> usize {
    unsafe {
        let taps = g.kernel * g.kernel;
        let mut sums = [L::load(weight.as_ptr().add(taps * L::LEN)); N];
        for ky in 0..g.kernel {
            let row = tile.as_ptr().add(ky * g.padded_width() * L::LEN);
            for kx in 0..g.kernel {
                let tap = L::load(weight.as_ptr().add((ky * g.kernel + kx) * L::LEN));
                for (pixel, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(row.add((kx + pixel) * L::LEN)).mul_add(tap, *sum);
                }
            }
        }
        for (pixel, sum) in sums.iter().enumerate() {
            store_some(*sum, out.add(pixel * g.channels), used);
        }
    }
    N
}

/// Adds the gradient of the taps and the bias of one block of channels over one sample.
pub struct TapGradient<'a> {
    /// Sizes.
    pub geometry: Geometry,
    /// `[H, W, C]`.
    pub input: &'a [f32],
    /// Gradient of the output, `[H, W, C]`.
    pub gradient: &'a [f32],
    /// First channel of the block.
    pub first_channel: usize,
    /// `[k * k + 1, sums_width]`, added to.
    pub sums: &'a mut [f32],
    /// Row length of `sums`.
    pub sums_width: usize,
    /// Where this block's first channel stands in a row of `sums`.
    pub sums_at: usize,
    /// Scratch that keeps its allocation between calls.
    pub tile: &'a mut Vec<f32>,
}

impl LaneKernel for TapGradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let g = self.geometry;
        let used = L::LEN.min(g.channels - self.first_channel);
        let pixels = g.height * g.width;
        self.tile.clear();
        self.tile.resize(g.tile_len(L::LEN) + pixels * L::LEN, 0.0);
        let (tile, gradient) = self.tile.split_at_mut(g.tile_len(L::LEN));
        fill_tile(tile, self.input, g, self.first_channel, used, L::LEN);
        for pixel in 0..pixels {
            let row = &self.gradient[pixel * g.channels + self.first_channel..][..used];
            gradient[pixel * L::LEN..][..used].copy_from_slice(row);
        }
        let taps = g.kernel * g.kernel;
        unsafe {
            for ky in 0..g.kernel {
                let mut kx = 0;
                while kx < g.kernel {
                    let row = (ky * g.kernel + kx) * self.sums_width + self.sums_at;
                    let sums = Sums { at: self.sums.as_mut_ptr().add(row), width: self.sums_width, used };
                    kx += match g.kernel - kx {
                        7.. => tap_row::<L, 7>(tile, gradient, g, (ky, kx), sums),
                        3.. => tap_row::<L, 3>(tile, gradient, g, (ky, kx), sums),
                        _ => tap_row::<L, 1>(tile, gradient, g, (ky, kx), sums),
                    };
                }
            }
            let mut bias = L::splat(0.0);
            for pixel in 0..pixels {
                bias = bias.add(L::load(gradient.as_ptr().add(pixel * L::LEN)));
            }
            add_some(bias, self.sums.as_mut_ptr().add(taps * self.sums_width + self.sums_at), used);
        }
    }
}

/// Where the sums of a row of taps go: one row per tap, `used` channels in each.
#[derive(Clone, Copy)]
struct Sums {
    at: *mut f32,
    width: usize,
    used: usize,
}

/// `N` neighbouring taps of one row of the kernel; returns `N`.
#[inline(always)]
unsafe fn tap_row<L: Lanes, const N: usize>(
    tile: &[f32],
    gradient: &[f32],
    g: Geometry,
    (ky, kx): (usize, usize),
    sums: Sums,
) -> usize {
    unsafe {
        let mut acc = [L::splat(0.0); N];
        for y in 0..g.height {
            let row = tile.as_ptr().add(((y + ky) * g.padded_width() + kx) * L::LEN);
            let gradients = gradient.as_ptr().add(y * g.width * L::LEN);
            for x in 0..g.width {
                let gradient = L::load(gradients.add(x * L::LEN));
                for (tap, acc) in acc.iter_mut().enumerate() {
                    *acc = L::load(row.add((x + tap) * L::LEN)).mul_add(gradient, *acc);
                }
            }
        }
        for (tap, acc) in acc.iter().enumerate() {
            add_some(*acc, sums.at.add(tap * sums.width), sums.used);
        }
    }
    N
}

/// Copies a block of channels into the zero-padded tile. The border and unused lanes are zero already.
#[inline(always)]
fn fill_tile(tile: &mut [f32], input: &[f32], g: Geometry, first: usize, used: usize, lanes: usize) {
    let pad = g.kernel / 2;
    for y in 0..g.height {
        for x in 0..g.width {
            let from = &input[(y * g.width + x) * g.channels + first..][..used];
            let to = ((y + pad) * g.padded_width() + x + pad) * lanes;
            if used == lanes {
                // A constant length lets the compiler use registers instead of a call.
                tile[to..to + lanes].copy_from_slice(&from[..lanes]);
            } else {
                tile[to..to + used].copy_from_slice(from);
            }
        }
    }
}

#[inline(always)]
unsafe fn store_some<L: Lanes>(value: L, to: *mut f32, used: usize) {
    unsafe {
        if used == L::LEN {
            value.store(to);
        } else {
            let mut spill = [0f32; 16];
            value.store(spill.as_mut_ptr());
            std::ptr::copy_nonoverlapping(spill.as_ptr(), to, used);
        }
    }
}

#[inline(always)]
unsafe fn add_some<L: Lanes>(value: L, to: *mut f32, used: usize) {
    unsafe {
        let mut spill = [0f32; 16];
        value.store(spill.as_mut_ptr());
        for (lane, value) in spill.iter().enumerate().take(used) {
            *to.add(lane) += value;
        }
    }
}
