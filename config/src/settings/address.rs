//! Addresses of other nodes, as settings name them: a host and a port.

use super::keys::{out_of_range, text_of, wrong_type};
use super::layers::Raw;
use crate::mistake::Wrong;

/// More nodes than this need not be named to find one of them.
const MOST_ADDRESSES: usize = 64;
/// The longest name of a host.
const LONGEST_HOST_BYTES: usize = 253;

/// A list of addresses.
pub(super) fn read_addresses(key: &str, raw: &Raw) -> Result<Vec<String>, Wrong> {
    let list: Vec<&str> = match raw {
        Raw::List(list) => {
            let texts = list.iter().map(|raw| text_of(key, raw));
            texts.collect::<Result<_, _>>()?
        }
        Raw::Loose(text) => text.split(',').map(str::trim).collect(),
        Raw::Text(_) | Raw::Number(_) | Raw::Flag(_) | Raw::Table(_) | Raw::Other(_) => {
            let wanted = "a list like [\"10.0.0.1:7400\"]";
            return Err(wrong_type(key, wanted, &raw.found()));
        }
    };
    if list.len() > MOST_ADDRESSES {
        let allowed = format!("allowed: at most {MOST_ADDRESSES}");
        return Err(out_of_range(
            key,
            &format!("{} addresses", list.len()),
            &allowed,
        ));
    }
    let given = list.into_iter().filter(|text| !text.is_empty());
    given.map(|text| checked_address(key, text)).collect()
}

/// An address as it was given, if it is one.
pub(super) fn checked_address(key: &str, text: &str) -> Result<String, Wrong> {
    let parts = text.rsplit_once(':');
    let is_address = parts.is_some_and(|(host, port)| {
        let is_host = !host.is_empty()
            && host.len() <= LONGEST_HOST_BYTES
            && host.bytes().all(|byte| byte.is_ascii_graphic());
        is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if is_address {
        return Ok(text.to_owned());
    }
    Err(out_of_range(
        key,
        text,
        &"allowed: an address like 10.0.0.1:7400 or alpha:7400",
    ))
}
