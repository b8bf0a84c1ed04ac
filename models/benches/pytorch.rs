//! Both network families at full size against the same networks in PyTorch, on the CPU, in one run.
//!
//! | case | what is timed | bar |
//! |---|---|---|
//! | inference, batch 1 | encoder, common encoder and decoder of one user in one group | 0.6 |
//! | inference, batch 50 | the same for 50 users in 10 groups | 0.95 |
//! | training, batch 50 | the same with power normalisation and AWGN, loss, gradients, Adam | 0.75 |
//!
//! `pytorch_peer.py` beside this file holds the networks of the other side, in the fastest memory
//! layout that each case has there. It is given the same weights; number of parameters and images that
//! come out are compared first. Then both sides run in turns with the same number of threads, so that
//! whatever else the machine does meets both. Scale codes, which are no network, are off on both sides,
//! and users stand in groups by their order.
//!
//! Run with `cargo bench -p sememe-models --bench pytorch [-- OPTIONS] [NETWORKS] [CASES]`,
//! networks of `paper`, `spatial`, cases of `one`, `batch`, `train`:
//! - `--compile` lets PyTorch use torch.compile too; `--layouts=linear,planar` limits its layouts
//! - `--turns=N` sets the number of turns
//! - `--processor-time` (Linux) counts processor time instead of time on the clock: for machines that
//!   are busy with other work, where it is meaningful with one thread only (`RAYON_NUM_THREADS=1`)
//!
//! `SEMEME_PYTHON` names the interpreter.

use candle_core::{Device, Tensor};
use sememe_blocks::access::{Budget, BudgetConfig, Mapping};
use sememe_blocks::channel::{FadeProcess, FadingModel};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::rng::{Purpose, RngKey, normal};
use sememe_blocks::{Decibel, Grouping};
use sememe_models::group_splitting::{Downlink, Model, ModelConfig, Stem};
use sememe_models::layers::Parameters;
use sememe_models::losses::Reconstruction;
use sememe_models::ops::adam::AdamStep;
use sememe_models::ops::buffers::to_vec;
use sememe_models::weights::tensor_file::{Tensors, write_f32};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const USERS: usize = 50;
const GROUPS: usize = 10;
const SIDE: usize = 32;
const USES: usize = 1024;
const RHO: f64 = 0.2;
const SNR: f32 = 10.0;
const NETWORKS: [&str; 2] = ["paper", "spatial"];
/// Turns of both sides in each case, unless asked otherwise.
const TURNS: usize = 11;
/// Largest difference of the images of both sides, in units of their largest value.
const AGREEMENT: f32 = 1e-3;

type Failure = Box<dyn Error>;

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

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Wall,
    Processor,
}

impl Clock {
    /// Milliseconds that `run` takes.
    fn milliseconds(self, run: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
        let (start, used) = (Instant::now(), self.processor_nanoseconds()?);
        run()?;
        match self {
            Clock::Wall => Ok(start.elapsed().as_secs_f64() * 1e3),
            Clock::Processor => Ok((self.processor_nanoseconds()? - used) as f64 / 1e6),
        }
    }

    /// Time that all threads of this process have run.
    fn processor_nanoseconds(self) -> Result<u64, Failure> {
        if self == Clock::Wall {
            return Ok(0);
        }
        let mut total = 0;
        for thread in std::fs::read_dir("/proc/self/task")? {
            let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += times.split(' ').next().ok_or("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(total)
    }
}

/// One network with all that its cases need.
struct Subject {
    model: Model,
    /// The same weights without a graph for gradients.
    frozen: Model,
    downlink: Downlink,
    images: Tensor,
    moments: Vec<Tensor>,
    steps: u64,
}

fn budget(config: &ModelConfig) -> Result<Budget, Failure> {
    let config = BudgetConfig {
        uses: USES,
        rho: RHO,
        num_users: USERS,
        num_groups: GROUPS,
        height: SIDE,
        width: SIDE,
        accounting: Default::default(),
        mapping: Mapping::Iq,
        family: config.family,
    };
    Ok(config.budget()?)
}

impl Subject {
    fn new(name: &str) -> Result<Self, Failure> {
        let preset = |private, common| {
            ModelConfig::preset(name, private, common).ok_or(format!("{name} is not {NETWORKS:?}"))
        };
        let budget = budget(&preset(1, 1)?)?;
        let private = budget.private_channels().unwrap_or(budget.private_len());
        let common = budget.common_channels().unwrap_or(budget.common_len());
        let config = ModelConfig { stem: Stem::Reshape, gain_code: false, ..preset(private, common)? };
        let model = Model::random(config.clone(), 1, &Device::Cpu)?;
        // Fresh networks hold many zeros, which would hide differences between the two sides.
        let mut rng = RngKey::new(2).stream(Purpose::Weights, 0, 0);
        for variable in model.parameters().named().values() {
            let values = to_vec(variable)?.into_iter().map(|v| v + 0.02 * normal(&mut rng)).collect();
            variable.set(&Tensor::from_vec(values, variable.shape(), &Device::Cpu)?)?;
        }
        let variables = model.parameters().named();
        let moments = variables
            .values()
            .map(|v| Tensor::zeros((2, v.elem_count()), v.dtype(), v.device()))
            .collect::<Result<_, _>>()?;
        let copies = variables
            .iter()
            .map(|(name, v)| Ok((name.clone(), v.as_tensor().copy()?)))
            .collect::<Result<BTreeMap<_, _>, Failure>>()?;
        let frozen = Model::new(config, Parameters::frozen(copies, &Device::Cpu))?;
        let pixels: Vec<f32> =
            (0..USERS * SIDE * SIDE * 3).map(|_| 0.5 + 0.2 * normal(&mut rng).clamp(-2.5, 2.5)).collect();
        let downlink = Downlink {
            mapping: Mapping::Iq,
            equalizer: Equalizer::Mmse,
            punctured_uses: budget.signalling_uses(),
            snr_spread_db: 0.0,
            key: RngKey::new(3),
        };
        let images = Tensor::from_vec(pixels, (USERS, SIDE, SIDE, 3), &Device::Cpu)?;
        Ok(Self { model, frozen, downlink, images, moments, steps: 0 })
    }

    /// Writes weights and images for the peer.
    fn save(&self, name: &str, path: &Path) -> Result<(), Failure> {
        let mut tensors: Tensors = BTreeMap::from([("images".to_string(), self.images.clone())]);
        for (name, variable) in self.frozen.parameters().named() {
            tensors.insert(name, variable.as_tensor().clone());
        }
        let punctured = self.downlink.punctured_uses * self.downlink.mapping.reals_per_use();
        let about = [
            ("network", name.to_string()),
            ("heads", self.model.config().heads.to_string()),
            ("punctured", punctured.to_string()),
        ];
        let about = about.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        Ok(write_f32(path, &tensors, about)?)
    }

    /// Encoder, groups and decoder, without a channel.
    fn infer(&self, users: usize, groups: usize) -> Result<Tensor, Failure> {
        let (model, grouping) = (&self.frozen, by_order(users, groups)?);
        let encoded = model.encode(&self.images.narrow(0, 0, users)?, SNR)?;
        let common = model.common(&encoded.maps, &grouping, SNR)?;
        let of_user: Vec<u32> = grouping.as_slice().iter().map(|group| *group as u32).collect();
        let copies = common.index_select(&Tensor::new(of_user, &Device::Cpu)?, 0)?;
        Ok(model.decode(&encoded.private, &copies, (SIDE, SIDE), SNR, &vec![SNR; users], None)?)
    }

    /// One step of training.
    fn train(&mut self) -> Result<(), Failure> {
        self.steps += 1;
        let (model, grouping) = (&self.model, by_order(USERS, GROUPS)?);
        let encoded = model.encode(&self.images, SNR)?;
        let common = model.common(&encoded.maps, &grouping, SNR)?;
        let process = FadeProcess::block(FadingModel::Awgn);
        let snr = Decibel(10.0 * SNR.log10());
        let received = self.downlink.send(&encoded.private, &common, &grouping, process, self.steps, snr)?;
        let known = &received.snr;
        let decoded = model.decode(&received.private, &received.common, (SIDE, SIDE), SNR, known, None)?;
        let loss = Reconstruction::Charbonnier.loss(&self.images, &decoded)?;
        let gradients = loss.backward()?;
        let adam = AdamStep {
            learning_rate: 1e-4,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            step: self.steps,
            gradient_scale: 1.0,
        };
        for (variable, moments) in model.parameters().named().values().zip(&self.moments) {
            let gradient = gradients.get(variable).ok_or("a variable without gradient")?;
            adam.apply(&variable.as_tensor().detach(), moments, &gradient.flatten_all()?)?;
        }
        let loss = loss.to_scalar::<f32>()?;
        if loss.is_finite() { Ok(()) } else { Err(format!("the loss became {loss}").into()) }
    }

    fn run(&mut self, case: Case) -> Result<(), Failure> {
        match case {
            Case::One => self.infer(1, 1).map(drop),
            Case::Batch => self.infer(USERS, GROUPS).map(drop),
            Case::Train => self.train(),
        }
    }
}

fn by_order(users: usize, groups: usize) -> Result<Grouping, Failure> {
    Ok(Grouping::new((0..users).map(|user| user * groups / users).collect(), groups)?)
}

/// The other side's process.
struct Peer {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the peer; fails where Python or PyTorch is missing.
    fn start(threads: usize, options: &[String]) -> Result<Self, Failure> {
        let python = std::env::var("SEMEME_PYTHON").unwrap_or_else(|_| "python3".into());
        let mut process = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pytorch_peer.py"))
            .arg(threads.to_string())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{python}: {error}"))?;
        let requests = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut peer = Self { process, requests, answers };
        println!("{}", peer.answer()?);
        Ok(peer)
    }

    fn ask(&mut self, request: &str) -> Result<String, Failure> {
        writeln!(self.requests, "{request}")?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the peer ended; its own message stands above".into()),
            _ => Ok(line.trim().to_string()),
        }
    }

    /// Loads a network and compares its parameters and its images with ours.
    fn load(&mut self, name: &str, subject: &Subject) -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let (weights, images) = (folder.path().join("weights"), folder.path().join("images"));
        subject.save(name, &weights)?;
        let (ours, theirs) =
            (subject.model.parameters().count(), self.ask(&format!("load {}", weights.display()))?);
        self.ask(&format!("check {}", images.display()))?;
        let found = std::fs::read(&images)?;
        let found =
            found.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let expected = to_vec(&subject.infer(USERS, GROUPS)?)?;
        let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        let difference = found.zip(&expected).fold(0f32, |most, (a, b)| most.max((a - b).abs())) / largest;
        println!("{name}: {ours} parameters here, {theirs} there; images differ by {difference:.1e} at most");
        assert_eq!(theirs, ours.to_string(), "{name}: the two sides hold different networks");
        assert!(difference < AGREEMENT, "{name}: the two sides compute different images");
        Ok(())
    }

    fn times(&mut self, case: &str, repeats: usize) -> Result<Vec<f64>, Failure> {
        let answer = self.ask(&format!("time {case} {repeats}"))?;
        Ok(answer.split(' ').map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing depends on how the peer ends.
        let _ = self.process.kill();
        let _ = self.process.wait();
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
        println!("| {name:<7} | {title:<19} | {ours} |        -        - |     - | {bar:>4} |");
        return Ok(());
    }
    let (fastest, ratio) = (least(&theirs), median(ratios));
    let theirs = format!("{:>8.1} {fastest:>8.1}", median(theirs));
    println!("| {name:<7} | {title:<19} | {ours} | {theirs} | {ratio:>5.2} | {bar:>4} |");
    Ok(())
}

fn main() -> Result<(), Failure> {
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
    println!("{threads} threads here; milliseconds, median and least of {turns} turns");
    let chosen: Vec<&str> = NETWORKS.into_iter().filter(|name| has(name)).collect();
    for name in if chosen.is_empty() { NETWORKS.to_vec() } else { chosen } {
        let mut subject = Subject::new(name)?;
        if let Some(peer) = &mut peer {
            peer.load(name, &subject)?;
        }
        println!("| network | case                |      ours, ms     |    PyTorch, ms    | ratio |  bar |");
        println!("|---------|---------------------|------------------:|------------------:|------:|-----:|");
        let asked = Case::ALL.into_iter().filter(|case| has(case.row().0)).collect::<Vec<_>>();
        for case in if asked.is_empty() { Case::ALL.to_vec() } else { asked } {
            compare((name, case), (clock, turns), &mut subject, peer.as_mut())?;
        }
    }
    Ok(())
}
