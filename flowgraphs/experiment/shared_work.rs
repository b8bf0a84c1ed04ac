//! Which points of an experiment encode the same frames alike: they are measured next to each other, and what
//! was encoded is kept from the first to the last of them.

use super::points::Point;
use crate::links::EncodedStore;
use sememe_blocks::Decibel;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A store by where it stands, and the SNR that its encoder is told.
type Key = (usize, u32);

/// Work that several points of a list share, and how many of them are still to come.
pub struct SharedWork(Mutex<BTreeMap<Key, usize>>);

fn key((store, snr): (&Arc<EncodedStore>, Decibel)) -> Key {
    (Arc::as_ptr(store).addr(), snr.0.to_bits())
}

impl SharedWork {
    /// Orders points so that those that share work are next to each other, and prepares their stores.
    pub fn plan(points: &[Point], to_do: &mut [usize]) -> Self {
        let (mut first, mut count) = (BTreeMap::new(), BTreeMap::<Key, usize>::new());
        for index in to_do.iter() {
            if let Some(work) = points[*index].encoder() {
                first.entry(key(work)).or_insert(*index);
                *count.entry(key(work)).or_default() += 1;
            }
        }
        count.retain(|_, count| *count > 1);
        for (store, snr) in to_do.iter().filter_map(|index| points[*index].encoder()) {
            if count.contains_key(&key((store, snr))) {
                store.expect(snr);
            }
        }
        to_do.sort_by_key(|index| {
            let work = points[*index].encoder().map(key);
            (work.map_or(*index, |work| first[&work]), *index)
        });
        Self(Mutex::new(count))
    }

    /// Notes that a point is measured; the last of those that share work lets go of it.
    pub fn done(&self, point: &Point) {
        let Some((store, snr)) = point.encoder() else { return };
        let mut count = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(left) = count.get_mut(&key((store, snr))) {
            *left -= 1;
            if *left == 0 {
                store.forget(snr);
                count.remove(&key((store, snr)));
            }
        }
    }
}
