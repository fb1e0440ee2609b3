//! What an exit code and a reason say about how a container ended.

use crate::kube::Key;
use crate::kube::container::Ended;

/// `exit code 139: killed by SIGSEGV, the program touched memory that is not its own`.
pub fn words(ended: &Ended) -> String {
    let code = ended.exit_code;
    let meaning = match code {
        _ if is_of_another_machine(ended) => {
            "the program is built for another kind of processor (exec format error)"
        }
        0 => "the program ended by itself without an error",
        1 => "the program reported a general error",
        2 => "the program reported a wrong use or an error of its own",
        126 => "the command was found but cannot be executed",
        127 => "the command was not found in the image",
        128 => "the container could not be started or ended in an invalid way",
        129 => "ended by SIGHUP",
        130 => "ended by SIGINT",
        132 => "killed by SIGILL: an instruction that this processor does not know",
        134 => "ended by SIGABRT: the program aborted itself",
        135 => "killed by SIGBUS",
        136 => "killed by SIGFPE: an arithmetic fault",
        137 => "killed by SIGKILL",
        139 => "killed by SIGSEGV: the program touched memory that is not its own",
        143 => "ended by SIGTERM: it was asked to stop",
        255 => "the program reported an error out of range",
        _ => "the program reported an error of its own",
    };
    format!("exit code {code}: {meaning}")
}

/// Killed for memory?
pub fn is_out_of_memory(ended: &Ended) -> bool {
    ended.reason == "OOMKilled"
}

/// Could it not even be started?
pub fn could_not_start(ended: &Ended) -> bool {
    matches!(ended.reason.as_str(), "ContainerCannotRun" | "StartError")
        || (ended.exit_code == 128 && !ended.message.is_empty())
}

/// Is the program's file none that this processor runs?
fn is_of_another_machine(ended: &Ended) -> bool {
    ended.message.contains("exec format error")
}

/// What a person would do next about a program that ended like this.
pub fn cure(ended: &Ended, pod: &Key, container: &str) -> String {
    if is_of_another_machine(ended) {
        return "Use an image that is built for the node's architecture (or for several), or select \
                nodes of the image's own (label kubernetes.io/arch)."
            .to_owned();
    }
    of_code(ended.exit_code, pod, container)
}

/// What a person would do next about a program that ended with this code.
pub fn of_code(code: i64, pod: &Key, container: &str) -> String {
    let log = format!(
        "read its last words with `kubectl logs -n {} {} -c {container} --previous`",
        pod.namespace, pod.name
    );
    match code {
        0 => format!(
            "Give the container a command that stays in the foreground, or run it as a Job; {log}."
        ),
        126 => "Make the command executable in the image, or correct `command`.".to_owned(),
        127 => "Correct `command`, or use an image that contains the program.".to_owned(),
        139 | 134 | 135 | 132 | 136 => {
            format!(
                "The program itself is broken on this input or machine: {log} and go back to \
                     the last version that ran."
            )
        }
        _ => crate::phrase::sentence(&format!("{log} and mend what it complains about.")),
    }
}
