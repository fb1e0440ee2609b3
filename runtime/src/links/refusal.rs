//! Why a connection is refused, by a name that both ends print.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum Refusal {
    /// It proves itself before another authority: it is of another cluster.
    #[error("its certificate is signed by another authority")]
    WrongAuthority,
    /// Its certificate has expired: its clock is wrong, or it was away for too long; join again.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is not good yet: one of the clocks is wrong.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// Its certificate is another node's than it says it is.
    #[error("its certificate is another node's")]
    WrongNode,
    /// It shows no certificate, and does not want to join.
    #[error("it shows no certificate")]
    NoCertificate,
    /// It is an earlier start of a node that has been started again.
    #[error("it is an older incarnation of its node")]
    OldIncarnation,
    /// It speaks an older protocol than is spoken here: upgrade it.
    #[error("it speaks an older protocol")]
    OldProtocol,
    /// It speaks a newer protocol than is spoken here: upgrade this node.
    #[error("it speaks a newer protocol")]
    NewProtocol,
    /// It speaks no TLS 1.3.
    #[error("it speaks no TLS 1.3")]
    OldTls,
    /// It names another cluster.
    #[error("it is of another cluster")]
    WrongCluster,
    /// It was removed from the cluster; its number is not used again.
    #[error("it was removed from the cluster")]
    Removed,
    /// It meant another node than the one that it reached.
    #[error("it was meant for another node")]
    NotMeant,
    /// It says something that cannot be understood.
    #[error("what it says cannot be understood")]
    Malformed,
    /// It did not say who it is in time.
    #[error("it did not say who it is in time")]
    TooSlow,
    /// As many as may be are there already: try again.
    #[error("there are too many of its kind already")]
    Full,
    /// Its certificate is good, and it knows another cookie, or broke off before it showed its own.
    #[error("it did not show that it knows the cluster's cookie")]
    WrongCookie,
}

/// Each of them with the number that stands for it between nodes; none is given twice.
const CODES: [(Refusal, u8); 16] = [
    (Refusal::WrongAuthority, 1),
    (Refusal::Expired, 2),
    (Refusal::NotYetValid, 3),
    (Refusal::WrongNode, 4),
    (Refusal::NoCertificate, 5),
    (Refusal::OldIncarnation, 6),
    (Refusal::OldProtocol, 7),
    (Refusal::NewProtocol, 8),
    (Refusal::OldTls, 9),
    (Refusal::WrongCluster, 10),
    (Refusal::Removed, 11),
    (Refusal::NotMeant, 12),
    (Refusal::Malformed, 13),
    (Refusal::TooSlow, 14),
    (Refusal::Full, 15),
    (Refusal::WrongCookie, 16),
];

impl Refusal {
    pub(super) fn code(self) -> u8 {
        let found = CODES.iter().find(|(refusal, _)| *refusal == self);
        found.map_or(0, |(_, code)| *code)
    }

    /// The refusal of that number; a newer release's number is not understood.
    pub(super) fn of_code(code: u8) -> Refusal {
        let found = CODES.iter().find(|(_, known)| *known == code);
        found.map_or(Refusal::Malformed, |(refusal, _)| *refusal)
    }

    /// What is wrong with the *other* end, as TLS found it here; nothing if the wire failed.
    pub(super) fn seen_in(error: &io::Error) -> Option<Refusal> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all that is no matter of certificates is a TLS that was not spoken well"
        )]
        match tls_error(error)? {
            rustls::Error::InvalidCertificate(why) => Some(of_certificate(why)),
            rustls::Error::NoCertificatesPresented => Some(Refusal::NoCertificate),
            rustls::Error::PeerIncompatible(_) => Some(Refusal::OldTls),
            rustls::Error::AlertReceived(_) => None,
            _ => Some(Refusal::Malformed),
        }
    }

    /// What the other end found wrong with *this* one, as it said in TLS.
    pub(super) fn told_by(error: &io::Error) -> Option<Refusal> {
        let rustls::Error::AlertReceived(alert) = tls_error(error)? else {
            return None;
        };
        // An alert has no name for a certificate that is not valid yet: it is "expired" as well.
        if *alert == AlertDescription::CertificateExpired {
            Some(Refusal::Expired)
        } else if [AlertDescription::UnknownCA, AlertDescription::DecryptError].contains(alert) {
            Some(Refusal::WrongAuthority)
        } else if *alert == AlertDescription::CertificateRequired {
            Some(Refusal::NoCertificate)
        } else if *alert == AlertDescription::ProtocolVersion {
            Some(Refusal::OldTls)
        } else {
            Some(Refusal::Malformed)
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>()
}

fn of_certificate(why: &CertificateError) -> Refusal {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add reasons; all others make a certificate that is none"
    )]
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Refusal::NotYetValid
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Refusal::WrongAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Refusal::WrongNode
        }
        _ => Refusal::Malformed,
    }
}

/// Hosts and reasons that are told apart until they are told: then all others count as one.
const MAX_NEWS: usize = 64;
/// The host that stands for all those that have no line of their own.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Who was refused, why, and how often.
pub type RefusedHosts = BTreeMap<(IpAddr, Refusal), u64>;

/// Whom this node refused.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By reason, since the node was started.
    all: BTreeMap<Refusal, u64>,
    /// By host and reason, since it was told last.
    news: RefusedHosts,
}

impl Refused {
    /// Notes a refusal.
    pub fn note(&self, refusal: Refusal, who: SocketAddr) {
        let count = {
            let mut counts = self.locked();
            let host = (who.ip(), refusal);
            let has_room = counts.news.len() < MAX_NEWS || counts.news.contains_key(&host);
            let host = if has_room { host } else { (OTHERS, refusal) };
            *counts.news.entry(host).or_default() += 1;
            let count = counts.all.entry(refusal).or_default();
            *count += 1;
            *count
        };
        // Each doubling is said, so that a stranger's loop does not fill the log.
        if count.is_power_of_two() {
            tracing::warn!(%who, reason = %refusal, count, "a connection was refused");
        }
    }

    /// How many of each.
    pub fn counts(&self) -> BTreeMap<Refusal, u64> {
        self.locked().all.clone()
    }

    /// Who was refused since this was asked last.
    pub fn news(&self) -> RefusedHosts {
        std::mem::take(&mut self.locked().news)
    }

    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_that_is_refused_has_so_many_lines_and_each_is_told_once() {
        let refused = Refused::default();
        for host in 0..200_u8 {
            let who = SocketAddr::from(([10, 0, 0, host], 7400));
            refused.note(Refusal::Expired, who);
            refused.note(Refusal::Expired, who);
        }
        let news = refused.news();
        assert_eq!(news.len(), MAX_NEWS + 1);
        assert_eq!(news.values().sum::<u64>(), 400);
        assert!(refused.news().is_empty());
        assert_eq!(refused.counts()[&Refusal::Expired], 400);
    }

    #[test]
    fn each_refusal_has_a_number_of_its_own() {
        for (refusal, code) in CODES {
            assert_eq!(refusal.code(), code);
            assert_eq!(Refusal::of_code(code), refusal);
            assert_ne!(code, 0);
        }
        assert_eq!(Refusal::of_code(200), Refusal::Malformed);
    }
}
