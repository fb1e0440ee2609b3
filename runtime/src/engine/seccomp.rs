//! The system call filter of the bubblewrap sandbox, as compiled for the kernel.
//!
//! # Why
//!
//! A list of what is refused, not of what is allowed: agents are any program, and the sandbox's
//! namespaces already take away what can be named. Refused is what only an administrator needs and
//! what has been the usual way out: new namespaces, mounts, key rings, BPF, tracing of others,
//! kernel modules, `io_uring`. The road not taken, a copy of the container engines' long list of
//! allowed calls, would have to follow every new kernel.

use nix::libc;

/// The architecture's number in the kernel's audit interface.
#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xC000_003E;
/// The same for the other architecture that this is built for.
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xC000_00B7;

/// From here on a call number is of the 32-bit variant of the 64-bit architecture.
const X32_FROM: u32 = 0x4000_0000;
/// Every flag of `clone` and `unshare` that makes a namespace.
const NEW_NAMESPACES: u32 = 0x7E02_0080;

/// The filter's answer: let it pass (`SECCOMP_RET_ALLOW`).
const ALLOW: u32 = 0x7FFF_0000;
/// The filter's answer: fail with the error number in its lower half (`SECCOMP_RET_ERRNO`).
const REFUSE: u32 = 0x0005_0000;

/// Load a word of what is known of the call (`BPF_LD | BPF_W | BPF_ABS`).
const LOAD: u16 = 0x20;
/// Skip by whether it is the value (`BPF_JMP | BPF_JEQ | BPF_K`).
const IF_EQUAL: u16 = 0x15;
/// Skip by whether it is at least the value (`BPF_JMP | BPF_JGE | BPF_K`).
const IF_AT_LEAST: u16 = 0x35;
/// Skip by whether it has a bit of the value (`BPF_JMP | BPF_JSET | BPF_K`).
const IF_ANY_BIT: u16 = 0x45;
/// Answer the value (`BPF_RET | BPF_K`).
const RETURN: u16 = 0x06;

/// Where the filter finds the call's number …
const AT_NUMBER: u32 = 0;
/// … its architecture …
const AT_ARCH: u32 = 4;
/// … and the lower half of its first argument.
const AT_FIRST: u32 = 16;

/// What is refused as "not permitted".
const REFUSED: &[libc::c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    libc::SYS_personality,
];

/// The filter's instructions, as the kernel reads them.
pub(super) fn filter() -> Vec<u8> {
    let mut steps: Vec<(u16, u8, u8, u32)> = vec![
        (LOAD, 0, 0, AT_ARCH),
        (IF_EQUAL, 1, 0, ARCH),
        // Programs of another architecture find no kernel that speaks theirs.
        (RETURN, 0, 0, refuse(libc::ENOSYS)),
        (LOAD, 0, 0, AT_NUMBER),
        (IF_AT_LEAST, 0, 1, X32_FROM),
        (RETURN, 0, 0, refuse(libc::ENOSYS)),
        // Its flags lie in memory that a filter cannot read; callers fall back to `clone`.
        (IF_EQUAL, 0, 1, number(libc::SYS_clone3)),
        (RETURN, 0, 0, refuse(libc::ENOSYS)),
    ];
    for call in REFUSED {
        steps.push((IF_EQUAL, 0, 1, number(*call)));
        steps.push((RETURN, 0, 0, refuse(libc::EPERM)));
    }
    steps.extend([
        (IF_EQUAL, 0, 3, number(libc::SYS_clone)),
        (LOAD, 0, 0, AT_FIRST),
        (IF_ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, refuse(libc::EPERM)),
        (RETURN, 0, 0, ALLOW),
    ]);
    let bytes = steps
        .into_iter()
        .flat_map(|(code, then, otherwise, value)| {
            let code = code.to_ne_bytes();
            let value = value.to_ne_bytes();
            [
                code[0], code[1], then, otherwise, value[0], value[1], value[2], value[3],
            ]
        });
    bytes.collect()
}

fn refuse(errno: i32) -> u32 {
    REFUSE | u32::try_from(errno).unwrap_or(1)
}

fn number(call: libc::c_long) -> u32 {
    // Call numbers are small and positive on every architecture.
    u32::try_from(call).unwrap_or(u32::MAX)
}
