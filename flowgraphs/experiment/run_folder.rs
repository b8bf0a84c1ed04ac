//! The folder of a run: never overwritten by accident, and enough to go on or to repeat.

use super::atomic_file;
use super::comparison::{COMPARISON, CROSSINGS};
use super::html_report::FILE as REPORT;
use super::image_scores::IMAGES;
use super::results::{Row, from_csv, to_csv};
use super::run_error::RunError;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Name of the table.
pub const RESULTS: &str = "results.csv";
/// Name of the table of times, which differ from run to run.
pub const TIMINGS: &str = "timings.csv";
/// Name of the table of a point that was stopped on its way, where points can be taken up again.
pub const UNFINISHED: &str = "unfinished.csv";
/// Name of the resolved configuration.
pub const CONFIGURATION: &str = "experiment.toml";
/// How the names of pictures begin.
const PICTURES: [&str; 7] = ["psnr", "lpips", "rand", "ratio", "sheet", "error-rates", "goodput"];
/// Names of everything else that a run writes.
const FILES: [&str; 8] = [RESULTS, IMAGES, TIMINGS, CONFIGURATION, UNFINISHED, REPORT, COMPARISON, CROSSINGS];

/// What to do with a folder that holds files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse it.
    Refuse,
    /// Go on with the run it holds, if the configuration is the same.
    Resume,
    /// Replace the results it holds.
    Replace,
    /// Replace the results it holds if they are those of an earlier run under this title.
    Renew,
}

/// A folder that results are written to.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Opens a folder, making it where it is missing.
    ///
    /// - configuration: the resolved configuration of this run, which is written there
    /// - returns: the folder, and the rows that an earlier run finished (only with [`Existing::Resume`])
    /// - errors: a folder in use, another configuration, a damaged table
    pub fn open(path: &Path, existing: Existing, configuration: &str) -> Result<(Self, Vec<Row>), RunError> {
        Self::open_table(path, existing, configuration, from_csv)
    }

    /// As [`RunFolder::open`], for a table of other rows.
    ///
    /// - read: the rows of a table that was written
    pub fn open_table<R>(
        path: &Path,
        existing: Existing,
        configuration: &str,
        read: impl Fn(&str) -> Result<Vec<R>, String>,
    ) -> Result<(Self, Vec<R>), RunError> {
        std::fs::create_dir_all(path).map_err(|error| RunError::file(path, error))?;
        let folder = Self { path: path.to_owned() };
        let rows = if !folder.is_in_use()? {
            vec![]
        } else {
            match existing {
                Existing::Refuse => return Err(folder.refused("an empty or new folder, --resume or --force")),
                Existing::Resume => folder.finished(configuration, read)?,
                Existing::Renew if folder.title()? != title_of(configuration) => {
                    return Err(
                        folder.refused("a folder with an earlier run of the same experiment, or --force")
                    );
                }
                Existing::Renew | Existing::Replace => {
                    folder.clear()?;
                    vec![]
                }
            }
        };
        folder.write(CONFIGURATION, configuration.as_bytes())?;
        Ok((folder, rows))
    }

    /// Writes a file as a whole.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        atomic_file::write(&path, bytes).map_err(|error| RunError::file(&path, error))
    }

    /// Adds to the end of a file. A crash may leave a part of it there; where writing fails, nothing is left.
    pub fn append(&self, name: &str, text: &str) -> Result<(), RunError> {
        let path = self.path.join(name);
        let append = || {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path)?;
            let before = file.metadata()?.len();
            file.write_all(text.as_bytes()).inspect_err(|_| {
                // The first error is the one to tell.
                let _ = file.set_len(before);
            })
        };
        append().map_err(|error| RunError::file(&path, error))
    }

    /// The rows of a table that an earlier run wrote, without their header; nothing where there is none.
    pub fn earlier_rows(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path.join(name)).unwrap_or_default();
        text.split_once('\n').map_or(String::new(), |(_, rows)| rows.to_owned())
    }

    /// Writes the table of results.
    pub fn write_rows(&self, rows: &[Row]) -> Result<(), RunError> {
        self.write(RESULTS, to_csv(rows).as_bytes())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether any file lies in the folder; folders inside it do not count.
    fn is_in_use(&self) -> Result<bool, RunError> {
        Ok(self.files()?.iter().any(|path| path.is_file()))
    }

    fn files(&self) -> Result<Vec<PathBuf>, RunError> {
        let failed = |error| RunError::file(&self.path, error);
        std::fs::read_dir(&self.path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(failed)
    }

    fn refused(&self, allowed: &str) -> RunError {
        RunError::Usage(format!("--out {} holds files: allowed is {allowed}", self.path.display()))
    }

    fn finished<R>(
        &self,
        configuration: &str,
        read: impl Fn(&str) -> Result<Vec<R>, String>,
    ) -> Result<Vec<R>, RunError> {
        let path = self.path.join(CONFIGURATION);
        let earlier = std::fs::read_to_string(&path).map_err(|error| RunError::file(&path, error))?;
        if let Some((old, new)) = first_difference(&earlier, configuration) {
            return Err(RunError::Usage(format!(
                "--resume {}: it holds another experiment, which says {old} where this one says {new}: \
                 allowed is the same configuration, another --out, or --force",
                self.path.display()
            )));
        }
        self.read_table(RESULTS, read)
    }

    /// The rows of a table in the folder; none where there is no such file, as before the first point.
    pub fn read_table<R>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<Vec<R>, String>,
    ) -> Result<Vec<R>, RunError> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => read(&text).map_err(|reason| RunError::file(&path, reason)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(RunError::file(&path, error)),
        }
    }

    /// Removes a file; it may be missing.
    pub fn remove(&self, name: &str) -> Result<(), RunError> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RunError::file(&path, error)),
            _ => Ok(()),
        }
    }

    fn title(&self) -> Result<Option<String>, RunError> {
        match std::fs::read_to_string(self.path.join(CONFIGURATION)) {
            Ok(text) => Ok(title_of(&text)),
            Err(_) => Ok(None),
        }
    }

    /// Removes what an earlier run wrote, and nothing else.
    fn clear(&self) -> Result<(), RunError> {
        for path in self.files()?.into_iter().filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_picture = (name.ends_with(".png") || name.ends_with(".svg"))
                && PICTURES.iter().any(|start| name.starts_with(start));
            if is_picture || FILES.contains(&name.as_str()) {
                std::fs::remove_file(&path).map_err(|error| RunError::file(&path, error))?;
            }
        }
        Ok(())
    }
}

fn title_of(configuration: &str) -> Option<String> {
    let table: toml::Table = configuration.parse().ok()?;
    Some(table.get("title")?.as_str()?.to_owned())
}

/// The first lines that differ, shortened; `nothing` past the end of the shorter text.
pub(super) fn first_difference(old: &str, new: &str) -> Option<(String, String)> {
    let (mut old, mut new) = (old.lines(), new.lines());
    loop {
        let (a, b) = (old.next(), new.next());
        if a != b {
            let shown =
                |line: Option<&str>| line.map_or("nothing".into(), |line| format!("'{}'", line.trim()));
            return Some((shown(a), shown(b)));
        }
        a?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CONFIG: &str = "title = \"a\"\nseed = 1\n";

    #[test]
    fn a_folder_in_use_is_kept_unless_asked_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("new/folder");
        RunFolder::open(&out, Existing::Refuse, CONFIG).unwrap();
        let error = RunFolder::open(&out, Existing::Refuse, CONFIG).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--resume or --force"), "{error}");
        std::fs::write(out.join("notes.txt"), "mine").unwrap();
        let old =
            ["psnr-old.png", "ratio-mse-old.svg", COMPARISON, CROSSINGS, RESULTS, IMAGES, TIMINGS, REPORT];
        old.iter().for_each(|name| std::fs::write(out.join(name), "old").unwrap());
        RunFolder::open(&out, Existing::Replace, CONFIG).unwrap();
        let left = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<BTreeSet<_>>(), ["notes.txt", CONFIGURATION].map(Into::into).into());
    }

    #[test]
    fn only_the_same_configuration_is_resumed() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, rows) = RunFolder::open(dir.path(), Existing::Resume, CONFIG).unwrap();
        assert!(rows.is_empty());
        folder.write_rows(&[]).unwrap();
        assert!(RunFolder::open(dir.path(), Existing::Resume, CONFIG).is_ok());
        let other = CONFIG.replace("seed = 1", "seed = 2");
        let error = RunFolder::open(dir.path(), Existing::Resume, &other).unwrap_err().to_string();
        assert!(error.contains("'seed = 1' where this one says 'seed = 2'"), "{error}");
        std::fs::write(dir.path().join(RESULTS), "broken").unwrap();
        assert!(RunFolder::open(dir.path(), Existing::Resume, CONFIG).is_err());
    }

    #[test]
    fn only_a_run_of_the_same_title_is_renewed() {
        let dir = tempfile::tempdir().unwrap();
        RunFolder::open(dir.path(), Existing::Renew, CONFIG).unwrap();
        RunFolder::open(dir.path(), Existing::Renew, "title = \"a\"\nseed = 9\n").unwrap();
        assert!(RunFolder::open(dir.path(), Existing::Renew, "title = \"b\"\n").is_err());
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        let inner = dir.path().join("inner");
        std::fs::write(inner.join("thesis.doc"), "x").unwrap();
        assert!(RunFolder::open(&inner, Existing::Renew, CONFIG).is_err());
    }
}
