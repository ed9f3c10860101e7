"""What makes the base a host of release 6: sysvinit in systemd's place, old tools, a yum whose Python nobody finds."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lab import root as base
from tests.lab.tools import chroot, lay_over, run

#: Programs of later years, and those of systemd.
LATER = (
    "bin/busctl bin/hostnamectl bin/journalctl bin/localectl bin/loginctl bin/networkctl bin/systemctl bin/systemd* "
    "bin/timedatectl bin/ss bin/realpath bin/numfmt bin/nsenter bin/setpriv bin/prlimit bin/lsns bin/dnf* bin/yum* sbin/halt "
    "sbin/init sbin/poweroff sbin/reboot sbin/runlevel sbin/shutdown sbin/telinit sbin/service sbin/invoke-rc.d "
    "sbin/update-rc.d lib/systemd libexec/platform-python"
).split()
#: Real ones behind scripts that refuse what they learned later.
BEHIND = ("bin/timeout", "bin/df", "bin/ip")
SERVICES = ("rsyslog", "sshd")


def dress(root: Path, files: Path) -> None:
    """Change a dressed tree into one of release 6; ``files`` are laid over it last."""
    hidden = root / base.HIDDEN.lstrip("/")
    (root / "usr/bin/dnf-3").rename(hidden / "dnf-3")
    for name in BEHIND:
        (root / "usr" / name).rename(hidden / Path(name).name)
    for pattern in LATER:
        for path in root.glob(f"usr/{pattern}"):
            _remove(path)
    for name in ("init.d", "systemd", "dnf/dnf.conf", "machine-id", *(f"rc{level}.d" for level in "0123456S")):
        _remove(root / "etc" / name)
    for name in ("init.d", *(f"rc{level}.d" for level in "0123456")):
        (root / "etc/rc.d" / name).mkdir(parents=True)
        (root / "etc" / name).symlink_to(f"rc.d/{name}")
    (root / "usr/share/yum-cli").mkdir()
    (root / "var/log/messages").touch(0o600)
    (root / "usr/bin/sh").unlink()
    (root / "usr/bin/sh").symlink_to("bash")
    with TemporaryDirectory() as drop:
        base.fetch(["sysvinit-core"], Path(drop))
        run("dpkg-deb", "-x", Path(drop) / "sysvinit-core", f"{drop}/x")
        for path in Path(drop, "x/sbin").iterdir():
            shutil.copy2(path, root / "usr/sbin" / path.name, follow_symlinks=False)
    lay_over(root, files)
    for name in SERVICES:
        chroot(root, "/sbin/chkconfig", "--add", name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
