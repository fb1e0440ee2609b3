//! Secrets in texts of people and agents, taken out before the text is anywhere.
//!
//! # Invariant
//! What is taken out leaves `[redacted: what it was]` in its place. The same text is always redacted
//! alike, and what was redacted once is not touched again. JSON stays JSON.
//!
//! # Why
//! Only as well as can be: what looks like a secret by its own form or by the name that stands before
//! it. A rule that takes too much would spoil briefs, so a value behind a colon must look like a secret
//! (a digit or a sign in it), since people write sentences with colons.
//! Texts are redacted and files are not: an attachment is handed to agents as it is, and a blob that
//! was altered would not be the one that its digest names.

use std::ops::Range;

use serde_json::Value;

/// Values that are shorter are no secrets that anybody would use.
const MIN_VALUE_BYTES: usize = 6;
/// What stands behind `Bearer` is longer than any word.
const MIN_BEARER_BYTES: usize = 16;

/// How tokens begin that say themselves what they are: the beginning, the least that follows, the kind.
const TOKENS: [(&str, usize, &str); 19] = [
    ("AKIA", 16, "AWS key"),
    ("ASIA", 16, "AWS key"),
    ("AIza", 35, "Google key"),
    ("ya29.", 20, "Google token"),
    ("ghp_", 30, "GitHub token"),
    ("gho_", 30, "GitHub token"),
    ("ghs_", 30, "GitHub token"),
    ("ghu_", 30, "GitHub token"),
    ("github_pat_", 22, "GitHub token"),
    ("glpat-", 16, "GitLab token"),
    ("xoxb-", 16, "Slack token"),
    ("xoxp-", 16, "Slack token"),
    ("xapp-", 16, "Slack token"),
    ("sk-", 20, "API key"),
    ("sk_live_", 16, "API key"),
    ("npm_", 30, "npm token"),
    ("hf_", 30, "Hugging Face token"),
    ("eyJ", 40, "web token"),
    ("domo-", 40, "domo token"),
];

/// Names before `=` or `:` whose value is a secret, in small letters; and as Chinese texts have them:
/// signs may be of full width, and no space ends the value where the text goes on.
const NAMES: [(&str, &str); 17] = [
    ("password", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
    ("pwd", "password"),
    ("secret", "secret"),
    ("token", "token"),
    ("api_key", "API key"),
    ("api-key", "API key"),
    ("apikey", "API key"),
    ("access_key", "access key"),
    ("secret_key", "secret key"),
    ("private_key", "private key"),
    ("密码", "password"),
    ("密碼", "password"),
    ("口令", "password"),
    ("令牌", "token"),
    ("密钥", "secret key"),
];

type Found = (Range<usize>, &'static str);

/// The document with what looks like a secret taken out of its texts: by their own form, or by the
/// name of the member that they are.
pub fn redact(document: &mut Value) {
    match document {
        Value::String(text) => *text = redacted(std::mem::take(text)),
        Value::Array(parts) => parts.iter_mut().for_each(redact),
        Value::Object(members) => {
            for (name, member) in members {
                redact(member);
                redact_named(name, member);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes the whole value out where its name says that it is a secret.
fn redact_named(name: &str, member: &mut Value) {
    let Value::String(text) = member else { return };
    let small = name.to_ascii_lowercase();
    let kind = NAMES.iter().find(|(known, _)| small.ends_with(known));
    if let Some((_, kind)) = kind
        && text.len() >= MIN_VALUE_BYTES
        && !text.contains(char::is_whitespace)
        && looks_secret(text, b':')
    {
        *text = format!("[redacted: {kind}]");
    }
}

/// What looks like a secret in a text, and in which line it begins, from 1: for what is not to be
/// altered unasked.
pub fn found(text: &str) -> Vec<(usize, &'static str)> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let places = places(text).into_iter();
    let mut found: Vec<_> = places
        .map(|(range, kind)| (line(range.start), kind))
        .collect();
    found.dedup();
    found
}

/// Where secrets stand, in their order.
fn places(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let small = text.to_ascii_lowercase();
    private_keys(text, &mut found);
    tokens(text, &mut found);
    bearers(text, &small, &mut found);
    values(text, &small, &mut found);
    addresses(text, &mut found);
    // Where two overlap the one that begins first says what it was.
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    found
}

/// The text with what looks like a secret taken out.
pub fn redacted(text: String) -> String {
    let found = places(&text);
    if found.is_empty() {
        return text;
    }
    let (mut kept, mut at) = (String::with_capacity(text.len()), 0);
    for (range, kind) in found {
        if range.start < at {
            if range.end > at {
                at = range.end;
            }
            continue;
        }
        kept.push_str(&text[at..range.start]);
        kept.push_str("[redacted: ");
        kept.push_str(kind);
        kept.push(']');
        at = range.end;
    }
    kept.push_str(&text[at..]);
    kept
}

fn private_keys(text: &str, found: &mut Vec<Found>) {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    for (start, _) in text.match_indices(BEGIN) {
        let first_line = text[start..].lines().next().unwrap_or_default();
        if !first_line.contains("PRIVATE KEY") {
            continue;
        }
        let end = text[start..].find(END).map_or(text.len(), |end| {
            let rest = &text[start + end + END.len()..];
            let line = rest.find("-----").map_or(rest.len(), |line| line + 5);
            start + end + END.len() + line
        });
        found.push((start..end, "private key"));
    }
}

fn tokens(text: &str, found: &mut Vec<Found>) {
    for (begin, least, kind) in TOKENS {
        for (start, _) in text.match_indices(begin) {
            let is_word = text[..start]
                .bytes()
                .next_back()
                .is_none_or(|byte| !is_of_token(byte));
            let length = run(&text[start + begin.len()..], is_of_token);
            let rest = &text[start..start + begin.len() + length];
            if is_word && length >= least && rest.bytes().any(|byte| byte.is_ascii_digit()) {
                found.push((start..start + begin.len() + length, kind));
            }
        }
    }
}

fn bearers(text: &str, small: &str, found: &mut Vec<Found>) {
    for word in ["bearer ", "basic "] {
        for (at, _) in small.match_indices(word) {
            let start = at + word.len();
            let length = run(&text[start..], |byte| {
                is_of_token(byte) || b"+/=".contains(&byte)
            });
            if length >= MIN_BEARER_BYTES {
                found.push((start..start + length, "bearer token"));
            }
        }
    }
}

fn values(text: &str, small: &str, found: &mut Vec<Found>) {
    for (name, kind) in NAMES {
        for (at, _) in small.match_indices(name) {
            let behind = &text[at + name.len()..];
            let quote = run(behind, |byte| b"\"'".contains(&byte)).min(1);
            let space = run(&behind[quote..], |byte| byte == b' ');
            let Some(sign) = behind[quote + space..].chars().next() else {
                continue;
            };
            let likened = match sign {
                '=' | '＝' => b'=',
                ':' | '：' => b':',
                _ => continue,
            };
            let before = quote + space + sign.len_utf8();
            let opening = |c: char| " \"'“‘「『".contains(c);
            let value = behind[before..].trim_start_matches(opening);
            let start = text.len() - value.len();
            let is_chinese = !name.is_ascii() || !sign.is_ascii();
            let length = run(value, |byte| {
                let is_of_text = is_chinese && !byte.is_ascii();
                !byte.is_ascii_whitespace() && !b"\"',;&".contains(&byte) && !is_of_text
            });
            let value = &value[..length];
            if length >= MIN_VALUE_BYTES && looks_secret(value, likened) {
                found.push((start..start + length, kind));
            }
        }
    }
}

/// Whether a value is no placeholder, and behind a colon no word of a sentence.
fn looks_secret(value: &str, sign: u8) -> bool {
    let is_placeholder = value.starts_with(['$', '<', '{', '*', '%', '[']);
    let is_word = value
        .trim_end_matches(['.', '!', '?', ')'])
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic());
    !is_placeholder && (sign == b'=' || !is_word)
}

/// Passwords in addresses: `scheme://name:password@host`.
fn addresses(text: &str, found: &mut Vec<Found>) {
    for (at, sign) in text.match_indices("://") {
        let start = at + sign.len();
        let length = run(&text[start..], |byte| {
            !byte.is_ascii_whitespace() && !b"/\"'<>".contains(&byte)
        });
        let authority = &text[start..start + length];
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some((name, password)) = user.split_once(':')
            && !password.is_empty()
            && !password.starts_with(['$', '<', '{', '['])
        {
            let begin = start + name.len() + 1;
            found.push((begin..begin + password.len(), "password"));
        }
    }
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// How many bytes at the beginning are so; a sign of several bytes is never cut.
fn run(text: &str, is_so: impl Fn(u8) -> bool) -> usize {
    let end = text
        .bytes()
        .position(|byte| !is_so(byte))
        .unwrap_or(text.len());
    text.floor_char_boundary(end)
}

#[cfg(test)]
mod tests {
    use super::{found, redact, redacted};

    fn is(text: &str, expected: &str) {
        let once = redacted(text.to_owned());
        assert_eq!(once, expected);
        assert_eq!(redacted(once.clone()), once, "redacted twice");
    }

    #[test]
    fn what_looks_like_a_secret_is_taken_out_and_named() {
        is(
            "curl -H 'Authorization: Bearer abcdef0123456789abcdef' https://x",
            "curl -H 'Authorization: Bearer [redacted: bearer token]' https://x",
        );
        is(
            "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE now",
            "export AWS_ACCESS_KEY_ID=[redacted: AWS key] now",
        );
        is(
            "DB_PASSWORD=hunter2! ok",
            "DB_PASSWORD=[redacted: password] ok",
        );
        is("password: tr0ub4dor", "password: [redacted: password]");
        is(
            r#"{"api_key": "0123456789", "n": 1}"#,
            r#"{"api_key": "[redacted: API key]", "n": 1}"#,
        );
        is(
            "postgres://app:s3cr3t@db-1/x and redis://db-2",
            "postgres://app:[redacted: password]@db-1/x and redis://db-2",
        );
        let pat = format!("use ghp_{} please", "a1".repeat(18));
        is(&pat, "use [redacted: GitHub token] please");
        let join = format!("domo node join domo-join-{}@alpha:7400", "b2c3".repeat(20));
        is(&join, "domo node join [redacted: domo token]@alpha:7400");
    }

    #[test]
    fn what_is_said_in_chinese_is_taken_out_too() {
        is(
            "数据库密码：Tr0ub4dor!3，请勿外传",
            "数据库密码：[redacted: password]，请勿外传",
        );
        is("口令＝hunter2! 已改", "口令＝[redacted: password] 已改");
        is("令牌: “a1b2c3d4e5”", "令牌: “[redacted: token]”");
        is("密钥=9f8e7d6c5b。", "密钥=[redacted: secret key]。");
        is("password：s3cr3t!x。", "password：[redacted: password]。");
        is(
            r#"{"密码": "pa55word"}"#,
            r#"{"密码": "[redacted: password]"}"#,
        );
        for text in [
            "密码：已过期，请重置",
            "密码：8位以上",
            "令牌：见保险库",
            "密钥＝<见保险库>",
        ] {
            is(text, text);
        }
    }

    #[test]
    fn what_is_not_to_be_altered_is_told_by_its_line() {
        let text = "# Who you are\n\nUse password=hunter2! and\ntoken: a1b2c3d4\n";
        assert_eq!(found(text), [(3, "password"), (4, "token")]);
        assert_eq!(found("the password: expired"), []);
    }

    #[test]
    fn a_document_is_redacted_in_its_texts_and_stays_one() {
        let mut document = serde_json::json!({
            "summary": "it said password=hunter2!, \"twice\"",
            "config": [{"db_password": "tr0ub4\"dor", "port": 5432, "user": "app"}],
            "token": "see the vault",
        });
        redact(&mut document);
        let once = serde_json::json!({
            "summary": "it said password=[redacted: password], \"twice\"",
            "config": [{"db_password": "[redacted: password]", "port": 5432, "user": "app"}],
            "token": "see the vault",
        });
        assert_eq!(document, once);
        redact(&mut document);
        assert_eq!(document, once, "redacted twice");
    }

    #[test]
    fn a_private_key_goes_with_all_its_lines() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\nEEIB\n-----END EC PRIVATE KEY-----";
        is(
            &format!("see\n{key}\nbelow"),
            "see\n[redacted: private key]\nbelow",
        );
        is(
            "-----BEGIN PRIVATE KEY-----\nMHc",
            "[redacted: private key]",
        );
        let public = "-----BEGIN CERTIFICATE-----\nMHc\n-----END CERTIFICATE-----";
        is(public, public);
    }

    #[test]
    fn sentences_and_places_for_secrets_stay_as_they_are() {
        for text in [
            "the password: expired since Monday",
            "users say that the token is rejected",
            "set password=$DB_PASSWORD or token=<yours>",
            "the bearer of this note",
            "tokens: 500, secrets: none",
            "pod mse-gateway-0 is Pending; https://example.org:8443/a?b=c",
            "größe=zwölf, 密码 follows",
            "",
        ] {
            is(text, text);
        }
    }

    #[test]
    fn signs_of_several_bytes_are_never_cut() {
        for text in [
            "password=ünïcödé-ß",
            "Bearer äöüäöüäöüäöüäöü",
            "token=密码密码密码",
        ] {
            let _ = redacted(text.to_owned());
        }
        is("password=ünïcödé x", "password=[redacted: password] x");
    }
}
