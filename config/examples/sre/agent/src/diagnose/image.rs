//! Images that cannot be had, and why.

use crate::kube::cluster::Cluster;
use crate::kube::container::Container;
use crate::kube::pod::Pod;

use super::fault::Cause;
use super::symptom::Symptom;

/// The reasons for waiting that are about the image.
const IMAGE_REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Does the reason speak of the image?
pub fn is_about_image(reason: &str) -> bool {
    IMAGE_REASONS.contains(&reason)
}

/// Why an image cannot be had.
struct Why {
    /// One word for grouping.
    sign: &'static str,
    /// After "cannot pull image x: ".
    phrase: &'static str,
    /// What to do.
    cure: &'static str,
    /// Is the whole registry concerned, rather than this image?
    is_of_registry: bool,
}

/// The symptom of a container that waits for its image.
pub fn symptom(cluster: &Cluster, pod: &Pod, container: &Container, reason: &str) -> Symptom {
    let (_, said) = container.waits_for().unwrap_or_default();
    let told = pull_message(cluster, pod, container);
    let message = told.clone().unwrap_or_else(|| said.to_owned());
    let why = why(reason, &message, &container.image);
    let image = &container.image;
    let registry = registry(image);
    let (sign, about) = if why.is_of_registry {
        (
            format!("{}@{registry}", why.sign),
            format!("{reason}: image {image}: {}", why.phrase),
        )
    } else {
        (
            format!("{}:{image}", why.sign),
            format!("{reason}: image {image}: {}", why.phrase),
        )
    };
    let mut symptom = Symptom::new(Cause::Image, sign, format!("cannot start: {about}"));
    symptom.explanation = format!(
        "Container {} waits in {reason} because its image {image} cannot be pulled from {registry}: \
         {}. The pod is on node {} already, so scheduling is not the fault.",
        container.name,
        why.phrase,
        pod.node.as_deref().unwrap_or("(none)")
    );
    why.cure.clone_into(&mut symptom.cure);
    symptom.evidence.push(format!(
        "{}: container {} {reason}: {said}",
        pod.key, container.name
    ));
    symptom
        .evidence
        .extend(told.map(|t| format!("{}: event Failed: {t}", pod.key)));
    symptom.objects.push(image.clone());
    if why.is_of_registry {
        symptom.objects.push(format!("registry {registry}"));
    }
    symptom
}

/// The kubelet's own words about the failed pull: they say more than "back-off".
fn pull_message(cluster: &Cluster, pod: &Pod, container: &Container) -> Option<String> {
    cluster
        .events_of(pod)
        .filter(|e| {
            matches!(
                e.reason.as_str(),
                "Failed" | "InspectFailed" | "ErrImageNeverPull"
            )
        })
        .filter(|e| e.container.as_ref().is_none_or(|c| *c == container.name))
        .filter(|e| e.message.contains("pull") || e.message.contains("image"))
        .filter(|e| !e.message.starts_with("Error: "))
        .last()
        .map(|e| e.message.clone())
}

/// `docker.io` of `nginx:1.25`, `reg.example.com:5000` of `reg.example.com:5000/a/b`.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// What registries and kubelets say, in the order in which it is looked for: the first that fits
/// counts.
const TABLE: [(&[&str], Why); 9] = [
    (
        &["toomanyrequests", "rate limit", "429 too many"],
        Why {
            sign: "rate",
            phrase: "the registry limits the rate of pulls",
            cure: "Pull with an account, through a mirror, or wait for the limit to pass.",
            is_of_registry: true,
        },
    ),
    (
        &["no space left"],
        Why {
            sign: "disk",
            phrase: "the node's disk is full",
            cure: "Make room on the node's image disk.",
            is_of_registry: false,
        },
    ),
    (
        &[
            "no match for platform",
            "no matching manifest",
            "exec format",
        ],
        Why {
            sign: "platform",
            phrase: "the image does not exist for this node's architecture",
            cure: "Use an image for this architecture or place the pod on a fitting node.",
            is_of_registry: false,
        },
    ),
    (
        &["x509", "certificate"],
        Why {
            sign: "certificate",
            phrase: "the registry's certificate is not trusted",
            cure: "Give the nodes the registry's certificate authority or renew the certificate.",
            is_of_registry: true,
        },
    ),
    (
        &[
            "no such host",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "network is unreachable",
            "timed out",
            "timeout exceeded",
            "deadline exceeded",
            "no route to host",
            ": eof",
            "502 bad gateway",
            "503 service",
        ],
        Why {
            sign: "network",
            phrase: "the registry cannot be reached (network, DNS or the registry itself)",
            cure: "Check name resolution and the way from the nodes to the registry, and the \
                   registry itself.",
            is_of_registry: true,
        },
    ),
    (
        // A registry that hides what it has says this to a wrong name too.
        &["repository does not exist or may require"],
        Why {
            sign: "denied",
            phrase: "access is denied: the repository does not exist or needs credentials \
                     (imagePullSecrets)",
            cure: "Check the image name, then give the pod imagePullSecrets with valid \
                   credentials.",
            is_of_registry: false,
        },
    ),
    (
        &[
            "unauthorized",
            "denied",
            "forbidden",
            "no basic auth",
            "code 401",
            "code 403",
            "authentication required",
            "authorization failed",
            "insufficient_scope",
        ],
        Why {
            sign: "auth",
            phrase: "the registry refuses access (authentication)",
            cure: "Give the pod imagePullSecrets with valid credentials for the registry.",
            is_of_registry: true,
        },
    ),
    (
        &[
            "not found",
            "manifest unknown",
            "does not exist",
            "name unknown",
            "notfound",
        ],
        Why {
            sign: "missing",
            phrase: "the image or its tag was not found in the registry",
            cure: "Correct the image's name or tag in the pod template, or push the image.",
            is_of_registry: false,
        },
    ),
    (
        &[""],
        Why {
            sign: "pull",
            phrase: "the image cannot be pulled (the recording does not say why)",
            cure: "Check the image's name and tag, the registry and the imagePullSecrets with \
                   `kubectl describe pod`.",
            is_of_registry: false,
        },
    ),
];
const INVALID_NAME: Why = Why {
    sign: "name",
    phrase: "the image name is not a valid reference",
    cure: "Correct the image name in the pod template.",
    is_of_registry: false,
};
const NEVER_PULLED: Why = Why {
    sign: "never",
    phrase: "imagePullPolicy is Never and the image is not on the node",
    cure: "Load the image onto the node or allow it to be pulled (imagePullPolicy IfNotPresent).",
    is_of_registry: false,
};

fn why(reason: &str, message: &str, image: &str) -> &'static Why {
    match reason {
        "InvalidImageName" => return &INVALID_NAME,
        "ErrImageNeverPull" => return &NEVER_PULLED,
        _ => {}
    }
    // The image's own name may contain any word.
    let text = message.replace(image, "").to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    let found = TABLE.iter().find(|(words, _)| says(words));
    found.map_or(&TABLE[TABLE.len() - 1].1, |(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_registries_are_told_apart() {
        for (message, sign) in [
            (
                "rpc error: code = NotFound desc = failed to pull and unpack image \
              \"docker.io/library/nginx:1.99\": failed to resolve reference: not found",
                "missing",
            ),
            (
                "pull access denied for acme/app, repository does not exist or may require \
              'docker login': denied",
                "denied",
            ),
            ("unexpected status code 401 Unauthorized", "auth"),
            (
                "dial tcp: lookup registry.example.com: no such host",
                "network",
            ),
            (
                "toomanyrequests: You have reached your pull rate limit",
                "rate",
            ),
            (
                "x509: certificate signed by unknown authority",
                "certificate",
            ),
            ("no match for platform in manifest: not found", "platform"),
            ("Back-off pulling image \"x\"", "pull"),
        ] {
            assert_eq!(
                why("ImagePullBackOff", message, "acme/denied").sign,
                sign,
                "{message}"
            );
        }
        assert_eq!(registry("nginx:1"), "docker.io");
        assert_eq!(registry("team/app"), "docker.io");
        assert_eq!(registry("reg.example.com/team/app:1"), "reg.example.com");
        assert_eq!(registry("localhost:5000/app"), "localhost:5000");
    }
}
