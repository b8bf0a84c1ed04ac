//! Both ends of a link that an experiment describes.

use super::AirConfig;
use crate::experiment::{ConfigError, Prepared, ReadyLink, RunError, Tree, open_experiment};
use crate::links::Setting;
use sememe_blocks::framing::Content;
use sememe_blocks::ofdm::ResourceGrid;

/// An experiment opened for one end of one link.
pub struct OpenedEnd {
    /// The experiment.
    pub prepared: Prepared,
    /// The `[air]` table.
    pub air: AirConfig,
    /// Its grid.
    pub grid: ResourceGrid,
}

/// What bursts of a link say of themselves.
pub struct Announced<'a> {
    /// The link.
    pub link: &'a ReadyLink,
    /// What both ends are told.
    pub setting: Setting,
    /// What payloads are.
    pub content: Content,
    /// The number of the model.
    pub model: u32,
}

impl OpenedEnd {
    /// Opens an experiment.
    ///
    /// - errors: the first thing that cannot be used, by file and key
    pub fn new(tree: &Tree) -> Result<Self, RunError> {
        let prepared = open_experiment(tree)?;
        let air = prepared.experiment.air.clone().unwrap_or_default();
        let grid = air.grid().map_err(|error| {
            RunError::Config(ConfigError::Unreadable {
                origin: tree.origin().into(),
                reason: format!("air.{error}"),
            })
        })?;
        Ok(Self { prepared, air, grid })
    }

    /// The link of a name, or the first.
    ///
    /// - errors: no such link; one that cannot go over the air
    pub fn announced(&self, name: Option<&str>) -> Result<Announced<'_>, RunError> {
        let (link, setting) = self.prepared.at_antenna(name).map_err(RunError::Usage)?;
        let content = link.content(&setting).map_err(|error| RunError::Usage(error.to_string()))?;
        content.check().map_err(|error| RunError::Usage(format!("{}: {error}", link.name)))?;
        let model = self.prepared.model_number(link, &setting);
        Ok(Announced { link, setting, content, model })
    }
}

/// A front's sentence as an error of the run.
pub fn front_error(error: sememe_hw::HwError) -> RunError {
    RunError::Usage(error.to_string())
}
