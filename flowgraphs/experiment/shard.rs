//! Which part of an experiment a process measures, where several share the work.

use super::run_error::RunError;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// Part i of n, counted from 1: of the points in order, every n-th from the i-th on.
///
/// Written `i/n`. Points of all SNRs and links fall to each part, so that parts take about equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    number: usize,
    of: usize,
}

/// Most parts of an experiment.
const MAX_SHARDS: usize = 10_000;

/// Where schedulers tell a process its place and the number of processes, and the number of the first place.
/// Array jobs come first: a task of an array is a process of its own.
const PLACES: [(&str, &str, Option<&str>); 4] = [
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", Some("SLURM_ARRAY_TASK_MIN")),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", None),
    ("PMI_RANK", "PMI_SIZE", None),
    ("SLURM_PROCID", "SLURM_NTASKS", None),
];

impl Shard {
    /// Part `number` of `of`.
    ///
    /// - errors: a number outside 1 to `of`, more parts than 10000
    pub fn new(number: usize, of: usize) -> Result<Self, RunError> {
        match (1..=MAX_SHARDS).contains(&of) && (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(refused(&format!("{number}/{of}"))),
        }
    }

    /// The part that Slurm or MPI gave to this process.
    ///
    /// - variable: looks up a variable of the environment
    /// - errors: neither is running; an array that counts from neither 0 nor 1, as one does that is submitted again
    ///   in part; an array whose tasks do not follow each other
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, RunError> {
        for (place, count, first) in PLACES {
            let number = |name: &str| variable(name)?.trim().parse::<usize>().ok();
            let (Some(place), Some(count)) = (number(place), number(count)) else { continue };
            let first = first.map_or(Some(0), number).unwrap_or(0);
            if first > 1 {
                return Err(RunError::Usage(format!(
                    "--shard auto: allowed is a number such as 1/4 in an array that begins at {first}: whether it is \
                     part of a larger one is not known"
                )));
            }
            return Self::new(place.wrapping_sub(first).wrapping_add(1), count);
        }
        let names: Vec<&str> = PLACES.iter().map(|(place, ..)| *place).collect();
        Err(RunError::Usage(format!(
            "--shard auto: allowed is a number such as 1/4 where none of {} is set",
            names.join(", ")
        )))
    }

    /// Whether a point belongs to this part.
    ///
    /// - index: of the point among all points in order, from 0
    pub fn covers(self, index: usize) -> bool {
        index % self.of == self.number - 1
    }

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self.number
    }

    /// Number of all parts.
    pub fn count(self) -> usize {
        self.of
    }

    /// The folder of its results inside that of the experiment.
    pub fn folder(self) -> String {
        format!("shard-{}-of-{}", self.number, self.of)
    }

    /// The part whose results lie in a folder of this name; `None` for any other name.
    pub fn of_folder(name: &str) -> Option<Self> {
        let (number, of) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard = Self::new(number.parse().ok()?, of.parse().ok()?).ok()?;
        // Other spellings of the same number would stand for the same part twice.
        (shard.folder() == name).then_some(shard)
    }

    /// All parts whose folders lie in that of an experiment, in order.
    pub fn all_in(out: &Path) -> Result<Vec<Self>, RunError> {
        let names = std::fs::read_dir(out)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>())
            .map_err(|error| RunError::file(out, error))?;
        let mut shards: Vec<Self> =
            names.iter().filter_map(|name| Self::of_folder(&name.to_string_lossy())).collect();
        shards.sort_unstable();
        Ok(shards)
    }

    /// Refuses a folder that holds parts of another number of parts, as where an array was submitted again with
    /// another size.
    pub fn check_beside(self, out: &Path) -> Result<(), RunError> {
        let beside = if out.is_dir() { Self::all_in(out)? } else { vec![] };
        match beside.iter().find(|other| other.of != self.of) {
            Some(other) => Err(RunError::Usage(format!(
                "--shard {self}: {} holds {}: allowed is {} parts, another --out, or a folder without those of the others",
                out.display(),
                other.folder(),
                other.of
            ))),
            None => Ok(()),
        }
    }
}

impl FromStr for Shard {
    type Err = RunError;

    fn from_str(text: &str) -> Result<Self, RunError> {
        let number = |text: &str| text.trim().parse().ok();
        match text.split_once('/').map(|(place, of)| (number(place), number(of))) {
            Some((Some(place), Some(of))) => Self::new(place, of),
            _ => Err(refused(text)),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

fn refused(found: &str) -> RunError {
    RunError::Usage(format!(
        "--shard {found}: allowed is i/n with i from 1 to n and n up to {MAX_SHARDS}, such as 2/4, or auto under Slurm or MPI"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_belongs_to_one_part() {
        let parts: Vec<Shard> = (1..=7).map(|number| Shard::new(number, 7).unwrap()).collect();
        for index in 0..100 {
            assert_eq!(parts.iter().filter(|part| part.covers(index)).count(), 1);
        }
        assert!((0..100).all(|index| "1/1".parse::<Shard>().unwrap().covers(index)));
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        let part: Shard = "2/4".parse().unwrap();
        assert_eq!((part.to_string(), part.folder()), ("2/4".into(), "shard-2-of-4".into()));
        assert_eq!(Shard::of_folder("shard-2-of-4"), Some(part));
        for other in ["shard-5-of-4", "shard-02-of-4", "shard-2-of", "figures"] {
            assert_eq!(Shard::of_folder(other), None, "{other}");
        }
        for wrong in ["0/4", "5/4", "4", "a/b", "1/0", "1/99999", "-1/2"] {
            let error = wrong.parse::<Shard>().unwrap_err();
            assert!(error.to_string().contains("such as 2/4") && error.exit_code() == 2, "{error}");
        }
    }

    #[test]
    fn schedulers_tell_their_places() {
        let found = |variables: &[(&str, &str)]| {
            Shard::from_environment(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
            })
        };
        let array = [
            ("SLURM_ARRAY_TASK_ID", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_PROCID", "0"),
            ("SLURM_NTASKS", "1"),
        ];
        assert_eq!(found(&array).unwrap().to_string(), "2/4");
        assert_eq!(found(&[("SLURM_PROCID", "3"), ("SLURM_NTASKS", "8")]).unwrap().to_string(), "4/8");
        let mpi = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert_eq!(found(&mpi).unwrap().to_string(), "1/2");
        assert_eq!(found(&[("PMI_RANK", "1"), ("PMI_SIZE", "2")]).unwrap().to_string(), "2/2");
        assert!(found(&[]).unwrap_err().to_string().contains("OMPI_COMM_WORLD_RANK"));
        // Task 2 of 3, submitted again: Slurm says that it is the only one.
        let again =
            [("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_COUNT", "1"), ("SLURM_ARRAY_TASK_MIN", "2")];
        assert!(found(&again).unwrap_err().to_string().contains("an array that begins at 2"));
        // An array of 0, 10, 20 would leave points out.
        assert!(found(&[("SLURM_ARRAY_TASK_ID", "20"), ("SLURM_ARRAY_TASK_COUNT", "3")]).is_err());
    }
}
