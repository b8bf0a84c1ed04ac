//! Both families of group splitting at full size, and networks for single images, against the same networks in
//! PyTorch, on one device, in one run.
//!
//! | case | what is timed | bar |
//! |---|---|---|
//! | inference, batch 1 | encoder, common encoder and decoder of one user in one group | 0.6 |
//! | inference, batch 50 | the same for 50 users in 10 groups | 0.95 |
//! | training, batch 50 | the same with power normalisation and AWGN, loss, gradients, Adam | 0.75 |
//!
//! These bars are those of group splitting; for networks of single images it is 1.
//!
//! `networks.py` and `singles.py` beside this file hold the networks of the other side, in the fastest memory
//! layout that each case has there. It is given the same weights; number of parameters and images that
//! come out are compared first. Then both sides run in turns with the same number of threads, so that
//! whatever else the machine does meets both. Scale codes, which are no network, are off on both sides,
//! and users stand in groups by their order.
//!
//! Run with `cargo bench -p sememe-models --bench pytorch [-- OPTIONS] [NETWORKS] [CASES]`,
//! networks of `paper`, `spatial`, `deep-jscc`, `adjscc-compact`, `vit-jscc-compact`, cases of `one`, `batch`,
//! `train`:
//! - `--device=cuda` measures on a GPU (feature `cuda`), where the bars above mean nothing; `--mixed` trains and
//!   infers in mixed precision there: bf16 and TF32 here, autocast to bf16 and TF32 in PyTorch
//! - `--compile` lets PyTorch use torch.compile too; `--layouts=linear,planar` limits its layouts
//! - `--turns=N` sets the number of turns
//! - `--processor-time` (Linux) counts processor time instead of time on the clock: for machines that
//!   are busy with other work, where it is meaningful with one thread only (`RAYON_NUM_THREADS=1`)
//!
//! `SEMEME_PYTHON` names the interpreter.

mod clock;
mod network;
mod peer;
mod subject;

use clock::Clock;
use network::{Drawn, GROUP_SPLITTING, NETWORKS};
use peer::Peer;
use sememe_models::ops::Precision;
use std::error::Error;
use std::time::Duration;
use subject::Subject;

/// Turns of both sides in each case, unless asked otherwise.
const TURNS: usize = 11;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    One,
    Batch,
    Train,
}

impl Case {
    const ALL: [Case; 3] = [Case::One, Case::Batch, Case::Train];

    /// Name in the peer's protocol, title, bar, runs per turn.
    fn row(self) -> (&'static str, &'static str, f64, usize) {
        match self {
            Case::One => ("one", "inference, batch 1", 0.6, 9),
            Case::Batch => ("batch", "inference, batch 50", 0.95, 1),
            Case::Train => ("train", "training, batch 50", 0.75, 1),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Both sides in turns, and one row of the table.
fn compare(
    (name, case): (&str, Case),
    (clock, turns): (Clock, usize),
    subject: &mut Subject,
    mut peer: Option<&mut Peer>,
) -> Result<(), Failure> {
    let (key, title, bar, repeats) = case.row();
    let bar = if GROUP_SPLITTING.contains(&name) { bar } else { 1.0 };
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=turns {
        let run = |_| clock.milliseconds(|| subject.run(case));
        let here = (0..repeats).map(run).collect::<Result<Vec<_>, _>>()?;
        let there = peer.as_deref_mut().map(|peer| peer.times(key, repeats)).transpose()?;
        // The other side's idle threads spin for a moment.
        std::thread::sleep(Duration::from_millis(20));
        // The first turn warms up.
        if turn == 0 {
            continue;
        }
        if let Some(there) = there {
            ratios.push(median(here.clone()) / median(there.clone()));
            theirs.extend(there);
        }
        ours.extend(here);
    }
    let fastest = least(&ours);
    let ours = format!("{:>8.1} {fastest:>8.1}", median(ours));
    if theirs.is_empty() {
        println!("| {name:<16} | {title:<19} | {ours} |        -        - |     - | {bar:>4} |");
        return Ok(());
    }
    let (fastest, ratio) = (least(&theirs), median(ratios));
    let theirs = format!("{:>8.1} {fastest:>8.1}", median(theirs));
    println!("| {name:<16} | {title:<19} | {ours} | {theirs} | {ratio:>5.2} | {bar:>4} |");
    Ok(())
}

fn main() -> Result<(), Failure> {
    // SAFETY: the program has just begun and has one thread.
    unsafe {
        sememe_models::memory::keep_freed();
        sememe_models::idle_threads::sleep_soon();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if !has("--bench") {
        println!("nothing is measured without optimisation: use cargo bench");
        return Ok(());
    }
    let turns = arguments.iter().find_map(|argument| argument.strip_prefix("--turns="));
    let turns = turns.map(str::parse).transpose()?.unwrap_or(TURNS).max(1);
    let clock = if has("--processor-time") { Clock::Processor } else { Clock::Wall };
    let threads = rayon::current_num_threads();
    let mut peer = match Peer::start(threads, &arguments) {
        Ok(peer) => Some(peer),
        Err(error) => {
            println!("no PyTorch to compare with ({error}); name its interpreter in SEMEME_PYTHON");
            None
        }
    };
    let device = arguments.iter().find_map(|argument| argument.strip_prefix("--device=")).unwrap_or("cpu");
    let precision = if has("--mixed") { Precision::Mixed } else { Precision::F32 };
    println!(
        "{threads} threads here, {device}, {precision:?}; milliseconds, median and least of {turns} turns"
    );
    let device = sememe_models::device::named(device)?;
    let chosen: Vec<&str> = NETWORKS.into_iter().filter(|name| has(name)).collect();
    for name in if chosen.is_empty() { NETWORKS.to_vec() } else { chosen } {
        let mut subject = Subject::new(Drawn::new(name, &device)?, &device, precision)?;
        if let Some(peer) = &mut peer {
            peer.load(name, &subject)?;
        }
        println!(
            "| network          | case                |      ours, ms     |    PyTorch, ms    | ratio |  bar |"
        );
        println!(
            "|------------------|---------------------|------------------:|------------------:|------:|-----:|"
        );
        let asked = Case::ALL.into_iter().filter(|case| has(case.row().0)).collect::<Vec<_>>();
        for case in if asked.is_empty() { Case::ALL.to_vec() } else { asked } {
            compare((name, case), (clock, turns), &mut subject, peer.as_mut())?;
        }
    }
    Ok(())
}
