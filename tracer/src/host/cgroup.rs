//! Which control groups, and so which container, a process is in: the lines of `/proc/PID/cgroup` (cgroups(7)).
//!
//! Pure: text in, answers out.

use std::path::Path;

/// Where control groups are usually mounted; people copy paths with it in front.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/// Container ids of Docker, containerd, CRI-O and Podman have this many hexadecimal digits.
const ID_DIGITS: usize = 64;

/// The paths in a `/proc/PID/cgroup` text, with the controllers of each: empty for version 2.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    // `hierarchy:controllers:path`; the path itself may hold colons.
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        Some((controllers, path))
    })
}

/// The container ids of a process, the innermost first. Containers inside containers have several.
///
/// Forms (the name of a cgroup directory, any depth): `ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
/// `libpod-ID.scope`. The monitor beside a Podman or CRI-O container (`libpod-conmon-ID.scope`) is not in the container.
pub fn container_ids(text: &str) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for (_, path) in lines(text) {
        for name in path.rsplit('/').filter(|name| !name.contains("conmon")) {
            let name = name.strip_suffix(".scope").unwrap_or(name);
            let id = name.rsplit(['-', ':']).next().unwrap_or(name);
            let is_id =
                id.len() == ID_DIGITS && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if is_id && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

/// Is a process in this control group or below it? Looks at version 2, and at systemd's own hierarchy of version 1,
/// which has the same paths.
pub fn is_within(text: &str, group: &Path) -> bool {
    let group = MOUNTS.iter().find_map(|mount| group.strip_prefix(mount).ok()).unwrap_or(group);
    let group = group.strip_prefix("/").unwrap_or(group);
    lines(text)
        .filter(|(controllers, _)| controllers.is_empty() || *controllers == "name=systemd")
        .any(|(_, path)| Path::new(path).strip_prefix("/").is_ok_and(|path| path.starts_with(group)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";

    #[test]
    fn containers() {
        let check = |text: &str, expected: &[&str]| {
            let text = text.replace("$A", A).replace("$B", B);
            assert_eq!(container_ids(&text), expected, "{text}");
        };
        check("", &[]);
        check("0::/", &[]);
        check("0::/user.slice/user-1000.slice/session-3.scope\n", &[]);
        check("0::/system.slice/docker-$A.scope\n", &[A]);
        check("12:cpu,cpuacct:/docker/$A\n11:memory:/docker/$A\n0::/docker/$A\n", &[A]);
        check("0::/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-$A.scope", &[A]);
        check("0::/kubepods/besteffort/pod0a1b/$A", &[A]);
        check("0::/kubepods-burstable-pod1.slice:cri-containerd:$A", &[A]);
        check("0::/kubepods.slice/crio-$A.scope", &[A]);
        check("0::/machine.slice/libpod-$A.scope/container", &[A]);
        check("0::/machine.slice/libpod-conmon-$A.scope", &[]);
        check("0::/system.slice/docker-$A.scope/docker/$B", &[B, A]);
        check("0::/system.slice/docker-${A}a.scope", &[]);
        check("0:/docker/$A", &[]);
        check("garbage\n::\n0::/x:docker-$A.scope", &[A]);
    }

    #[test]
    fn groups() {
        let text = "9:name=systemd:/old.slice\n4:memory:/only-memory\n0::/system.slice/app.service/worker\n";
        let check =
            |group: &str, expected: bool| assert_eq!(is_within(text, Path::new(group)), expected, "{group}");
        check("/system.slice/app.service/worker", true);
        check("/system.slice/app.service", true);
        check("/system.slice/app.service/", true);
        check("/sys/fs/cgroup/system.slice", true);
        check("/sys/fs/cgroup/unified/system.slice/app.service", true);
        check("/", true);
        check("/old.slice", true);
        check("/system.slice/app", false);
        check("/system.slice/app.service/worker/x", false);
        check("/only-memory", false);
    }
}
