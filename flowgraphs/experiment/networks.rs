//! The networks of an experiment: each opened once, where the experiment computes.

use super::config::Experiment;
use super::config_error::{ConfigError, Result};
use super::digest;
use super::reading::Tree;
use sememe_models::device::{Device, Place};
use sememe_models::tensor_error::in_one_line;
use sememe_models::transceiver::Model;
use sememe_models::weights::{SHIPPED, load, shipped};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What an experiment is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be run; a GPU is opened.
    Run,
    /// To be checked, perhaps on a machine without the GPU it will run on.
    Check,
}

/// Networks by the digest of their weights, on one device.
pub struct Networks {
    device: Device,
    models: BTreeMap<String, Arc<Model>>,
}

impl Networks {
    /// None yet, on the device of an experiment.
    ///
    /// - errors: an unknown device; where it is to run, one that cannot be opened
    pub fn new(experiment: &Experiment, tree: &Tree, purpose: Purpose) -> Result<Self> {
        let refused = |reason: String| ConfigError::Unreadable {
            origin: tree.origin_of("device"),
            reason: format!("device: {reason}"),
        };
        let place: Place = experiment.device.parse().map_err(refused)?;
        let device = match purpose {
            Purpose::Run => place.open().map_err(refused)?,
            Purpose::Check => Device::Cpu,
        };
        Ok(Self { device, models: BTreeMap::new() })
    }

    /// Weights by name or path, with their digest. Equal weights are the same model.
    ///
    /// - errors: why they cannot be used, in one line
    pub fn open(&mut self, weights: &str) -> std::result::Result<(Arc<Model>, String), String> {
        let model = open_weights(weights)?;
        let digest = digest::of_model(&model)?;
        if let Some(known) = self.models.get(&digest) {
            return Ok((Arc::clone(known), digest));
        }
        let model = match self.device.is_cpu() {
            true => model,
            false => Arc::new(model.on(&self.device).map_err(|error| in_one_line(&error))?),
        };
        self.models.insert(digest.clone(), Arc::clone(&model));
        Ok((model, digest))
    }
}

/// Shipped weights by name, other weights by path.
pub fn open_weights(name: &str) -> std::result::Result<Arc<Model>, String> {
    let opened = match SHIPPED.contains(&name) {
        true => shipped(name),
        false if Path::new(name).exists() => load(Path::new(name)),
        false => {
            return Err(format!(
                "no such file, nor shipped weights: allowed are a path, {}",
                SHIPPED.join(", ")
            ));
        }
    };
    opened.map_err(|error| error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(device: &str) -> (Experiment, Tree) {
        let text = format!(
            "version = 1\ndevice = {device:?}\nsnr_db = [0]\n[[channel]]\nfading = {{ model = \"awgn\" }}\n\
             [[link]]\nscheme = \"klt\""
        );
        let tree = Tree::parse(&text, "a.toml").unwrap();
        (tree.experiment().unwrap(), tree)
    }

    #[test]
    fn equal_weights_are_opened_once() {
        let (experiment, tree) = experiment("cpu");
        let mut networks = Networks::new(&experiment, &tree, Purpose::Run).unwrap();
        let (first, _) = networks.open("deep-jscc").unwrap();
        let (second, _) = networks.open("deep-jscc").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(networks.open("nothing").err().unwrap().contains("spatial-compact"));
    }

    #[test]
    fn devices_are_checked_whatever_the_links_are() {
        let (bad, tree) = experiment("banana");
        for purpose in [Purpose::Run, Purpose::Check] {
            let error = Networks::new(&bad, &tree, purpose).err().unwrap().to_string();
            assert!(
                error.contains("banana") && error.contains("allowed are cpu, cuda and cuda:N"),
                "{error}"
            );
        }
        let (gpu, tree) = experiment("cuda");
        assert!(Networks::new(&gpu, &tree, Purpose::Check).is_ok());
    }
}
