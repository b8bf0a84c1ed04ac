//! Graphs described in TOML, built from registered blocks.

use super::{Entry, Registry, RegistryError};
use crate::adapters::{Graph, Node, PortType};
use serde::{Deserialize, Serialize};

/// Blocks and the wires between them.
///
/// ```toml
/// [[block]]
/// name = "noise"            # any name without a dot, once
/// kind = "awgn"             # a registered block
/// snr_db = 10.0             # its parameters
///
/// [[wire]]
/// from = "fork.second"      # the port may be left out where a block has one
/// to = "noise"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeGraph {
    /// The blocks: `name`, `kind` and parameters.
    #[serde(default, rename = "block")]
    pub blocks: Vec<toml::Table>,
    /// The wires.
    #[serde(default, rename = "wire")]
    pub wires: Vec<WireTable>,
}

/// One wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireTable {
    /// `block`, or `block.output` where the block has several outputs.
    pub from: String,
    /// `block`, or `block.input` where the block has several inputs.
    pub to: String,
}

impl FreeGraph {
    /// Reads a description.
    ///
    /// - errors: `Syntax`, with line and column
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        toml::from_str(text).map_err(|error: toml::de::Error| RegistryError::Syntax(error.to_string()))
    }

    /// Builds the graph, ready to run.
    ///
    /// - errors: the first block, key, wire or port that is wrong, and what is allowed
    pub fn build(&self, registry: &Registry) -> Result<Graph, RegistryError> {
        let mut graph = Graph::new();
        for (index, table) in self.blocks.iter().enumerate() {
            place(index + 1, table.clone(), registry, &mut graph)?;
        }
        for wire in &self.wires {
            let (from, output) = resolve(wire, "from", &graph)?;
            let (to, input) = resolve(wire, "to", &graph)?;
            graph.wire(from, output, to, input)?;
        }
        graph.check()?;
        Ok(graph)
    }
}

fn place(
    number: usize,
    mut table: toml::Table,
    registry: &Registry,
    graph: &mut Graph,
) -> Result<(), RegistryError> {
    let mut text = |key: &'static str| match table.remove(key) {
        Some(toml::Value::String(text)) if !text.is_empty() => Ok(text),
        Some(other) => {
            let reason = format!("= {other} is not possible: allowed is a string that is not empty");
            Err(RegistryError::Identity { number, key, reason })
        }
        None => Err(RegistryError::Identity { number, key, reason: "is missing".into() }),
    };
    let (name, kind) = (text("name")?, text("kind")?);
    if name.contains('.') {
        let reason = format!("= \"{name}\" is not possible: a dot separates block and port in wires");
        return Err(RegistryError::Identity { number, key: "name", reason });
    }
    let Some(entry) = registry.get(&kind) else {
        let allowed = registry.iter().map(Entry::name).collect::<Vec<_>>().join(", ");
        return Err(RegistryError::UnknownKind { block: name, found: kind, allowed });
    };
    match entry.place(&table, graph, &name) {
        Ok(_) => Ok(()),
        Err(reason) => Err(RegistryError::Params { block: name, kind, reason }),
    }
}

/// The block and port that one end of a wire names.
fn resolve(wire: &WireTable, key: &'static str, graph: &Graph) -> Result<(Node, usize), RegistryError> {
    let is_output = key == "from";
    let end = if is_output { &wire.from } else { &wire.to };
    let refuse = |reason: String| {
        let wire = format!("{} -> {}", wire.from, wire.to);
        Err(RegistryError::WireEnd { wire, key, found: end.clone(), reason })
    };
    let (block, port) = match end.split_once('.') {
        Some((block, port)) => (block, Some(port)),
        None => (end.as_str(), None),
    };
    let Some(node) = graph.find(block) else {
        return refuse(format!(
            "no block is named '{block}': allowed are {}",
            graph.names().collect::<Vec<_>>().join(", ")
        ));
    };
    let ports: Vec<&PortType> =
        if is_output { graph.outputs(node).collect() } else { graph.inputs(node).collect() };
    let direction = if is_output { "output" } else { "input" };
    let allowed = || ports.iter().map(|port| format!("{block}.{}", port.name)).collect::<Vec<_>>().join(", ");
    match (port, ports.len()) {
        (_, 0) => refuse(format!("block '{block}' has no {direction}")),
        (None, 1) => Ok((node, 0)),
        (None, _) => refuse(format!("block '{block}' has several {direction}s: allowed are {}", allowed())),
        (Some(port), _) => match ports.iter().position(|candidate| candidate.name == port) {
            Some(index) => Ok((node, index)),
            None => refuse(format!("block '{block}' has no {direction} '{port}': allowed are {}", allowed())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = r#"
        block = [
            { name = "scenes", kind = "scenes", walk = { users = 6 }, scenes = { height = 16, width = 16, len = 18 } },
            { name = "fork", kind = "tee_images" },
            { name = "originals", kind = "discard_images" },
            { name = "encoder", kind = "klt_encoder", height = 16, width = 16, private_len = 64, snr_db = 10.0, fit_images = 60 },
            { name = "mapper", kind = "feature_mapper" },
            { name = "power", kind = "power_norm" },
            { name = "fading", kind = "fading", fading = { model = "rayleigh" } },
            { name = "noise", kind = "awgn", snr_db = 10.0 },
            { name = "equalizer", kind = "equalizer", method = "mmse" },
            { name = "demapper", kind = "feature_demapper", private_len = 64 },
            { name = "decoder", kind = "klt_decoder", height = 16, width = 16, private_len = 64, snr_db = 10.0, fit_images = 60 },
            { name = "received", kind = "discard_images" },
        ]
        wire = [
            { from = "scenes", to = "fork" },
            { from = "fork.first", to = "originals" },
            { from = "fork.second", to = "encoder.input" },
            { from = "encoder", to = "mapper" },
            { from = "mapper", to = "power" },
            { from = "power", to = "fading" },
            { from = "fading", to = "noise" },
            { from = "noise", to = "equalizer" },
            { from = "equalizer", to = "demapper" },
            { from = "demapper", to = "decoder" },
            { from = "decoder", to = "received" },
        ]"#;

    fn built(text: &str) -> Result<Graph, RegistryError> {
        FreeGraph::parse(text)?.build(&Registry::builtin())
    }

    #[test]
    fn a_whole_link_is_built_from_text_and_runs() {
        built(LINK).unwrap().run().unwrap();
    }

    #[test]
    fn the_same_link_goes_over_samples() {
        let fading = r#"{ name = "fading", kind = "fading", fading = { model = "rayleigh" } }"#;
        let noise = r#"{ name = "noise", kind = "awgn", snr_db = 10.0 }"#;
        let modulator = r#"{ name = "fading", kind = "ofdm_modulator", numerology = "narrow", gap = 300 },
            { name = "carrier", kind = "carrier_offset", frequency = 0.04 }"#;
        let demodulator = r#"{ name = "air", kind = "sample_noise", variance = 0.1 },
            { name = "noise", kind = "ofdm_demodulator", numerology = "narrow", users = 6, most_offset = 0.1 }"#;
        let wire = r#"{ from = "fading", to = "noise" },"#;
        let wires = r#"{ from = "fading", to = "carrier" }, { from = "carrier", to = "air" }, { from = "air", to = "noise" },"#;
        let text = LINK.replace(fading, modulator).replace(noise, demodulator).replace(wire, wires);
        assert_ne!(text, LINK);
        built(&text).unwrap().run().unwrap();
        let error = built(&text.replace("users = 6, most", "user = 6, most")).err().unwrap().to_string();
        assert!(error.contains("block 'noise'") && error.contains("users"), "{error}");
    }

    #[test]
    fn a_description_survives_its_own_text() {
        let graph = FreeGraph::parse(LINK).unwrap();
        assert_eq!(FreeGraph::parse(&toml::to_string(&graph).unwrap()).unwrap(), graph);
    }

    #[test]
    fn every_mistake_is_named_with_what_is_allowed() {
        let changed = |from: &str, to: &str| {
            assert!(LINK.contains(from));
            built(&LINK.replacen(from, to, 1)).err().unwrap().to_string()
        };
        let contains = |error: String, parts: &[&str]| {
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        contains(
            changed("\"awgn\"", "\"agwn\""),
            &["block 'noise'", "\"agwn\"", "allowed are awgn, carrier_offset, channel_decoder"],
        );
        contains(changed("method", "methd"), &["block 'equalizer' of kind 'equalizer'", "methd", "method"]);
        contains(changed("\"mmse\"", "\"mse\""), &["block 'equalizer'", "mse", "`none`, `zf`, `mmse`"]);
        contains(
            changed("snr_db = 10.0 }", "snr_db = nan }"),
            &["block 'noise' of kind 'awgn'", "snr_db = NaN"],
        );
        contains(changed("kind = \"power_norm\"", "kid = 1"), &["block number 6", "'kind' is missing"]);
        contains(changed("\"power\", kind", "\"po.wer\", kind"), &["block number 6", "po.wer", "dot"]);
        contains(changed("\"mapper\", kind", "\"power\", kind"), &["named 'mapper'"]);
        contains(changed("\"fork.first\"", "\"fork\""), &["fork -> originals", "fork.first, fork.second"]);
        contains(
            changed("\"fork.first\"", "\"fork.third\""),
            &["no output 'third'", "fork.first, fork.second"],
        );
        contains(changed("from = \"decoder\"", "from = \"received\""), &["block 'received' has no output"]);
        contains(changed("from = \"noise\"", "from = \"nose\""), &["no block is named 'nose'", "noise"]);
        contains(
            changed("to = \"fading\"", "to = \"noise\""),
            &["carries SymbolFrame", "takes ReceivedFrame"],
        );
        contains(changed("{ from = \"scenes\", to = \"fork\" },", ""), &["not connected"]);
        contains(changed("\"fork.second\"", "\"fork.first\""), &["already feeds 'originals'"]);
        contains(changed("wire =", "wires ="), &["wires"]);
    }
}
