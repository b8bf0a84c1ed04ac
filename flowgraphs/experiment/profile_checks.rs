//! Which links can cross a channel that has the conventions of another repository.

use super::config::{Experiment, LinkConfig};
use super::config_error::Result;
use super::config_value::from_block;
use super::reading::Tree;
use sememe_blocks::BlockError;

/// Refuses the first channel whose profile a link cannot be combined with.
pub(super) fn check_profiles(
    link: &LinkConfig,
    index: usize,
    experiment: &Experiment,
    tree: &Tree,
) -> Result<()> {
    let is_coded = link.scheme.is_digital() || link.scheme.is_bound();
    let downlink = link.downlink(&experiment.downlink);
    for (number, channel) in experiment.channel.iter().enumerate() {
        let checked = match is_coded {
            true => channel.check_coded(),
            false => channel.check_features(downlink.equalizer, downlink.mapping, downlink.access),
        };
        checked.map_err(|error| {
            let own = format!("link.{index}");
            let place = match key_of(&error) {
                "profile" => format!("channel.{number}"),
                "equalizer" if link.equalizer.is_some() => own,
                "mapping" if link.mapping.is_some() => own,
                "access" if link.access.is_some() => own,
                _ => "downlink".to_owned(),
            };
            tree.located(from_block(error, tree.origin(), &place))
        })?;
    }
    Ok(())
}

fn key_of(error: &BlockError) -> &str {
    match error {
        BlockError::InvalidParameter { name, .. } => name,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
version = 1
snr_db = [0, 6]

[[channel]]
fading = { model = "awgn" }

[[channel]]
fading = { model = "rayleigh" }
profile = "swinjscc"

[[link]]
scheme = "klt"
equalizer = "none"
"#;

    fn read(set: &[&str]) -> Result<Experiment> {
        let changes: Vec<_> = set.iter().map(|change| change.parse().unwrap()).collect();
        Tree::parse(FILE, "a.toml")?.set(&changes)?.experiment()
    }

    #[test]
    fn a_profile_is_read_written_and_read_again() {
        let experiment = read(&[]).unwrap();
        assert_eq!(experiment.channel[1].name(), "rayleigh-swinjscc");
        let text = crate::experiment::resolved_text(&experiment).unwrap();
        assert!(text.contains("profile = \"swinjscc\"") && text.matches("profile").count() == 1, "{text}");
        assert_eq!(Tree::parse(&text, "b.toml").unwrap().experiment().unwrap(), experiment);
        // One file can hold a fading with and without its profile, and one profile over several.
        read(&["channel.0.fading.model=rayleigh"]).unwrap();
        read(&["channel.0.profile=swinjscc"]).unwrap();
        read(&["vary={key='channel.0.profile', values=['chunbaobao', 'kmsiapps']}"]).unwrap();
    }

    #[test]
    fn what_a_profile_cannot_be_combined_with_gets_one_line() {
        for (set, expected) in [
            (
                &["channel.1.profile=swinjsc"][..],
                "channel.1.profile = \"swinjsc\" is not possible: allowed is adjscc, chunbaobao, lizyoko9, eunc812, kmsiapps, swinjscc, matthewwang16czap (did you mean swinjscc?)",
            ),
            (
                &["channel.1.profile=eunc812"],
                "a.toml: channel.1.fading = rayleigh is not possible: allowed is { model = \"awgn\" } with profile = \"eunc812\", which knows no fading",
            ),
            (
                &["channel.1.fading={model='rician', k_factor=2.0}"],
                "channel.1.fading = rician is not possible: allowed is awgn or rayleigh with profile = \"swinjscc\", which knows no other",
            ),
            (
                &["channel.1.variation=per_symbol"],
                "a.toml with --set channel.1.variation: channel.1.variation = \"per_symbol\" is not possible: allowed is no variation with profile = \"swinjscc\", which decides it",
            ),
            (
                &["channel.1.csi_error_variance=0.1"],
                "channel.1.csi_error_variance = 0.1 is not possible: allowed is 0 with profile = \"swinjscc\", which decides it",
            ),
            (
                &["link.0.equalizer=mmse"],
                "a.toml with --set link.0.equalizer: link.0.equalizer = \"mmse\" is not possible: allowed is \"none\" where a channel has profile = \"swinjscc\" and fades: so its receivers work",
            ),
            (
                &["link.0={scheme='klt'}"],
                "a.toml: downlink.equalizer = \"mmse\" is not possible: allowed is \"none\" where a channel has profile = \"swinjscc\" and fades: so its receivers work",
            ),
            (
                &["downlink.mapping=real"],
                "a.toml with --set downlink.mapping: downlink.mapping = \"real\" is not possible: allowed is \"iq\"",
            ),
            (
                &["link.0.access=superposed"],
                "link.0.access = \"superposed\" is not possible: allowed is \"orthogonal\"",
            ),
            (
                &["link.0={scheme='jpeg-ldpc'}"],
                "a.toml: channel.1.profile = \"swinjscc\" is not possible: allowed is adjscc or no profile with coded links",
            ),
            (
                &["link.0={scheme='webp-capacity'}"],
                "a.toml: channel.1.profile = \"swinjscc\" is not possible: allowed is adjscc or no profile with coded links",
            ),
        ] {
            let found = read(set).unwrap_err().to_string();
            assert!(!found.contains('\n'), "more than one line: {found}");
            assert!(found.contains(expected), "--set {set:?}\n  found    {found}\n  expected {expected}");
        }
        read(&["link.0={scheme='jpeg-ldpc'}", "channel.1.profile=adjscc"]).unwrap();
    }
}
