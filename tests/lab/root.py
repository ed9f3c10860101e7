"""The hosts' file system: a Debian base that looks, to anyone who logs in, like a release of CentOS."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.lab.tools import built, chroot, debian_mirror, files_of, key_of, run, text_of

PACKAGES = (
    "systemd systemd-sysv dbus openssh-server python3 iproute2 iptables procps sudo ca-certificates curl dnf "
    "dnf-plugins-core rpm kmod libseccomp2 libltdl7 xz-utils pigz gpg gpg-agent openssl gcc-12-base libdevmapper1.02.1 "
    "libgssapi-krb5-2 libfuse3-3 libglib2.0-0 libaio1 zlib1g libzstd1"
).split()
DATA = Path(__file__).parent / "data"
HIDDEN = "/usr/libexec/lab"
RELEASES: dict[str, Any] = yaml.safe_load(
    (DATA / "releases.yml").read_text(encoding="utf-8")
)
PASSWORD = "Lab-pass 1'\"$"


def base() -> Path:
    """A Debian tree with everything that any of the releases needs, Python 2.7 included."""
    key = key_of(PACKAGES, 4)
    return built("base", key, _bootstrap, "making the hosts' base system (once, about 2 minutes)")


def _bootstrap(work: Path) -> None:
    root, mirror = work / "root", debian_mirror()
    include = f"--include={','.join(PACKAGES)}"
    run("debootstrap", "--variant=minbase", include, "bookworm", root, *([mirror] if mirror else []))
    sources = root / "etc/apt/sources.list"
    kept = sources.read_text(encoding="utf-8")
    mirror = mirror or kept.split()[1]
    sources.write_text(f"{kept}\ndeb {mirror} bullseye main\n", encoding="utf-8")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for part in ("apt.conf", "apt.conf.d"):
        # A proxy of the machine's apt counts for the base as well.
        for path in Path("/etc/apt").glob(f"{part}/*proxy*"):
            shutil.copy(path, root / "etc/apt/apt.conf.d" / path.name)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    chroot(root, "apt-get", "-qq", "update", env=quiet)
    chroot(root, "apt-get", "-qq", "-y", "install", "--no-install-recommends", "python2.7", "tini", "busybox-static", env=quiet)


def fetch(packages: list[str], into: Path) -> None:
    """Download Debian packages as the base system would install them. The base, which others copy meanwhile, stays as it is."""
    download = ("apt-get", "-qq", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "download", *packages)
    mounted = 'mount --bind "$1" "$2/mnt"; shift; exec chroot "$@"'
    run("unshare", "--mount", "sh", "-ec", mounted, "sh", into, base() / "root", "env", "-C", "/mnt", "TMPDIR=/tmp", *download)
    for path in into.glob("*.deb"):
        path.rename(into / path.name.partition("_")[0].replace("%3a", ":"))


def release_root(release: str, identity: Path) -> Path:
    """The tree of one release; ``identity`` holds the lab's keys and certificates."""
    about = RELEASES[release]
    own = [text_of("sysvinit.py"), files_of(DATA / about["files"])] if "files" in about else []
    key = key_of(base().name, identity.name, about, text_of("root.py"), own)
    return built(
        f"root{release}", key, lambda work: _dress(work, release, identity), f"dressing the base as release {release}"
    )


def _dress(work: Path, release: str, identity: Path) -> None:
    root = work / "root"
    run("cp", "-a", base() / "root", root)
    about = RELEASES[release]
    etc = root / "etc"
    for name in ("redhat-release", "centos-release", "system-release"):
        _write(etc / name, about["redhat-release"] + "\n")
    if "os-release" in about:
        _write(etc / "os-release", about["os-release"])
    else:
        for path in (etc / "os-release", root / "usr/lib/os-release"):
            path.unlink()
    (etc / "debian_version").unlink(missing_ok=True)
    (root / "etc/rpm").mkdir(exist_ok=True)
    _write(root / "etc/rpm/macros.lab", "%_dbpath /var/lib/rpm\n%_install_langs all\n")
    _repositories(root, about, identity)
    _package_manager(root)
    _trust(root, identity)
    _logins(root, identity)
    _hide(root, release)
    if "files" in about:
        from tests.lab import sysvinit

        sysvinit.dress(root, DATA / about["files"])
    else:
        _services(root)


def _repositories(root: Path, about: dict[str, Any], identity: Path) -> None:
    directory = root / "etc/yum.repos.d"
    directory.mkdir(exist_ok=True)
    lines = []
    for name, url in about["repositories"].items():
        lines += [f"[{name}]", f"name={about['name']} - {name}", f"baseurl={url}", "enabled=1", "gpgcheck=1"]
        lines += ["gpgkey=file:///etc/pki/rpm-gpg/" + about["key"], ""]
    _write(directory / "CentOS-Base.repo", "\n".join(lines))
    keys = root / "etc/pki/rpm-gpg"
    keys.mkdir(parents=True)
    shutil.copy(identity / "os.asc", keys / about["key"])


def _package_manager(root: Path) -> None:
    """Debian's plugins for dnf get in the way of transactions; yum is dnf's other name."""
    for name in ("local", "debug", "copr"):
        (root / f"etc/dnf/plugins/{name}.conf").unlink(missing_ok=True)
        for path in root.glob(f"usr/lib/python3/dist-packages/dnf-plugins/{name}.py"):
            path.unlink()
    (root / "usr/bin/yum").unlink(missing_ok=True)
    (root / "usr/bin/yum").symlink_to("dnf-3")
    _write(root / "usr/bin/yum-config-manager", '#!/bin/sh\nexec dnf config-manager "$@"\n', 0o755)
    _write(
        root / "etc/dnf/dnf.conf",
        "[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=False\nbest=False\n"
        "skip_if_unavailable=False\ninstall_weak_deps=True\ntsflags=nodocs\n",
    )


def _trust(root: Path, identity: Path) -> None:
    certificates = root / "usr/local/share/ca-certificates"
    shutil.copy(identity / "ca.crt", certificates / "lab.crt")
    chroot(root, "update-ca-certificates")
    bundle = root / "etc/pki/tls/certs"
    bundle.mkdir(parents=True)
    shutil.copy(root / "etc/ssl/certs/ca-certificates.crt", bundle / "ca-bundle.crt")


def _logins(root: Path, identity: Path) -> None:
    chroot(root, "chpasswd", stdin=f"root:{PASSWORD}\n")
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    _write(ssh / "authorized_keys", (identity / "id_ed25519.pub").read_text(encoding="utf-8"), 0o600)
    for path in (root / "etc/ssh").glob("ssh_host_*"):
        path.unlink()
    shutil.copy(identity / "ssh_host_ed25519_key", root / "etc/ssh/ssh_host_ed25519_key")
    (root / "etc/ssh/ssh_host_ed25519_key").chmod(0o600)
    _write(
        root / "etc/ssh/sshd_config",
        "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin yes\nPasswordAuthentication yes\nUsePAM no\n"
        "UseDNS no\nMaxStartups 200:30:400\nPrintMotd no\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
        "Include /etc/ssh/sshd_config.d/*.conf\n",
    )
    # As on CentOS: root's directories come first for sudo as well.
    _write(root / "etc/sudoers.d/lab", "Defaults secure_path=/usr/sbin:/usr/bin:/sbin:/bin\n", 0o440)


def _services(root: Path) -> None:
    """Only what a host needs: no login terminals, no timers, no network management in the container."""
    system = root / "etc/systemd/system"
    for unit in (
        "getty.target systemd-networkd.service systemd-resolved.service systemd-timesyncd.service apt-daily.timer "
        "apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-udevd.service "
        "systemd-logind.service console-getty.service dnf-makecache.timer systemd-tmpfiles-clean.timer"
    ).split():
        link = system / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    wants = system / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "ssh.service").unlink(missing_ok=True)
    (system / "sshd.service").unlink(missing_ok=True)
    _write(
        system / "sshd.service",
        "[Unit]\nDescription=OpenSSH server\nAfter=network.target\n[Service]\nExecStartPre=/bin/mkdir -p /run/sshd\n"
        "EnvironmentFile=-/etc/sysconfig/sshd-lab\nExecStart=/usr/bin/env $PERSONALITY /usr/sbin/sshd -D\n"
        "KillMode=process\nRestart=no\n[Install]\nWantedBy=multi-user.target\n",
    )
    (wants / "sshd.service").symlink_to("/etc/systemd/system/sshd.service")
    for name in ("ssh.service", "ssh.socket"):
        (system / name).unlink(missing_ok=True)
        (system / name).symlink_to("/dev/null")
    default = system / "default.target"
    default.unlink(missing_ok=True)
    default.symlink_to("/lib/systemd/system/multi-user.target")
    # Each host makes its own when it boots.
    _write(root / "etc/machine-id", "")
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)


def _hide(root: Path, release: str) -> None:
    """Leave the release's own Python to be found, and no trace of Debian's tools."""
    hidden = root / HIDDEN.lstrip("/")
    hidden.mkdir(parents=True)
    for pattern in ("usr/bin/apt*", "usr/bin/dpkg*", "usr/sbin/dpkg*", "usr/bin/debconf*"):
        for path in root.glob(pattern):
            path.rename(hidden / path.name)
    python = RELEASES[release].get("python", "")
    two = python == "/usr/bin/python"
    # What dnf runs on, also where the release itself had no Python 3.
    python3 = f"{HIDDEN}/python3" if two or not python else python
    if python3 != "/usr/bin/python3":
        (root / "usr/bin/python3.11").rename(root / python3.lstrip("/"))
        for path in root.glob("usr/bin/python3*"):
            path.unlink()
    for path in (root / "usr/bin/python", root / "usr/bin/python2"):
        path.unlink(missing_ok=True)
    if two:
        for name in ("python", "python2"):
            (root / "usr/bin" / name).symlink_to("python2.7")
    else:
        (root / "usr/bin/python2.7").unlink()
    for name in ("dnf-3", "dnf-automatic-3"):
        script = root / "usr/bin" / name
        if script.exists():
            body = script.read_text(encoding="utf-8").partition("\n")[2]
            script.write_text(f"#!{python3} -sE\n{body}", encoding="utf-8")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    if path.is_symlink():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
