//! `domo target add`: says what agents may reach.

use std::collections::BTreeMap;

use clap::Args;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::{MethodClass, Target};

/// Methods that read by what HTTP says of them.
const READING: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Add a target that agents may reach, or describe one anew
///
/// What it means to repeat a request is said for each method: --read changes nothing; --keyed is done
/// once under one Idempotency-Key, because the target knows such keys; anything else may be done twice,
/// so after a crash a human has to say whether it was. GET, HEAD and OPTIONS read unless it is said
/// otherwise.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo target add kube --at https://10.0.0.9:6443 --for sre --keyed PUT --keyed PATCH --needs-secret
  domo target add search --at http://search.example --for sre --for ops --read POST")]
pub(crate) struct TargetAdd {
    /// Its name: agents ask `$MAJORDOMO_GATEWAY/targets/NAME/…`
    name: String,
    /// Where it is: http or https, host and port
    #[arg(long, value_name = "URL", value_parser = address)]
    at: String,
    /// A team whose agents may reach it; may be given many times
    #[arg(long = "for", value_name = "TEAM")]
    teams: Vec<String>,
    /// A method that changes nothing; may be given many times
    #[arg(long, value_name = "METHOD")]
    read: Vec<String>,
    /// A method that may be repeated under its Idempotency-Key; may be given many times
    #[arg(long, value_name = "METHOD")]
    keyed: Vec<String>,
    /// A method that may be done twice when it is repeated; may be given many times
    #[arg(long, value_name = "METHOD")]
    unkeyed: Vec<String>,
    /// Only nodes that have its secret (`domo secret set`) host those teams
    #[arg(long)]
    needs_secret: bool,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for TargetAdd {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let target = Target {
            methods: self.methods()?,
            name: self.name,
            address: self.at,
            teams: self.teams,
            needs_secret: self.needs_secret,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.put_target(&target, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        let name = &target.name;
        console.done(&done, &format!("target {name} is {}", target.address))?;
        if target.teams.is_empty() {
            print::note("no team may reach it: name some with --for");
        }
        Ok(())
    }
}

impl TargetAdd {
    fn methods(&self) -> Result<BTreeMap<String, MethodClass>, Stop> {
        let reading = READING.iter().map(|method| (*method).to_owned());
        let mut methods: BTreeMap<String, MethodClass> =
            reading.map(|method| (method, MethodClass::Read)).collect();
        let mut named: BTreeMap<String, MethodClass> = BTreeMap::new();
        for (given, class) in [
            (&self.read, MethodClass::Read),
            (&self.keyed, MethodClass::Keyed),
            (&self.unkeyed, MethodClass::Unkeyed),
        ] {
            for method in given {
                let method = method.to_ascii_uppercase();
                let before = named.insert(method.clone(), class);
                if before.is_some_and(|before| before != class) {
                    let what = format!("{method} is named twice, with two meanings");
                    return Err(Stop::rephrase(what, "name it once"));
                }
            }
        }
        methods.extend(named);
        Ok(methods)
    }
}

/// An address with its port, which http and https have without saying.
fn address(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let port = match text.split_once("://") {
        Some(("http", _)) => 80,
        Some(("https", _)) => 443,
        _ => return Err("an address is as in https://10.0.0.9:6443".to_owned()),
    };
    let host = text.split_once("://").map_or("", |(_, host)| host);
    if host.contains('/') {
        return Err("an address has no path: agents name it in what they ask".to_owned());
    }
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, port)| !before.is_empty() && !port.contains(']'));
    Ok(if has_port {
        text.to_owned()
    } else {
        format!("{text}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_port_and_no_path() {
        for (text, taken) in [
            ("https://kube.example", Some("https://kube.example:443")),
            ("http://10.0.0.9/", Some("http://10.0.0.9:80")),
            ("https://10.0.0.9:6443", Some("https://10.0.0.9:6443")),
            ("https://[::1]", Some("https://[::1]:443")),
            ("https://[::1]:8443", Some("https://[::1]:8443")),
            ("https://kube.example/api", None),
            ("kube.example:443", None),
            ("smtp://mail.example:25", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), taken, "{text}");
        }
    }
}
