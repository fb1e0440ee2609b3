//! The settings of a node: one TOML file, whatever is in it.

use config::settings::Settings;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Settings::parse("domo.toml", &text) {
        Ok(settings) => {
            let again = Settings::parse("domo.toml", &text);
            assert_eq!(again.ok().as_ref(), Some(&settings), "read otherwise");
        }
        Err(mistakes) => super::is_readable(&mistakes.to_string()),
    }
}
