//! Frames to try kernels with. All describe one small downlink and fit together: K = 6 users in
//! G = 2 groups, images of 16 x 16, L_p = 64 private and L_c = 8 common features, two features to a
//! channel use. Every function gives [`NUM_FRAMES`] frames; the n-th of each has number n.

use ndarray::{Array, Array4, Dimension, ShapeBuilder};
use num_complex::Complex32;
use sememe_blocks::Grouping;
use sememe_blocks::frame::{
    Destination, EncodedUsers, EqualizedFrame, EqualizedSlot, Features, GroupedUsers, ImageBatch, Phase,
    ReceivedFeatures, ReceivedFrame, ReceivedSlot, Slot, SymbolFrame, Truth,
};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, complex_normal, normal};

/// Frames of each kind.
pub const NUM_FRAMES: u64 = 5;
/// Users, K.
pub const NUM_USERS: usize = 6;
/// Groups, G.
pub const NUM_GROUPS: usize = 2;
/// Height and width of images.
pub const SIDE: usize = 16;
/// Private features per user, L_p.
pub const PRIVATE_LEN: usize = 64;
/// Common features per group, L_c.
pub const COMMON_LEN: usize = 8;

const SEED: u64 = 2024;

/// Images of random pixels.
pub fn images() -> Vec<ImageBatch> {
    frames(|frame, rng| {
        let pixels = Array4::from_shape_simple_fn((NUM_USERS, SIDE, SIDE, 3), || {
            (128.0 + 50.0 * normal(rng)).clamp(0.0, 255.0) as u8
        });
        ImageBatch { frame, pixels, truth: Truth { groups: Some(grouping()), ..Truth::default() } }
    })
}

/// Encoded users with small maps.
pub fn encoded() -> Vec<EncodedUsers> {
    frames(|frame, rng| {
        let maps = reals((NUM_USERS, 4, 4, 3), rng);
        EncodedUsers { frame, maps, private: reals((NUM_USERS, PRIVATE_LEN), rng) }
    })
}

/// Encoded users in groups.
pub fn grouped() -> Vec<GroupedUsers> {
    encoded().into_iter().map(|users| GroupedUsers { users, grouping: grouping() }).collect()
}

/// Features to be sent.
pub fn features() -> Vec<Features> {
    frames(|frame, rng| {
        let private = reals((NUM_USERS, PRIVATE_LEN), rng);
        let common = reals((NUM_GROUPS, COMMON_LEN), rng);
        Features { frame, private, common, grouping: grouping() }
    })
}

/// Common slots, then private slots, not yet normalised.
pub fn symbols() -> Vec<SymbolFrame> {
    frames(|frame, rng| {
        let mut slot = |destination, phase, reals: usize| Slot {
            destination,
            phase,
            symbols: complex_normal(rng, 2.0, reals / 2),
        };
        let common = |group| (Destination::Group(group), Phase::Common, COMMON_LEN);
        let private = |user| (Destination::User(user), Phase::Private, PRIVATE_LEN);
        let all = (0..NUM_GROUPS).map(common).chain((0..NUM_USERS).map(private));
        let slots = all.map(|(destination, phase, len)| slot(destination, phase, len)).collect();
        SymbolFrame { frame, grouping: grouping(), slots }
    })
}

/// What each user hears over a channel of one fade per slot.
pub fn received() -> Vec<ReceivedFrame> {
    frames(|frame, rng| {
        let users = (0..NUM_USERS).map(|user| {
            heard_by(user).map(|(destination, phase, len)| ReceivedSlot {
                destination,
                phase,
                symbols: complex_normal(rng, 1.1, len / 2),
                csi: complex_normal(rng, 1.0, 1),
                noise_variance: 0.1,
            })
        });
        ReceivedFrame { frame, grouping: grouping(), users: users.map(Vec::from).collect() }
    })
}

/// What each user has after equalisation.
pub fn equalized() -> Vec<EqualizedFrame> {
    equalized_as(|user, slot, rng| {
        let (destination, phase, len) = heard_by(user)[slot];
        (destination, phase, complex_normal(rng, 1.0, len / 2))
    })
}

/// As [`equalized`], before a superposition is taken apart: every slot is everyone's, and all
/// vectors of a phase lie in one slot, as often as there are vectors.
pub fn equalized_superposed() -> Vec<EqualizedFrame> {
    equalized_as(|user, slot, rng| {
        let (_, phase, len) = heard_by(user)[slot];
        let vectors = if phase == Phase::Common { NUM_GROUPS } else { NUM_USERS };
        (Destination::All, phase, complex_normal(rng, 1.0, vectors * len / 2))
    })
}

/// Features as they were received; one user of every frame heard nothing.
pub fn received_features() -> Vec<ReceivedFeatures> {
    frames(|frame, rng| {
        let lost_user = frame as usize % NUM_USERS;
        let lost: Vec<bool> = (0..NUM_USERS).map(|user| user == lost_user).collect();
        let snr: Vec<f32> = lost.iter().map(|lost| if *lost { 0.0 } else { 10.0 }).collect();
        ReceivedFeatures {
            frame,
            private: reals((NUM_USERS, PRIVATE_LEN), rng),
            common: reals((NUM_USERS, COMMON_LEN), rng),
            common_snr: snr.clone(),
            snr,
            lost,
        }
    })
}

/// Complex samples at the antenna.
pub fn samples() -> Vec<Complex32> {
    complex_normal(&mut RngKey::new(SEED).stream(Purpose::Scene, 0, 0), 1.0, 10_000)
}

/// Bursts of OFDM, of four frames of three users that each hear a slot of their own.
pub fn bursts() -> Vec<Complex32> {
    use sememe_blocks::framing::{BurstWriter, Content, FrameModulator, SlotBursts};
    use sememe_blocks::kernel::Modulator;
    use sememe_blocks::ofdm::{Numerology, ResourceGrid};
    let grid = ResourceGrid::new(Numerology::NARROW).expect("a preset");
    let writer = BurstWriter::new(&grid, None).expect("a preset");
    let mut modulator = FrameModulator::new(SlotBursts::new(Content::Analog, 0), writer, 50);
    let mut samples = vec![];
    for frame in 0..4 {
        let slot = |user: usize| Slot {
            destination: Destination::User(user),
            phase: Phase::Private,
            symbols: complex_normal(&mut RngKey::new(SEED).stream(Purpose::Payload, frame, user), 1.0, 40),
        };
        let slots = (0..3).map(slot).collect();
        let sent = SymbolFrame { frame, grouping: Grouping::singletons(3), slots };
        modulator.load(sent).expect("a frame that fits");
        let mut piece = vec![Complex32::ZERO; 1 << 16];
        let written = modulator.write(&mut piece).expect("a frame that fits");
        samples.extend_from_slice(&piece[..written]);
    }
    samples
}

/// Users alternate between the groups.
fn grouping() -> Grouping {
    let of_user = (0..NUM_USERS).map(|user| user % NUM_GROUPS).collect();
    Grouping::new(of_user, NUM_GROUPS).expect("every user modulo G is below G")
}

fn heard_by(user: usize) -> [(Destination, Phase, usize); 2] {
    let group = Destination::Group(user % NUM_GROUPS);
    [(group, Phase::Common, COMMON_LEN), (Destination::User(user), Phase::Private, PRIVATE_LEN)]
}

fn equalized_as(
    slot: impl Fn(usize, usize, &mut KeyedRng) -> (Destination, Phase, Vec<Complex32>),
) -> Vec<EqualizedFrame> {
    frames(|frame, rng| {
        let users = (0..NUM_USERS).map(|user| {
            let slots = (0..2).map(|index| {
                let (destination, phase, symbols) = slot(user, index, rng);
                EqualizedSlot { destination, phase, symbols, snr: 5.0 }
            });
            slots.collect()
        });
        EqualizedFrame { frame, grouping: grouping(), users: users.collect() }
    })
}

fn frames<F>(make: impl Fn(u64, &mut KeyedRng) -> F) -> Vec<F> {
    let key = RngKey::new(SEED);
    (0..NUM_FRAMES).map(|frame| make(frame, &mut key.stream(Purpose::Scene, frame, 0))).collect()
}

fn reals<D: Dimension, S: ShapeBuilder<Dim = D>>(shape: S, rng: &mut KeyedRng) -> Array<f32, D> {
    Array::from_shape_simple_fn(shape, || normal(rng))
}
