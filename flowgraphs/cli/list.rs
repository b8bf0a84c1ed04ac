//! `sememe list`: what can be named in configuration files.

use sememe::experiment::SCHEMES;
use sememe::registry::Registry;
use sememe_blocks::channel::Profile;
use sememe_models::transceiver::Architecture;
use sememe_models::weights::SHIPPED;

/// The lists.
pub fn text() -> String {
    let mut text = "links ([[link]] scheme = ...)\n".to_owned();
    for (name, summary) in SCHEMES {
        text.push_str(&format!("  {name:<16} {summary}\n"));
    }
    text.push_str("\nshipped weights ([[link]] weights = ...)\n");
    for name in SHIPPED {
        text.push_str(&format!("  {name}\n"));
    }
    text.push_str("\nmodel presets (training files, model.preset = ...)\n");
    for name in Architecture::presets() {
        text.push_str(&format!("  {name}\n"));
    }
    text.push_str("\ncompatibility profiles ([[channel]] profile = ...)\n");
    for profile in Profile::ALL {
        text.push_str(&format!("  {:<18} {}\n", profile.name(), profile.conventions().summary));
    }
    text.push_str("\nblocks ([[block]] kind = ...)\n");
    let registry = Registry::builtin();
    let width = registry.iter().map(|entry| entry.name().len()).max().unwrap_or(0);
    for entry in registry.iter() {
        let shape = entry.to_string();
        // The entry's own line is its name and what travels through it.
        let ports = shape.strip_prefix(entry.name()).unwrap_or(&shape).trim();
        text.push_str(&format!(
            "  {:<width$}  {}\n  {:<width$}  {ports}\n",
            entry.name(),
            entry.summary(),
            ""
        ));
    }
    text
}
