//! The words of one line of a scenario, taken one after the other.

/// What is wrong with a line, in words.
pub type Wrong = String;

/// The rest of a line.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub fn new(line: &'a str) -> Self {
        Self { rest: line.trim() }
    }

    /// What has not been taken yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// Takes these words, if they come next.
    pub fn take(&mut self, phrase: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(phrase) else {
            return false;
        };
        if !(rest.is_empty() || rest.starts_with([' ', ','])) {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    /// Takes these words, which must come next.
    pub fn expect(&mut self, phrase: &str) -> Result<(), Wrong> {
        if self.take(phrase) {
            return Ok(());
        }
        Err(format!("expected `{phrase}` before `{}`", self.rest))
    }

    /// Takes the next word.
    pub fn word(&mut self) -> Result<&'a str, Wrong> {
        let end = self.rest.find([' ', ',']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(format!("expected a word before `{}`", self.rest));
        }
        self.rest = rest.trim_start();
        Ok(word)
    }

    /// Takes the next word as a name or number.
    pub fn parse<T: std::str::FromStr>(&mut self) -> Result<T, Wrong>
    where
        T::Err: std::fmt::Display,
    {
        let word = self.word()?;
        word.parse().map_err(|why| format!("{word}: {why}"))
    }

    /// Takes items that stand one after the other with commas between them.
    pub fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let mut items = vec![item(self)?];
        while let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest.trim_start();
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub fn is_text(&self) -> bool {
        self.rest.starts_with('"')
    }

    /// Takes a text in quotes; `"x" * 3` is `xxx`.
    pub fn text(&mut self) -> Result<String, Wrong> {
        let wrong = || format!("expected a text in quotes before `{}`", self.rest);
        let (text, rest) = self
            .rest
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'))
            .ok_or_else(wrong)?;
        self.rest = rest.trim_start();
        if self.take("*") {
            return Ok(text.repeat(self.parse()?));
        }
        Ok(text.to_owned())
    }

    /// Takes a time such as `30s`, in milliseconds.
    pub fn time_ms(&mut self) -> Result<u64, Wrong> {
        let word = self.word()?;
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        units
            .iter()
            .find_map(|(unit, ms)| Some(word.strip_suffix(unit)?.parse::<u64>().ok()? * ms))
            .ok_or_else(|| format!("{word} is no time such as 30s"))
    }

    /// That nothing is left.
    pub fn end(&self) -> Result<(), Wrong> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(format!("nothing is known of `{}`", self.rest))
    }
}
