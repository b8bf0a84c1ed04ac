//! What is known of a transmission while it runs, for whoever looks at it.

use num_complex::Complex32;
use sememe_blocks::framing::{CollectorCounts, ReaderCounts, Reception};
use sememe_hw::Counters;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A status that several blocks write and a display reads.
pub type Shared = Arc<SharedStatus>;

/// The status, and whether everything is to stop.
#[derive(Debug, Default)]
pub struct SharedStatus {
    status: Mutex<Status>,
    stop: Arc<AtomicBool>,
}

/// Counts and last values.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Frames sent.
    pub frames: u64,
    /// Bursts sent.
    pub bursts: u64,
    /// Channel uses of all payloads sent.
    pub uses: u64,
    /// Samples sent.
    pub samples: u64,
    /// Samples whose peaks were cut off.
    pub clipped: u64,
    /// Samples beyond full scale.
    pub beyond_full_scale: u64,
    /// Highest peak over the mean power, in dB.
    pub highest_peak_db: f32,
    /// What the front has counted.
    pub front: Counters,
    /// Why the front was lost the last time.
    pub last_loss: Option<String>,
    /// What the reader has counted.
    pub reader: ReaderCounts,
    /// What the collector has counted.
    pub collector: CollectorCounts,
    /// Samples per second.
    pub sample_rate_hz: f64,
    /// Mean power of the last samples.
    pub power: f32,
    /// What arrived and was no samples.
    pub garbled: u64,
    /// Bursts that could not be marked in the recording.
    pub unmarked: u64,
    /// How the last burst was received.
    pub last: Option<Reception>,
    /// Sum of the SNRs of all bursts in dB, and how many they are.
    pub snr_db: (f64, u64),
    /// Equalised symbols of the last frame.
    pub points: Vec<Complex32>,
    /// Images written.
    pub images: u64,
    /// Of them, those of which nothing was heard.
    pub lost_images: u64,
    /// Sum of PSNRs in dB, and of how many images.
    pub psnr_db: (f64, u64),
}

impl SharedStatus {
    /// A status of nothing yet.
    ///
    /// - stop: raised to end the transmission
    pub fn new(stop: Arc<AtomicBool>) -> Shared {
        Arc::new(Self { status: Mutex::default(), stop })
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Whole values at all times, so a poisoned lock is as good as any.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    /// Changes what is known.
    pub fn update(shared: &Shared, change: impl FnOnce(&mut Status)) {
        change(&mut shared.lock());
    }

    /// What is known now.
    pub fn now(shared: &Shared) -> Status {
        shared.lock().clone()
    }

    /// Whether everything is to stop.
    pub fn is_stopped(shared: &Shared) -> bool {
        shared.stop.load(Ordering::Relaxed)
    }

    /// Takes a burst in.
    pub fn hear(&mut self, reception: &Reception) {
        self.snr_db.0 += 10.0 * f64::from(reception.snr).log10();
        self.snr_db.1 += 1;
        self.last = Some(*reception);
    }

    /// Mean SNR of all bursts in dB.
    pub fn mean_snr_db(&self) -> Option<f64> {
        mean(self.snr_db)
    }

    /// Mean PSNR of all images in dB.
    pub fn mean_psnr_db(&self) -> Option<f64> {
        mean(self.psnr_db)
    }
}

fn mean((sum, count): (f64, u64)) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}
