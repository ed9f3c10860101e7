"""Rules about storage: will the file systems below Docker, containerd and yum do?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydock_installer.checks.judging import effective, surely_before, worst
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Fact, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.storage import Filesystem

MIB, GIB = 1 << 20, 1 << 30
#: The release of CentOS's and RHEL's 3.10 from which overlay2 works (Docker, overlayfs-driver.md).
EL_OVERLAY_RELEASE = 514
#: What the engine (moby, overlayutils) or the kernel's overlayfs refuses to lie on.
REFUSED = frozenset(
    {"9p", "afs", "aufs", "ceph", "cifs", "ecryptfs", "exfat", "glusterfs", "lustre", "msdos", "nfs", "nfs4",
     "ntfs", "ntfs3", "smb3", "vfat", "zfs"}
)  # fmt: skip
#: Free inodes: an image of many small files takes some ten thousand.
FEW_INODES, MODEST_INODES = 5_000, 100_000


@dataclass(frozen=True)
class Place:
    """A path that must hold something: what for, on which file system, and the bytes it should have free."""

    what: str
    fact: Fact[Filesystem]
    least: int
    enough: int
    remedy: str


def size(number: int) -> str:
    """Bytes for people."""
    return f"{number / GIB:.1f} GiB" if number >= GIB else f"{number / MIB:.0f} MiB"


def _images(facts: Facts, context: Context) -> tuple[Place, ...]:
    """Where images will live: Docker's data-root, and from engine 29 on containerd's root."""
    storage, daemon = facts.storage, effective(facts, context)
    root = storage.data_root
    if "data-root" not in context.settings.daemon and storage.data_root_there is not None:
        root = storage.data_root_there
    places = [
        Place(
            "Docker's data-root", root, GIB, 10 * GIB,
            "Make room there, or put Docker's data on a larger disk: "
            "`daemon: {data-root: /data/docker}` in pydock.yml.",
        )
    ]  # fmt: skip
    features = daemon.get("features")
    # The engine keeps its own store where it is told to, and under user namespaces.
    own_store = (
        isinstance(features, dict) and features.get("containerd-snapshotter") is False
    ) or daemon.get("userns-remap")
    if not own_store and not surely_before(facts, context, 29):
        places.append(
            Place(
                "containerd's root, where images live from engine 29 on", storage.containerd_root, GIB, 10 * GIB,
                "Make room there, or move it before the engine is installed: "
                "`root = \"/data/containerd\"` in /etc/containerd/config.toml.",
            )
        )  # fmt: skip
    return tuple(places)


def _cache(facts: Facts) -> Place:
    return Place(
        "yum's cache", facts.storage.yum_cache, 300 * MIB, GIB,
        "Make room there: `yum clean all`, and `du -xsh /var/* | sort -h` shows what is large.",
    )  # fmt: skip


def _asked(facts: Facts) -> bool:
    return facts.storage.data_root != NOT_ASKED


def _where(filesystem: Filesystem) -> str:
    return f"{filesystem.path} (on {filesystem.mount_point}, {filesystem.type or 'of unknown type'})"


def _unseen(code: str, place: Place) -> Finding:
    fact = place.fact if isinstance(place.fact, Unknown) else None
    return unknown(code, f"the file system of {place.what}", fact)


def overlay(facts: Facts, context: Context) -> Finding | None:
    """overlay2, or containerd's overlayfs, must be possible: kernel, module, and the file systems below."""
    code = "overlay"
    if not _asked(facts) or (context.platform and context.platform.service == "sysvinit"):
        # The engine of CentOS 6 has devicemapper.
        return None
    driver = effective(facts, context).get("storage-driver")
    if driver not in (None, "", "overlay2", "overlayfs"):
        return ok(code, f"not needed: the storage driver is set to {driver}")
    found = [*_kernel(code, facts), *_module(code, facts.storage.overlay_module)]
    for place in _images(facts, context):
        found.extend(_backing(code, place, place.fact))
    seen = dict.fromkeys(
        f"{place.fact.value.mount_point} is {place.fact.value.type}"
        for place in _images(facts, context)
        if isinstance(place.fact, Known)
    )
    return worst(code, found, f"possible: {', '.join(seen)}")


def _kernel(code: str, facts: Facts) -> Iterable[Finding]:
    """What is older than 3.10, or cannot be seen, the rule `kernel` tells about."""
    text = facts.kernel.value if isinstance(facts.kernel, Known) else ""
    version = re.match(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4}-([0-9]{1,6}))?", text, re.ASCII)
    if not version or not (3, 10) <= (int(version[1]), int(version[2])) < (4, 0):
        return
    if ".el7" in text and version[2] == "10" and int(version[3] or 0) >= EL_OVERLAY_RELEASE:
        return
    yield blocker(
        code,
        f"kernel {text} is too old for overlay2: it takes 3.10.0-{EL_OVERLAY_RELEASE} of CentOS 7, or 4.0",
        "Run `yum update kernel` on the host and reboot it.",
    )


def _module(code: str, fact: Fact[str]) -> Iterable[Finding]:
    if not isinstance(fact, Known):
        yield unknown(code, "whether the kernel has overlay", fact)
    elif fact.value == "disabled":
        yield blocker(
            code,
            "the overlay file system is switched off in modprobe's configuration",
            "Find the line with `grep -rw overlay /etc/modprobe.d /usr/lib/modprobe.d`, and take it out: "
            "containers need it.",
        )
    elif fact.value == "missing":
        yield blocker(
            code,
            "the running kernel has no overlay file system",
            "Boot a kernel of the release with its modules: `yum install kernel`, then reboot; "
            "`modprobe -n overlay` tells whether it is there.",
        )


def _backing(code: str, place: Place, fact: Fact[Filesystem]) -> Iterable[Finding]:
    if not isinstance(fact, Known) or fact.value.type is None:
        reason = Unknown("it is not in /proc/mounts") if isinstance(fact, Known) else fact
        yield unknown(code, f"the type of the file system of {place.what}", reason)
        return
    found = fact.value
    elsewhere = "put the data on a local xfs or ext4 disk"
    move = (
        '`root = "/data/containerd"` in /etc/containerd/config.toml'
        if place.what.startswith("containerd")
        else "`daemon: {data-root: /data/docker}` in pydock.yml"
    )
    if found.type in REFUSED or str(found.type).startswith("fuse"):
        yield blocker(
            code,
            f"{place.what}, {_where(found)}: containers' layers cannot lie on {found.type}",
            f"Instead, {elsewhere}: {move}.",
        )
    elif found.type == "xfs" and found.ftype is False:
        yield blocker(
            code,
            f"{place.what}, {_where(found)}: this xfs was made with ftype=0, and overlay2 needs ftype=1",
            f"Either {elsewhere} with ftype=1: {move}; or save what is on {found.mount_point} and make it anew: "
            f"`mkfs.xfs -f -n ftype=1 {found.device}` (erases it).",
        )
    elif found.type == "xfs" and found.ftype is None:
        yield unknown(
            code, f"ftype of the xfs of {place.what}", Unknown("xfs_info does not tell"),
            f"Look for ftype=1 in `xfs_info {found.mount_point}`.",
        )  # fmt: skip
    elif found.type == "overlay":
        yield warning(
            code,
            f"{place.what}, {_where(found)}: overlay does not lie on overlay; this host looks like a container",
            "Mount a volume there, else the engine falls back to vfs, slow and large.",
        )


def disk_space(facts: Facts, context: Context) -> Finding | None:
    """Room for packages and images."""
    code = "disk-space"
    if not _asked(facts):
        return None
    places = (*_images(facts, context), _cache(facts))
    found = [_unseen(code, place) for place in places if not isinstance(place.fact, Known)]
    seen: dict[str, int] = {}
    for place in places:
        if not isinstance(place.fact, Known):
            continue
        filesystem = place.fact.value
        seen[filesystem.mount_point] = filesystem.free
        message = (
            f"{place.what}, {_where(filesystem)}, has {size(filesystem.free)} free; "
            f"it needs {size(place.least)}, and should have {size(place.enough)}"
        )
        if filesystem.free < place.least:
            found.append(blocker(code, message, place.remedy))
        elif filesystem.free < place.enough:
            found.append(warning(code, message, place.remedy))
    return worst(code, found, ", ".join(f"{size(free)} free on {mount}" for mount, free in seen.items()))


def inodes(facts: Facts, context: Context) -> Finding | None:
    """Room for files: a file system may have none left while df shows space."""
    code = "inodes"
    if not _asked(facts):
        return None
    found: list[Finding] = []
    seen: dict[str, str] = {}
    for place in (*_images(facts, context), _cache(facts)):
        if not isinstance(place.fact, Known) or place.fact.value.inodes is None:
            reason = Unknown("df -i does not tell") if isinstance(place.fact, Known) else place.fact
            found.append(unknown(code, f"the free inodes of {place.what}", reason))
            continue
        filesystem = place.fact.value
        free = filesystem.free_inodes or 0
        seen[filesystem.mount_point] = f"{free:,} free" if filesystem.inodes else "no limit"
        message = (
            f"{place.what}, {_where(filesystem)}, has {free:,} inodes free of {filesystem.inodes:,}; "
            f"it needs {FEW_INODES:,}, and should have {MODEST_INODES:,}"
        )
        remedy = (
            f"Remove small files there: `for d in {filesystem.mount_point.rstrip('/')}/*; do echo $(find $d -xdev | "
            "wc -l) $d; done | sort -n` shows where they are. ext4 cannot be given more but by making it anew."
        )
        if filesystem.inodes and free < FEW_INODES:
            found.append(blocker(code, message, remedy))
        elif filesystem.inodes and free < MODEST_INODES and place.what != "yum's cache":
            found.append(warning(code, message, remedy))
    return worst(code, found, ", ".join(f"{mount}: {text}" for mount, text in seen.items()))


def read_only(facts: Facts, context: Context) -> Finding | None:
    """Everything must be writable: a damaged file system turns read-only by itself."""
    code = "read-only"
    if not _asked(facts):
        return None
    containerd = Place("containerd's root", facts.storage.containerd_root, 0, 0, "")
    found: list[Finding] = []
    for place in (_images(facts, context)[0], containerd, _cache(facts)):
        if not isinstance(place.fact, Known) or not place.fact.value.options:
            reason = Unknown("it is not in /proc/mounts") if isinstance(place.fact, Known) else place.fact
            found.append(unknown(code, f"whether {place.what} can be written", reason))
        elif "ro" in place.fact.value.options:
            mount = place.fact.value.mount_point
            found.append(
                blocker(
                    code,
                    f"{place.what}, {_where(place.fact.value)}: the file system is read-only, and must be writable",
                    f"See in `dmesg | tail -n 50` whether it was damaged (then check it, unmounted, with fsck), and "
                    f"in /etc/fstab whether it is meant so; `mount -o remount,rw {mount}` makes it writable.",
                )
            )
    return worst(code, found, "all are writable")


RULES: tuple[Rule, ...] = (overlay, disk_space, inodes, read_only)
