//! Batches of training images, read ahead on a thread of their own while steps are computed.

use super::data::{Data, Mirror, epoch_order, read};
use super::error::TrainingError;
use candle_core::Tensor;
use sememe_blocks::rng::RngKey;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

/// Batches that are ready before they are asked for.
const AHEAD: usize = 4;

/// Which images each step takes.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Images of a batch.
    pub users: usize,
    /// Frames of correlated scenes stay whole.
    pub whole_frames: bool,
    /// Whether half of the images are mirrored.
    pub mirror: bool,
    /// Source of order and mirroring.
    pub key: RngKey,
    /// Steps done before the first batch, and steps in all.
    pub steps: (u64, u64),
}

/// The batches of all steps to come, in order.
pub struct Feed(Receiver<Result<Tensor, TrainingError>>);

impl Feed {
    /// Starts to read. The thread ends when the feed is dropped or all is read.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, data: &'scope Data, plan: Plan) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        scope.spawn(move || {
            let per_epoch = data.steps_per_epoch(plan.users);
            let (mut order, mut of_epoch) = (Vec::new(), None);
            for step in plan.steps.0..plan.steps.1 {
                let (epoch, place) = (step / per_epoch, (step % per_epoch) as usize);
                if of_epoch != Some(epoch) {
                    order = epoch_order(data.training.len(), plan.users, plan.whole_frames, plan.key, epoch);
                    of_epoch = Some(epoch);
                }
                let indices = &order[place * plan.users..(place + 1) * plan.users];
                let mirror = Mirror { key: plan.key, step, together: plan.whole_frames };
                let batch = read(data.training.as_ref(), indices, plan.mirror.then_some(mirror));
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next batch, `[K, H, W, 3]` in [0, 1].
    pub fn next(&self) -> Result<Tensor, TrainingError> {
        self.0.recv().unwrap_or_else(|_| Err(TrainingError::Config("no images are left to train on".into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::TrainingConfig;

    #[test]
    fn batches_follow_the_order_from_any_step() {
        let text = "version = 1\n[model]\npreset = \"spatial-tiny\"\n[downlink]\nusers = 4\ngroups = 2\n\
                    [data]\nkind = \"scenes\"\nimages = 12\nside = 8\n[validation]\nframes = 1\n";
        let config: TrainingConfig = toml::from_str(text).unwrap();
        let data = Data::open(&config).unwrap();
        let key = RngKey::new(3);
        let from = |first: u64| -> Vec<Vec<f32>> {
            let plan = Plan { users: 4, whole_frames: false, mirror: true, key, steps: (first, 7) };
            std::thread::scope(|scope| {
                let feed = Feed::start(scope, &data, plan);
                let batches = (first..7)
                    .map(|_| feed.next().unwrap().flatten_all().unwrap().to_vec1().unwrap())
                    .collect();
                assert!(feed.next().is_err());
                batches
            })
        };
        let all = from(0);
        assert_eq!(all[4..], from(4));
        let order = epoch_order(12, 4, false, key, 1);
        let mirror = Mirror { key, step: 3, together: false };
        let fourth = read(data.training.as_ref(), &order[..4], Some(mirror)).unwrap();
        assert_eq!(all[3], fourth.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }

    #[test]
    fn a_feed_that_is_not_emptied_ends() {
        let text = "version = 1\n[model]\npreset = \"spatial-tiny\"\n[downlink]\nusers = 2\ngroups = 1\n\
                    [data]\nkind = \"scenes\"\nimages = 40\nside = 8\n[validation]\nframes = 1\n";
        let config: TrainingConfig = toml::from_str(text).unwrap();
        let data = Data::open(&config).unwrap();
        let plan =
            Plan { users: 2, whole_frames: false, mirror: false, key: RngKey::new(1), steps: (0, 1000) };
        std::thread::scope(|scope| {
            Feed::start(scope, &data, plan).next().unwrap();
        });
    }
}
