//! Varied keys: the whole experiment once for each combination of their values.

use super::Override;
use super::config::{Experiment, Vary};
use super::config_error::Result;
use super::reading::Tree;
use std::collections::BTreeSet;
use toml::Value;

/// What stands between the values of a combination in tables.
const BETWEEN: &str = " / ";
/// Most combinations.
const MAX_CELLS: usize = 10_000;

/// One value of each varied key; no key where nothing is varied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell<'a>(Vec<(&'a str, &'a Value)>);

/// All combinations, the last key running fastest; one without keys where nothing is varied.
pub fn cells(vary: &[Vary]) -> Vec<Cell<'_>> {
    let mut cells = vec![Cell::default()];
    for Vary { key, values } in vary {
        let mut longer = Vec::with_capacity(cells.len() * values.len());
        for cell in &cells {
            longer.extend(values.iter().map(|value| Cell([&cell.0[..], &[(key.as_str(), value)]].concat())));
        }
        cells = longer;
    }
    cells
}

impl<'a> Cell<'a> {
    /// The values as tables show them; empty without keys.
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, value)| value_text(value)).collect::<Vec<_>>().join(BETWEEN)
    }

    /// Keys and values behind a title; empty without keys.
    pub fn title(&self) -> String {
        self.0.iter().map(|(key, value)| format!(", {key} = {}", value_text(value))).collect()
    }

    /// The number under a key; `None` for another value or key.
    pub fn number(&self, key: &str) -> Option<f64> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == key)?;
        value_text(value).parse().ok()
    }

    /// The same without a key.
    pub fn without(&self, key: &str) -> Cell<'a> {
        Cell(self.0.iter().copied().filter(|(known, _)| *known != key).collect())
    }

    /// The experiment with these values and nothing varied.
    pub fn tree(&self, tree: &Tree) -> Result<Tree> {
        let mut fixed = tree.clone();
        fixed.table.remove("vary");
        let change =
            |(key, value): &(&str, &Value)| Override { path: (*key).into(), value: (*value).clone() };
        fixed.set(&self.0.iter().map(change).collect::<Vec<_>>())
    }
}

/// A varied value as tables show it.
fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Refuses keys and values that no run could vary.
pub(super) fn check(experiment: &Experiment, tree: &Tree) -> Result<()> {
    const FIXED: [&str; 7] = ["version", "device", "vary", "snr_db", "title", "output", "provenance"];
    let is_list = tree.table.get("vary").is_some_and(Value::is_array);
    let place = |index: usize| if is_list { format!("vary.{index}") } else { "vary".to_owned() };
    let mut keys = BTreeSet::new();
    for (index, Vary { key, values }) in experiment.vary.iter().enumerate() {
        let place = place(index);
        let parts: Vec<&str> = key.split('.').collect();
        let names_a_link = parts[0] == "link" && matches!(parts.last(), Some(&"name" | &"scheme" | &"link"));
        if FIXED.contains(&parts[0]) || names_a_link || parts == ["channel"] {
            let allowed = "a key under seed, source, downlink, channel.N or link.N, but not the name or scheme of a \
                           link; links and SNRs are lists of their own";
            return Err(tree.refuse(&format!("{place}.key"), allowed));
        }
        if !keys.insert(key) {
            return Err(tree.refuse(&format!("{place}.key"), "a key that is not varied above"));
        }
        if values.is_empty() {
            return Err(tree.refuse(&format!("{place}.values"), "at least one value"));
        }
        let mut seen = BTreeSet::new();
        for (at, value) in values.iter().enumerate() {
            let is_plain =
                matches!(value, Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::String(_));
            let text = value_text(value);
            if !is_plain || text.contains([',', '\n', '"']) || text.contains(BETWEEN) || !seen.insert(text) {
                let allowed = "numbers, words or true and false, each once";
                return Err(tree.refuse(&format!("{place}.values.{at}"), allowed));
            }
        }
    }
    let combinations = experiment.vary.iter().try_fold(1usize, |n, vary| n.checked_mul(vary.values.len()));
    if combinations.is_none_or(|n| n > MAX_CELLS) {
        return Err(tree.refuse_as("vary", "more", format!("at most {MAX_CELLS} combinations of values")));
    }
    if !experiment.vary.is_empty() {
        for cell in cells(&experiment.vary) {
            cell.tree(tree)?.experiment()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vary() -> Vec<Vary> {
        let values = |values: &[f64]| values.iter().map(|value| Value::Float(*value)).collect();
        vec![
            Vary { key: "downlink.rho".into(), values: values(&[0.0, 0.2]) },
            Vary { key: "link.0.clustering".into(), values: vec!["random".into(), "balanced".into()] },
        ]
    }

    #[test]
    fn all_combinations_come_in_order() {
        let vary = vary();
        let cells = cells(&vary);
        let texts: Vec<String> = cells.iter().map(Cell::text).collect();
        assert_eq!(texts, ["0.0 / random", "0.0 / balanced", "0.2 / random", "0.2 / balanced"]);
        assert_eq!(cells[2].title(), ", downlink.rho = 0.2, link.0.clustering = random");
        assert_eq!(
            (cells[2].number("downlink.rho"), cells[2].number("link.0.clustering")),
            (Some(0.2), None)
        );
        assert_eq!(cells[2].without("downlink.rho"), cells[0].without("downlink.rho"));
        let nothing = super::cells(&[]);
        assert_eq!((nothing.len(), nothing[0].text()), (1, String::new()));
    }

    #[test]
    fn paths_can_be_varied_and_no_value_can_be_taken_for_two() {
        let read = |values: &str| {
            let text = format!(
                "version = 1\nsnr_db = [0]\n[vary]\nkey = \"source.path\"\nvalues = {values}\n[[channel]]\n\
                 fading = {{ model = \"awgn\" }}\n[[link]]\nscheme = \"klt\"\n"
            );
            Tree::parse(&text, "a.toml").unwrap().experiment()
        };
        assert_eq!(read("[\"a/b\", \"c/d\"]").unwrap().vary[0].values.len(), 2);
        assert!(read("[\"a / b\"]").unwrap_err().to_string().contains("vary.values.0"));
    }
}
