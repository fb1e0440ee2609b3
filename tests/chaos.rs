//! The chaos circle: real daemons on hosts of their own, broken on purpose, judged by the truths.
//!
//! One story, one file; `seeds` draws its own.

mod chaos {
    pub mod busy;
    pub mod gateway_cut;
    pub mod host_lost;
    pub mod majority;
    pub mod ready_made;
    pub mod rooms;
    pub mod seeds;
    pub mod steady;
    pub mod teams_alone;
}
