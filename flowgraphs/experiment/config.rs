//! An experiment as one documented structure: the same words in TOML, in `--set` and here.

use super::scheme::Scheme;
use super::source::SourceConfig;
use crate::antenna::AirConfig;
use crate::links::{Downlink, StopRule};
use sememe_blocks::access::{Access, Accounting, Mapping, Strategy};
use sememe_blocks::channel::ChannelConfig;
use sememe_blocks::coding::Limit;
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::modem::Demapping;
use sememe_blocks::picture::Packing;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Format of experiment files that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Every link on every channel at every SNR, over the same images, fades and noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Format of the file: 1.
    pub version: u32,
    /// What the figures are titled with.
    #[serde(default)]
    pub title: String,
    /// Seed of scenes, fades, noise and clustering.
    #[serde(default)]
    pub seed: u64,
    /// Where networks are computed: `cpu`, `cuda` or `cuda:N`.
    #[serde(default = "processor", skip_serializing_if = "is_processor")]
    pub device: String,
    /// Mean SNRs in dB per complex channel use, ascending.
    pub snr_db: Vec<f64>,
    /// The images.
    #[serde(default)]
    pub source: SourceConfig,
    /// Users, groups, channel uses.
    #[serde(default)]
    pub downlink: Downlink,
    /// What is written beside the table.
    #[serde(default)]
    pub output: Output,
    /// When a point is known well enough; absent: all images are sent at every point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRule>,
    /// Keys that are varied over the whole experiment, in all combinations of their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vary: Vec<Vary>,
    /// The channels.
    pub channel: Vec<ChannelConfig>,
    /// The lines of the figures.
    pub link: Vec<LinkConfig>,
    /// How links go over the air, for `transmit` and `receive`; simulations have no use for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub air: Option<AirConfig>,
    /// What the run was made with; written by the program, and checked when the file is run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// The device that is not said.
pub(super) fn processor() -> String {
    "cpu".into()
}

fn is_processor(device: &str) -> bool {
    device == processor()
}

/// A `[[link]]` table. What is absent is as in `[downlink]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// One of [`SCHEMES`](super::SCHEMES).
    pub scheme: Scheme,
    /// Name in tables and figures. Default: the scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name of shipped weights, or path of a weights file; for learned schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Overrides `downlink.groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// Overrides `downlink.rho`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// Overrides `downlink.mapping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Overrides `downlink.access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Overrides `downlink.accounting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounting: Option<Accounting>,
    /// Overrides `downlink.clustering`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clustering: Option<Strategy>,
    /// Overrides `downlink.equalizer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equalizer: Option<Equalizer>,
    /// What encoder and decoder are told of the mean SNR differs from the truth by so many dB.
    #[serde(default)]
    pub snr_mismatch_db: f64,
    /// How much of a picture file is sent: `shared` (default: no headers and tables), `file` or `mosaic`; for
    /// JPEG and WebP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packing: Option<Packing>,
    /// `best` (default): the best per channel and SNR on validation images; an index of table 5.1.3.1-2 of 3GPP
    /// TS 38.214; or a modulation and a code rate, such as `qpsk-1/2`. For digital schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcs: Option<toml::Value>,
    /// Iterations of the LDPC decoder at most; default 20. For digital schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<usize>,
    /// `exact` (default) or `max_log`; for digital schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demapping: Option<Demapping>,
    /// The sender knows every fade and takes the best modulation and code rate for it; for digital schemes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub csi_at_transmitter: bool,
    /// Sizes and qualities of the images that are sent, by their numbers; for `outside-table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PathBuf>,
    /// The same of other images, on which `mcs = "best"` is chosen; for `outside-table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_table: Option<PathBuf>,
    /// `shannon` (default) or `finite-length`; for bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

impl LinkConfig {
    /// Name in tables and figures.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.scheme.name().to_owned())
    }

    /// The downlink of this link.
    pub fn downlink(&self, common: &Downlink) -> Downlink {
        let nothing_common = self.scheme != Scheme::GroupSplitting;
        Downlink {
            users: common.users,
            groups: self.groups.unwrap_or(common.groups),
            uses: common.uses,
            rho: self.rho.unwrap_or(if nothing_common { 0.0 } else { common.rho }),
            mapping: self.mapping.unwrap_or(common.mapping),
            access: self.access.unwrap_or(common.access),
            accounting: self.accounting.unwrap_or(common.accounting),
            clustering: self.clustering.unwrap_or(common.clustering),
            equalizer: self.equalizer.unwrap_or(common.equalizer),
        }
    }
}

/// A `[vary]` or `[[vary]]` table: the whole experiment once for each value of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// Dotted path of the key, as for `--set`: `source.share`, `downlink.users`, `channel.0.csi_error_variance`.
    pub key: String,
    /// Its values.
    pub values: Vec<toml::Value>,
}

impl Output {
    /// Whether the scores of every image are written.
    pub fn keeps_images(&self) -> bool {
        self.images || self.compare.is_some()
    }
}

/// Keys that are off need not stand in a resolved configuration.
fn is_false(value: &bool) -> bool {
    !value
}

/// The `[output]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// Draws figures, SVG and PNG.
    pub plots: bool,
    /// Lays out originals and reconstructions side by side, PNG.
    pub contact_sheet: bool,
    /// Writes `report.html`: tables, figures, sheets and configuration on one page.
    pub report: bool,
    /// Name of the link beside which all others are set: where they cross it, and the ratios of their errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<String>,
    /// Writes `images.csv`: the scores of every image at every point. Written for `compare` too, whose intervals
    /// come from pairs of images.
    #[serde(skip_serializing_if = "is_false")]
    pub images: bool,
    /// Images in a row of the sheet.
    pub sheet_images: usize,
    /// SNRs shown in the sheet; empty: lowest, middle and highest.
    pub sheet_snr_db: Vec<f64>,
    /// Measures multi-scale structural similarity.
    pub ms_ssim: bool,
    /// Measures LPIPS with the networks of this folder, `squeezenet1_1.safetensors` and
    /// `lpips_squeeze.safetensors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lpips: Option<PathBuf>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            plots: true,
            contact_sheet: true,
            report: true,
            compare: None,
            images: false,
            sheet_images: 10,
            sheet_snr_db: vec![],
            ms_ssim: true,
            lpips: None,
        }
    }
}

/// The `[provenance]` table of a resolved configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of the program.
    pub program: String,
    /// The images, with their digest where they come from files; those of the first value where a key is varied.
    /// Empty: not checked.
    pub data: String,
    /// SHA-256 of each weights file, by the link's name.
    pub weights: BTreeMap<String, String>,
    /// SHA-256 of the networks of `output.lpips`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lpips: Option<String>,
}
