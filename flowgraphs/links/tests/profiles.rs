//! Links over channels with the conventions of other repositories.

use super::*;
use sememe_blocks::access::Mapping;
use sememe_blocks::channel::{Profile, Variation};
use sememe_blocks::equalizer::Equalizer;

const RICIAN: FadingModel = FadingModel::Rician { k_factor: 2.0 };

/// A setting over a profile, with the equaliser of its receivers.
fn with(profile: Profile, fading: FadingModel) -> Setting {
    let mut setting = setting(Access::Orthogonal, fading);
    setting.channel.profile = Some(profile);
    let fixed = profile.conventions().fading.and_then(|faded| faded.equalizer);
    setting.downlink.equalizer = fixed.unwrap_or(Equalizer::Mmse);
    setting
}

fn mean_psnr(output: &LinkOutput) -> f64 {
    let images: Vec<_> = output.scores.iter().flat_map(|score| &score.images).collect();
    images.iter().map(|image| image.psnr_db()).sum::<f64>() / images.len() as f64
}

#[test]
fn a_label_is_worth_what_the_profile_says() {
    let training = SceneSet::new(SceneConfig { len: 256, seed: 2, ..SceneConfig::default() }).unwrap();
    let link = Klt::fit(&training).unwrap();
    let psnr = |profile, snr, told_snr| {
        let mut at = setting(Access::Orthogonal, FadingModel::Awgn);
        (at.channel.profile, at.snr, at.told_snr) = (profile, Decibel(snr), Decibel(told_snr));
        mean_psnr(&directly(&link, &images(), &at, &scoring()).unwrap())
    };
    let (label, higher) = (9.0, 9.0 + 10.0 * 2f32.log10());
    let (below, above) = (psnr(None, label, label), psnr(None, higher, higher));
    assert!(above > below + 1.0, "{below} dB, {above} dB");
    for profile in [Profile::Chunbaobao, Profile::Lizyoko9] {
        // The same noise on the same symbols, but for rounding.
        let told_the_truth = psnr(Some(profile), label, higher);
        assert!((told_the_truth - above).abs() < 0.01, "{profile}: {told_the_truth} dB, {above} dB");
        // A code for 3 dB less costs little, and gains nothing.
        let told_the_label = psnr(Some(profile), label, label);
        let loss = above - told_the_label;
        assert!((0.0..0.5).contains(&loss), "{profile}: {told_the_label} dB, {above} dB");
    }
    // This code sends every vector at unit power, so that of the batch is the same.
    for profile in [Profile::Adjscc, Profile::Eunc812, Profile::Kmsiapps, Profile::Swinjscc] {
        let found = psnr(Some(profile), label, label);
        assert!((found - below).abs() < 0.01, "{profile}: {found} dB, {below} dB");
    }
}

#[test]
fn the_reference_changes_no_byte() {
    for fading in [FadingModel::Awgn, FadingModel::Rayleigh, RICIAN] {
        let plain = directly(&stand_in(None), &images(), &setting(Access::Orthogonal, fading), &scoring());
        let named = directly(&stand_in(None), &images(), &with(Profile::Adjscc, fading), &scoring());
        assert_eq!(plain.unwrap(), named.unwrap());
    }
}

#[test]
fn flowgraph_and_direct_calls_give_the_same_bytes_for_every_profile() {
    for profile in Profile::ALL {
        for fading in [FadingModel::Awgn, FadingModel::Rayleigh, RICIAN] {
            let at = with(profile, fading);
            if at.channel.check().is_err() {
                continue;
            }
            let output = both(&stand_in(None), &at);
            let air = output.air[0];
            // Mean power 1 over each vector, or over all: the energy of a frame is its uses.
            assert!((air.energy / air.uses as f64 - 1.0).abs() < 1e-5, "{profile}: {air:?}");
        }
    }
}

#[test]
fn fading_that_is_not_equalised_costs_what_it_must() {
    // Signs that turn over cannot be undone by a receiver that does not know them.
    let psnr = |profile, fading| {
        let output = directly(&stand_in(None), &images(), &with(profile, fading), &scoring());
        mean_psnr(&output.unwrap())
    };
    let fading = FadingModel::Rayleigh;
    let equalized = psnr(Profile::Lizyoko9, fading);
    for profile in [Profile::Chunbaobao, Profile::Kmsiapps, Profile::Matthewwang16czap] {
        let blind = psnr(profile, fading);
        assert!(blind + 1.0 < equalized, "{profile}: {blind} dB, {equalized} dB");
    }
    // Magnitudes alone keep every sign.
    assert!(psnr(Profile::Swinjscc, fading) > psnr(Profile::Matthewwang16czap, fading) + 1.0);
}

#[test]
fn what_a_profile_does_not_have_is_refused_before_anything_runs() {
    let error = |change: fn(&mut Setting)| {
        let mut at = with(Profile::Swinjscc, FadingModel::Rayleigh);
        change(&mut at);
        directly(&stand_in(None), &images(), &at, &scoring()).unwrap_err().to_string()
    };
    let equalizer = error(|at| at.downlink.equalizer = Equalizer::Mmse);
    assert!(equalizer.starts_with("block 'channel': equalizer = \"mmse\""), "{equalizer}");
    assert!(error(|at| at.downlink.mapping = Mapping::Real).contains("mapping = \"real\""));
    assert!(error(|at| at.downlink.access = Access::Superposed).contains("access = \"superposed\""));
    let per_symbol = error(|at| at.channel.variation = Variation::PerSymbol);
    assert!(
        per_symbol.contains("variation = \"per_symbol\"") && per_symbol.contains("swinjscc"),
        "{per_symbol}"
    );
}
