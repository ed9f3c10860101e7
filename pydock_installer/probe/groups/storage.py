"""From the answers of sections/storage.sh to facts."""

from __future__ import annotations

import re

from pydock_installer.model import Fact, StorageFacts, Unknown
from pydock_installer.model.groups.storage import Filesystem
from pydock_installer.probe.answers import Answers

#: What modprobe and /proc say of a module. ``unseen`` becomes ``Unknown``.
MODULE_STATES = ("loaded", "available", "disabled", "missing")
#: A row of `df -P`: device, total, used, available, capacity, mount point.
ROW = re.compile(r"(\S.*?) +([0-9]{1,18}) +-?[0-9]{1,18} +(-?[0-9]{1,18}) +[0-9-]{1,5}%? +(/.*)", re.ASCII)


def storage(answers: Answers) -> StorageFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""

    def place(name: str) -> Fact[Filesystem]:
        return answers.fact(f"place_{name}", filesystem, preflight=True)

    return StorageFacts(
        data_root=place("data_root"),
        data_root_there=place("data_root_there"),
        containerd_root=place("containerd_root"),
        yum_cache=place("yum_cache"),
        overlay_module=module(answers, "overlay_module"),
    )


def module(answers: Answers, name: str) -> Fact[str]:
    """What a host says of a kernel module."""
    section = answers.sections.get(name)
    if section and section.status == 0 and section.text.strip() == "unseen":
        return Unknown("the modules of the running kernel are not on the host, or modprobe is missing")
    return answers.fact(name, module_state, preflight=True)


def module_state(text: str) -> str:
    """One of ``MODULE_STATES``."""
    if text.strip() not in MODULE_STATES:
        raise ValueError(text)
    return text.strip()


def filesystem(text: str) -> Filesystem:
    """What df, /proc/mounts and xfs_info say of a path; df in KiB."""
    values = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    blocks = ROW.fullmatch(values["blocks"].strip())
    if not blocks or not values["path"].startswith("/"):
        raise ValueError(text)
    inodes = ROW.fullmatch(values.get("inodes", "").strip())
    device, mounted, kind, options = (*values.get("mount", "").split(" "), "", "", "")[:4]
    known = _unescaped(mounted) == blocks[4] and kind != ""
    return Filesystem(
        path=values["path"],
        mount_point=blocks[4],
        device=_unescaped(device) if known else blocks[1],
        free=max(int(blocks[3]), 0) * 1024,
        size=int(blocks[2]) * 1024,
        free_inodes=max(int(inodes[3]), 0) if inodes else None,
        inodes=int(inodes[2]) if inodes else None,
        type=kind if known else None,
        options=tuple(options.split(",")) if known else (),
        ftype={"1": True, "0": False}.get(values.get("ftype", "").strip()),
    )


def _unescaped(text: str) -> str:
    """/proc/mounts writes blanks and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
