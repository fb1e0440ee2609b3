//! A sheet of figures: what was measured, beside its gate, its aim and the bound of the same run.
//!
//! # Why
//! A bare number says nothing on a machine that others share. The gate is what must hold, the aim
//! what would be the best there is; a share of the bound survives a slow disk and a busy neighbour.

use serde::Serialize;

/// What a figure must keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Limit {
    /// Whether a value keeps to it.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {}", number(*most)),
            Self::AtLeast(least) => write!(f, "≥ {}", number(*least)),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let (key, value) = match self {
            Self::AtMost(most) => ("at_most", most),
            Self::AtLeast(least) => ("at_least", least),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, value)?;
        map.end()
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// What came out.
    pub value: f64,
    /// In what it is counted.
    pub unit: &'static str,
    /// What must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Limit>,
    /// What would be the best there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<Limit>,
    /// What the same run's bound is, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Whether the gate holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_within_gate: Option<bool>,
    /// Whether the aim is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_within_aim: Option<bool>,
}

impl Figure {
    /// A figure that is only told.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            gate: None,
            aim: None,
            bound: None,
            is_within_gate: None,
            is_within_aim: None,
        }
    }

    /// The same with what must hold.
    #[must_use]
    pub fn gate(mut self, gate: Limit) -> Self {
        self.is_within_gate = Some(gate.holds(self.value));
        self.gate = Some(gate);
        self
    }

    /// The same with what it strives for.
    #[must_use]
    pub fn aim(mut self, aim: Limit) -> Self {
        self.is_within_aim = Some(aim.holds(self.value));
        self.aim = Some(aim);
        self
    }

    /// The same beside what the machine allowed in the same run.
    #[must_use]
    pub fn bound(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self
    }

    /// How it stands, in a word: whether gate and aim hold.
    pub fn standing(&self) -> &'static str {
        match (self.is_within_gate, self.is_within_aim) {
            (Some(false), _) => "misses its gate",
            (_, Some(true)) => "at its aim",
            (Some(true), _) => "within its gate",
            (None, Some(false)) => "short of its aim",
            (None, None) => "",
        }
    }
}

/// What one benchmark came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sheet {
    /// The benchmark's name, as it is called.
    pub bench: &'static str,
    /// How it was measured, and on what: one sentence each.
    pub conditions: Vec<String>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Sheet {
    /// A sheet of a benchmark; says what every benchmark has in common.
    pub fn new(bench: &'static str) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let build = if cfg!(debug_assertions) {
            "a debug build: these figures say nothing about a release"
        } else {
            "a release build"
        };
        let release = env!("CARGO_PKG_VERSION");
        Self {
            bench,
            conditions: vec![format!("domo {release}, {build}, {cores} cores")],
            figures: Vec::new(),
        }
    }

    /// Adds how it was measured.
    pub fn under(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Adds what was measured.
    pub fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }
}

/// A number for people: three digits that mean something, and no more zeros than it has.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || value.fract() == 0.0 {
        grouped(value)
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 {
        text.insert(0, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_how_it_stands_to_gate_and_aim() {
        let (gate, aim) = (Limit::AtMost(6.0), Limit::AtMost(4.0));
        let stands = |value| {
            Figure::new("p50", value, "ms")
                .gate(gate)
                .aim(aim)
                .standing()
        };
        assert_eq!(stands(6.1), "misses its gate");
        assert_eq!(stands(6.0), "within its gate");
        assert_eq!(stands(3.9), "at its aim");
        let rate = Figure::new("rate", 1100.0, "/s").gate(Limit::AtLeast(1200.0));
        assert_eq!(rate.standing(), "misses its gate");
    }

    #[test]
    fn numbers_have_as_many_digits_as_mean_something() {
        let shown = [0.0, 0.0812, 4.0, 4.256, 42.56, 425.6, 1_234_567.0, -2.5];
        assert_eq!(
            shown.map(number),
            [
                "0",
                "0.081",
                "4",
                "4.26",
                "42.6",
                "426",
                "1,234,567",
                "-2.50"
            ]
        );
    }
}
