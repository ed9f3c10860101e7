"""One stand-in host: a container that booted an init and sshd, reached as any other machine is."""

from __future__ import annotations

import socket
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import engine, root
from tests.lab.identity import NAMES, identity
from tests.lab.tools import LabError, lock, run

if TYPE_CHECKING:
    from tests.lab.lab import Lab

SUDO = {"nopasswd": "ALL=(ALL) NOPASSWD: ALL", "password": "ALL=(ALL) ALL"}
#: What makes a host another: files that are put over its own.
VARIANTS = Path(__file__).parent / "data" / "variants"
#: What takes the place of uname on a host that is to have a kernel of a certain release.
UNAME = """#!/bin/sh
/usr/libexec/lab/uname "$@" | sed "s/$(/usr/libexec/lab/uname -r)/{kernel}/"
"""
OLD = {"docker": ["docker", "docker-common", "docker-client"], "podman": ["podman", "runc", "container-selinux"]}


@dataclass(frozen=True)
class Host:
    """A host of a lab, by name."""

    lab: Lab
    name: str
    release: int
    address: str
    port: int = 22
    jump: str | None = None

    @property
    def restart_sshd(self) -> str:
        """The command of its service manager."""
        return "service sshd restart" if self.release == 6 else "systemctl restart sshd"

    @property
    def container(self) -> str:
        """Its name in the lab's engine."""
        return f"{self.lab.name}-{self.name}"

    def run(self, command: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run shell text as root, past sshd."""
        return engine.docker("exec", self.container, "sh", "-c", command, check=check, timeout=timeout)

    def ssh(self, command: str, stdin: bytes = b"", timeout: float = 120) -> str:
        """What shell text prints to someone who logged in. Raises LabError if it fails."""
        line = ["ssh", "-F", str(self.lab.ssh_config), self.name, command]
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=timeout)
        if done.returncode:
            raise LabError(f"`{command}` ended with {done.returncode} on {self.name}: {done.stderr.decode()[-800:]}")
        return done.stdout.decode(errors="replace")

    def disk(self, point: str, kind: str = "ext4") -> None:
        """Mount a disk of its own, 2 GiB, at a directory; what is written to it goes when it is unmounted."""
        self.run(
            "[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237; "
            "for n in $(seq 0 63); do [ -e /dev/loop$n ] || mknod /dev/loop$n b 7 $n; done; "
            f"mkdir -p {point}; image=$(mktemp); truncate -s 2G $image; mkfs.{kind} -q $image; mount -o loop $image {point}; rm $image"
        )

    def runs(self) -> bool:
        """Whether it is switched on."""
        asked = engine.docker("inspect", "-f", "{{.State.Running}}", self.container, check=False)
        return asked.stdout.strip() == "true"

    def power_off(self) -> None:
        """As if the plug was pulled."""
        engine.docker("kill", self.container, check=False)

    def power_on(self) -> None:
        """Boot again, with the same address; waits for sshd."""
        engine.docker("start", self.container)
        self.wait()

    def remove(self) -> None:
        """The host and all its data are gone."""
        engine.docker("rm", "-f", "-v", self.container, check=False)
        self.lab.forget(self.name)

    def rekey(self) -> None:
        """A new SSH host key, as after a reinstallation; nobody is told."""
        self.run(
            "rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; "
            + self.restart_sshd
        )
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        """Until sshd greets. Raises LabError if it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.jump:
                if self.run("pgrep -x sshd", check=False).returncode == 0:
                    return
            else:
                try:
                    with socket.create_connection((self.address, self.port), 2) as connection:
                        connection.settimeout(2)
                        if connection.recv(4).startswith(b"SSH"):
                            return
                except OSError:
                    pass
            time.sleep(0.1)
        log = self.run("journalctl -n 20 --no-pager || tail -n 20 /var/log/boot.log /var/log/messages", check=False)
        raise LabError(f"{self.name} does not come up: {(log.stdout + log.stderr)[-800:]}")


def image(release: str) -> str:
    """The image of a release in the lab's engine, made if it is missing."""
    tree = root.release_root(release, identity())
    name = f"pydock-lab:{tree.name}"
    with lock(f"image{release}"):
        if engine.docker("image", "inspect", name, check=False).returncode:
            run("sh", "-c", 'tar -C "$1/root" -c . | docker -H "unix://$2" import - "$3"', "sh", tree, engine.SOCKET, name)
            _with_rpm_database(name, release)
    return name


def _with_rpm_database(name: str, release: str) -> None:
    """Install the RPMs that stand for what a bare host has, and keep that as the image."""
    from tests.lab import rpms

    work = f"pydock-lab-make-{release}"
    engine.docker("rm", "-f", work, check=False)
    bare = rpms.base_rpms()
    packages = [path.name for path in bare.glob("*.rpm")]
    about = root.RELEASES[release]
    wanted = tuple(f"{name}-1-" for name in about["bare"])
    chosen = [f"/bare/{p}" for p in packages if p.startswith(wanted) or f".{about['suffix']}." in p]
    command = (
        "mkdir -p /var/lib/rpm && rpmdb --initdb && rpm --import /etc/pki/rpm-gpg/* && "
        f"rpm -i --force-debian --nodeps {' '.join(chosen)}"
    )
    engine.docker("run", "--name", work, "--network", "none", "-v", f"{bare}:/bare:ro", name, "sh", "-c", command)
    engine.docker("commit", "-c", 'CMD ["/sbin/init"]', work, name)
    engine.docker("rm", "-f", work)


def create(
    lab: Lab,
    name: str,
    release: int,
    users: Mapping[str, str],
    port: int,
    personality: str,
    kernel: str,
    jump: Host | None,
    packages: Sequence[str],
    variants: Sequence[str],
) -> Host:
    """Start a host and wait until it can be logged in to."""
    version = str(release)
    container = f"{lab.name}-{name}"
    address = lab.address_of(name)
    engine.docker("rm", "-f", "-v", container, check=False)  # Of a run that was cut off.
    groups = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    cgroup = ["--cgroupns=private"] if groups else ["--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    engine.docker(
        *("run", "-d", "--name", container, "--hostname", name, "--label", f"pydock-lab={lab.name}"),
        # Else systemd takes its machine id from the machine that carries them all.
        *("-e", f"container_uuid={uuid.uuid4()}"),
        *("--network", engine.NETWORK, "--ip", address, "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"),
        *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *("--security-opt", "systempaths=unconfined", "--tmpfs", "/run", "--tmpfs", "/tmp:exec"),
        # Disks of its own are files behind loop devices.
        *("--device-cgroup-rule", "b 7:* rwm", "--device-cgroup-rule", "c 10:237 rwm"),
        *cgroup,
        *("-v", "/var/lib/docker", "-v", "/var/lib/containerd", "-v", f"{engine.RUN}/resolv.conf:/etc/resolv.conf"),
        *(word for mirror in NAMES for word in ("--add-host", f"{mirror}:{engine.GATEWAY}")),
        *(image(version), "/sbin/init"),
    )
    hidden = ""
    if jump:
        for one in (container, jump.container):
            engine.docker("network", "connect", engine.HIDDEN_NETWORK, one, check=False)
        template = f'{{{{(index .NetworkSettings.Networks "{engine.HIDDEN_NETWORK}").IPAddress}}}}'
        hidden = engine.docker("inspect", "-f", template, container).stdout.strip()
    made = Host(lab, name, release, hidden or address, port, jump.name if jump else None)
    _configure(made, users, personality, hidden)
    if kernel:
        place = "/usr/bin/uname"
        made.run(f"mkdir -p {root.HIDDEN} && mv {place} {root.HIDDEN}/uname")
        _put(made, place, UNAME.format(kernel=kernel))
    # Not earlier: at boot, stale locks of the package manager are removed, those of a running one too.
    made.wait()
    # While its repositories still served.
    for package in packages:
        made.run(f"yum -y -q install {' '.join(OLD.get(package, [package]))}", timeout=300)
    for variant in variants:
        _dress(made, VARIANTS / variant)
    return made


def _dress(host: Host, variant: Path) -> None:
    """Put the files of a variant in place; those of its repositories are all there are then."""
    files = sorted(path for path in variant.rglob("*") if path.is_file())
    if any(path.suffix == ".repo" for path in files):
        host.run("rm /etc/yum.repos.d/*.repo")
    for path in files:
        _put(host, f"/{path.relative_to(variant)}", path.read_text(encoding="utf-8"))


def _put(host: Host, place: str, text: str) -> None:
    mode = "755" if text.startswith("#!") else "644"
    command = f'rm -f {place}; mkdir -p "$(dirname {place})"; cat > {place}; chmod {mode} {place}'
    engine.docker("exec", "-i", host.container, "sh", "-c", command, stdin=text)


def _configure(host: Host, users: Mapping[str, str], personality: str, listen: str) -> None:
    lines = ["mkdir -p /etc/sysconfig /etc/ssh/sshd_config.d"]
    if personality:
        lines.append(f"""echo 'PERSONALITY="{personality}"' > /etc/sysconfig/sshd-lab""")
    for user, right in users.items():
        lines.append(f"useradd -m -s /bin/bash {user} && mkdir -p /home/{user}/.ssh")
        lines.append(f"cp /root/.ssh/authorized_keys /home/{user}/.ssh/ && chown -R {user} /home/{user}/.ssh")
        if right in SUDO:
            lines.append(f"echo '{user} {SUDO[right]}' > /etc/sudoers.d/{user}")
    if host.port != 22:
        lines.append(f"echo 'Port {host.port}' > /etc/ssh/sshd_config.d/port.conf")
    if listen:
        lines.append(f"echo 'ListenAddress {listen}' > /etc/ssh/sshd_config.d/listen.conf")
    changed = len(lines) > 1
    if changed:
        started = "test -e /var/lock/subsys/sshd" if host.release == 6 else "systemctl is-active -q sshd"
        lines.append(f"for i in $(seq 100); do {started} && break; sleep 0.1; done")
        lines.append(host.restart_sshd)
        ready = "test -S /run/dbus/system_bus_socket -o -S /run/systemd/private -o -e /var/lock/subsys/sshd"
        for _ in range(100):
            if host.run(ready, check=False).returncode == 0:
                break
            time.sleep(0.1)
        host.run("\n".join(lines))
    if users:
        passwords = "".join(f"{user}:{root.PASSWORD}\n" for user in users)
        engine.docker("exec", "-i", host.container, "chpasswd", stdin=passwords)


