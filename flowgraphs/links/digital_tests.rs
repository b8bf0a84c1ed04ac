//! The classical lines end to end: equal in both runtimes, exact in what they count, honest in what they choose.

use super::*;
use crate::adapters::RunOptions;
use ndarray::Array3;
use sememe_blocks::Decibel;
use sememe_blocks::channel::{ChannelConfig, FadingModel, Phases};
use sememe_blocks::coding::{BlockPlan, CodedModulation, Limit, Recipients, TransportFormat};
use sememe_blocks::picture::{LadderStore, Packing, PictureCodec, PictureCoder};
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{SceneConfig, SceneSet};
use std::sync::Arc;

const USES: usize = 256;
const USERS: usize = 10;
/// Of blocks over two fades.
const COMMON_SHARE: f64 = 0.25;

fn setting(fading: FadingModel, snr_db: f32) -> Setting {
    let snr = Decibel(snr_db);
    let downlink = Downlink { users: USERS, groups: 2, uses: USES, ..Downlink::default() };
    let channel = ChannelConfig::new(fading);
    Setting { key: RngKey::new(5), downlink, channel, snr, told_snr: snr, size: (16, 16) }
}

fn scenes(len: usize, seed: u64) -> SceneSet {
    SceneSet::new(SceneConfig { len, seed, height: 16, width: 16, ..SceneConfig::default() }).unwrap()
}

fn images() -> Images {
    Images { set: Arc::new(scenes(30, 1)), first: 0, limit: None }
}

fn mean_image() -> Array3<u8> {
    Array3::from_elem((16, 16, 3), 128)
}

fn scoring() -> Scoring {
    Scoring { ms_ssim: false, lpips: None, stop: None, kept_frames: 3, mean_image: Arc::new(mean_image()) }
}

fn ladders(packing: Packing) -> Arc<LadderStore> {
    let num_images = if packing == Packing::Mosaic { USERS } else { 1 };
    let coder = PictureCoder::new(PictureCodec::Jpeg, packing, (16, 16), num_images).unwrap();
    Arc::new(LadderStore::new(coder, 8 * USES * num_images))
}

fn digital(packing: Packing, name: &str) -> Digital {
    let (recipients, sharers) = match packing {
        Packing::Mosaic => (Recipients::All, USERS),
        _ => (Recipients::Each, 1),
    };
    let format = TransportFormat::new(name.parse().unwrap(), USES * sharers).unwrap();
    let plan = Arc::new(BlockPlan::fixed(format, recipients));
    Digital { ladders: ladders(packing), plan, receiver: Receiver::default() }
}

fn line(rule: McsRule) -> DigitalLine {
    let formats = CodedModulation::grid().into_iter().filter_map(|s| TransportFormat::new(s, USES).ok());
    let reliability =
        Reliability::new(5, formats.collect(), Recipients::Each, Receiver::default(), COMMON_SHARE);
    let reliability = Arc::new(reliability);
    let validation = Arc::new(Validation::new(&scenes(50, 2), &mean_image()).unwrap());
    let pictures = Pictures::Coded(ladders(Packing::Shared));
    DigitalLine::new(pictures, reliability, Recipients::Each, Receiver::default(), rule, Some(validation))
}

fn bound(limit: Limit) -> IdealLine {
    let validation = Arc::new(Validation::new(&scenes(50, 2), &mean_image()).unwrap());
    let (ladders, key) = (ladders(Packing::Shared), RngKey::new(99));
    IdealLine { ladders, limit, validation, key, common_share: COMMON_SHARE }
}

/// The output of both runtimes, which must be equal.
fn both(link: &impl Link, setting: &Setting) -> LinkOutput {
    let flowgraph = in_flowgraph(link, &images(), setting, &scoring(), &RunOptions::default()).unwrap();
    assert_eq!(flowgraph, directly(link, &images(), setting, &scoring()).unwrap());
    flowgraph
}

fn mean_psnr(output: &LinkOutput) -> f64 {
    let psnrs: Vec<f64> =
        output.scores.iter().flat_map(|frame| &frame.images).map(|image| image.psnr_db()).collect();
    psnrs.iter().sum::<f64>() / psnrs.len() as f64
}

fn num_lost(output: &LinkOutput) -> usize {
    output.scores.iter().flat_map(|frame| &frame.images).filter(|image| image.lost).count()
}

#[test]
fn without_noise_the_picture_arrives_as_the_coder_made_it_and_every_use_is_counted() {
    for packing in [Packing::Shared, Packing::File, Packing::Mosaic] {
        let link = digital(packing, "64qam-2/3");
        let output = both(&link, &setting(FadingModel::Awgn, 30.0));
        assert_eq!(num_lost(&output), 0);
        let payload = link.plan.formats()[0].payload_len();
        let mut expected = Vec::new();
        for frame in 0..3 {
            let batch =
                images().set.batch(frame, &(0..USERS).map(|u| u + 10 * frame as usize).collect::<Vec<_>>());
            let batch = batch.unwrap();
            let views: Vec<_> = batch.pixels.outer_iter().collect();
            for stream in views.chunks(link.ladders.coder().num_images()) {
                let best = *link.ladders.ladder(stream).unwrap().best_within(payload).unwrap();
                assert!(8 * best.bytes <= payload);
                expected.push(best.psnr_db);
            }
        }
        let expected = expected.iter().sum::<f64>() / expected.len() as f64;
        assert!((mean_psnr(&output) - expected).abs() < 1e-9, "{packing:?}");
        for air in &output.air {
            assert_eq!(air.uses, USERS * USES);
            assert!((air.energy / (USERS * USES) as f64 - 1.0).abs() < 0.05);
            let heard = if packing == Packing::Mosaic { USERS } else { 1 };
            assert_eq!(air.heard, USERS * USES * heard);
        }
        let unfit: usize = output.payloads.unwrap().iter().map(|frame| frame.unfit).sum();
        assert_eq!(unfit > 0, packing == Packing::File, "no file of 16 x 16 is so short");
    }
}

#[test]
fn in_deep_noise_everything_is_lost_and_counted() {
    for packing in [Packing::Shared, Packing::Mosaic] {
        let output = both(&digital(packing, "qpsk-1/2"), &setting(FadingModel::Rayleigh, -20.0));
        assert_eq!(num_lost(&output), 30);
        assert_eq!(output.scores[0].received.as_ref().unwrap().pixels[[3, 4, 5, 0]], 128);
    }
}

#[test]
fn the_chosen_scheme_is_the_best_of_the_grid_on_the_validation_images() {
    let line = line(McsRule::Best);
    for (fading, snr) in [(FadingModel::Awgn, 6.0), (FadingModel::Awgn, 7.3), (FadingModel::Rayleigh, 12.0)] {
        let at = setting(fading, snr);
        let (plan, name) = line.plan(&at).unwrap();
        let promises = line.promises(&at.channel, at.told_snr).unwrap();
        let formats = line.reliability.formats();
        let chosen = formats.iter().position(|format| format.scheme().to_string() == name).unwrap();
        assert!(promises.iter().all(|promise| *promise <= promises[chosen]), "{name} {promises:?}");
        // The promise is kept by the link itself, on the validation images, over other fades and noise.
        let validation = Images { set: Arc::new(scenes(50, 2)), first: 0, limit: None };
        let measured = |plan: &Arc<BlockPlan>| {
            mean_psnr(&directly(&line.link(plan).unwrap(), &validation, &at, &scoring()).unwrap())
        };
        let best = measured(&plan);
        // 50 fades: the share of lost blocks has a standard error of 7 % of some 12 dB.
        let tolerance = if fading == FadingModel::Awgn { 0.6 } else { 2.5 };
        assert!((best - promises[chosen]).abs() < tolerance, "{name}: {best} {}", promises[chosen]);
        for format in formats.iter().step_by(5) {
            let other = measured(&Arc::new(BlockPlan::fixed(format.clone(), Recipients::Each)));
            assert!(best > other - tolerance / 2.0, "{name} {best}, {} {other}", format.scheme());
        }
    }
}

#[test]
fn a_choice_is_remembered_by_its_name() {
    let line = line(McsRule::Best);
    let at = setting(FadingModel::Awgn, 6.0);
    line.remember(&at.channel, at.told_snr, "bpsk-1/5");
    assert_eq!(line.plan(&at).unwrap().1, "bpsk-1/5");
}

#[test]
fn shares_from_curves_are_those_of_the_channel_itself() {
    let formats = vec![TransportFormat::new("qpsk-1/2".parse().unwrap(), USES).unwrap()];
    let reliability = Reliability::new(7, formats, Recipients::Each, Receiver::default(), COMMON_SHARE);
    let channel = ChannelConfig::new(FadingModel::Rayleigh);
    let averaged = reliability.share(0, &channel, Decibel(8.0)).unwrap();
    let link = digital(Packing::Shared, "qpsk-1/2");
    let many = Images { set: Arc::new(scenes(600, 3)), first: 0, limit: None };
    let output = directly(&link, &many, &setting(FadingModel::Rayleigh, 8.0), &scoring()).unwrap();
    let tried = 1.0 - num_lost(&output) as f64 / 600.0;
    // 600 fades: standard error below 0.02; 3 sigma.
    assert!((averaged - tried).abs() < 0.06, "{averaged} from the curve, {tried} tried");
    assert_eq!(reliability.share(0, &ChannelConfig::new(FadingModel::Awgn), Decibel(-20.0)).unwrap(), 0.0);
    assert_eq!(reliability.share(0, &ChannelConfig::new(FadingModel::Awgn), Decibel(20.0)).unwrap(), 1.0);
}

#[test]
fn a_sender_that_knows_its_fades_gains_and_bounds_are_never_passed() {
    let at = setting(FadingModel::Rayleigh, 10.0);
    let many = Images { set: Arc::new(scenes(100, 3)), first: 0, limit: None };
    let measured = |rule| {
        let line = line(rule);
        let (plan, _) = line.plan(&at).unwrap();
        mean_psnr(
            &in_flowgraph(&line.link(&plan).unwrap(), &many, &at, &scoring(), &RunOptions::default())
                .unwrap(),
        )
    };
    let (blind, informed) = (measured(McsRule::Best), measured(McsRule::PerFade));
    assert!(informed > blind + 1.0, "{informed} dB knowing, {blind} dB not");
    let bound = |limit| {
        let link = bound(limit).link(&at).unwrap();
        assert_eq!(both(&link, &at).air[0].uses, USERS * USES);
        mean_psnr(&directly(&link, &many, &at, &scoring()).unwrap())
    };
    let (shannon, short) = (bound(Limit::Shannon), bound(Limit::FiniteLength));
    assert!(shannon > short && short > blind, "{shannon}, {short}, {blind}");
}

/// The same point, each phase of a frame with a fade of its own.
fn over_two_fades(snr_db: f32) -> Setting {
    let mut at = setting(FadingModel::Rayleigh, snr_db);
    at.channel.phases = Phases::Independent;
    at
}

/// A link whose code words lie on a channel as those of an experiment do.
fn on(at: &Setting, name: &str) -> Digital {
    let link = digital(Packing::Shared, name);
    let plan = link.plan.as_ref().clone().over(&at.channel, COMMON_SHARE).unwrap();
    Digital { plan: Arc::new(plan), ..link }
}

#[test]
fn code_words_span_both_fades_at_the_same_uses_and_lose_less() {
    let many = Images { set: Arc::new(scenes(600, 3)), first: 0, limit: None };
    let lost = |at: &Setting| {
        let output = directly(&on(at, "qpsk-1/2"), &many, at, &scoring()).unwrap();
        assert!(output.air.iter().all(|air| (air.uses, air.heard) == (USERS * USES, USERS * USES)));
        num_lost(&output)
    };
    let (one, two) = (lost(&setting(FadingModel::Rayleigh, 10.0)), lost(&over_two_fades(10.0)));
    // About 70 and 45 of 600, of which three quarters of the symbols meet the same fades.
    assert!(two + 10 < one && two > 10, "{two} over two fades, {one} over one");
    for packing in [Packing::Shared, Packing::Mosaic] {
        let link = digital(packing, "16qam-1/2");
        let at = over_two_fades(14.0);
        let plan = link.plan.as_ref().clone().over(&at.channel, COMMON_SHARE).unwrap();
        both(&Digital { plan: Arc::new(plan), ..link }, &at);
    }
}

#[test]
fn effective_snrs_promise_what_two_fades_deliver() {
    let many = Images { set: Arc::new(scenes(600, 3)), first: 0, limit: None };
    for (name, snr_db) in [("qpsk-1/3", 4.0), ("16qam-1/2", 12.0), ("64qam-2/3", 20.0)] {
        let formats = vec![TransportFormat::new(name.parse().unwrap(), USES).unwrap()];
        let reliability = Reliability::new(7, formats, Recipients::Each, Receiver::default(), COMMON_SHARE);
        let at = over_two_fades(snr_db);
        let promised = reliability.share(0, &at.channel, at.snr).unwrap();
        let output = directly(&on(&at, name), &many, &at, &scoring()).unwrap();
        let delivered = 1.0 - num_lost(&output) as f64 / 600.0;
        // 600 fades: standard error at most 0.02; 3 sigma.
        assert!((promised - delivered).abs() < 0.06, "{name}: {promised} promised, {delivered} delivered");
        assert!((0.3..0.95).contains(&delivered), "{name}: {delivered} shows nothing");
    }
}

#[test]
fn over_two_fades_senders_that_know_them_gain_and_the_bound_stands_above() {
    let at = over_two_fades(10.0);
    let many = Images { set: Arc::new(scenes(100, 3)), first: 0, limit: None };
    let measured = |rule| {
        let line = line(rule);
        let (plan, _) = line.plan(&at).unwrap();
        assert_eq!(plan.span().common_uses(), USES / 4);
        mean_psnr(&directly(&line.link(&plan).unwrap(), &many, &at, &scoring()).unwrap())
    };
    let (blind, informed) = (measured(McsRule::Best), measured(McsRule::PerFade));
    assert!(informed > blind + 0.5, "{informed} dB knowing, {blind} dB not");
    let bound = bound(Limit::FiniteLength).link(&at).unwrap();
    assert_eq!(bound.span.common_uses(), USES / 4);
    let bound = mean_psnr(&directly(&bound, &many, &at, &scoring()).unwrap());
    assert!(bound > blind, "{bound} dB at most, {blind} dB");
}
