"""From the answers of sections/system.sh to facts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydock_installer.model import SystemFacts
from pydock_installer.model.groups.system import Cgroups, Init
from pydock_installer.probe.answers import Answers

#: statfs's number for cgroup2, as `stat -f -c %t` prints it (also in moby's check-config.sh).
CGROUP2 = "63677270"

TMP = ("/tmp", "/var/tmp")  # noqa: S108


def system(answers: Answers) -> SystemFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    return SystemFacts(
        clock=answers.fact("clock", _clock, preflight=True),
        product_uuid=answers.fact("product_uuid", _uuid, preflight=True),
        tmp_options=answers.fact("tmp_mounts", _mounts, preflight=True),
        kernel_options=answers.fact("kernel_config", _options, preflight=True),
        cgroups=answers.fact("cgroups", _cgroups, preflight=True),
        init=answers.fact("init", _init, preflight=True),
    )


def _clock(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text.strip(), re.ASCII):
        raise ValueError(text)
    return int(text)


def _uuid(text: str) -> str:
    uuid = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid):
        raise ValueError(uuid)
    return uuid


def _mounts(text: str) -> Mapping[str, tuple[str, ...]]:
    """Rows of mount point and options; the last mount on a point is the one that is seen."""
    rows = (line.split(" ") for line in text.splitlines() if line.strip())
    return {point: tuple(options.split(",")) for point, options in rows if point in TMP}


def _options(text: str) -> frozenset[str]:
    """CONFIG_64BIT is in every kernel that Docker runs on: without it, the file was none, or was cut off."""
    found = frozenset(re.findall(r"^CONFIG_([A-Z0-9_]{1,64})=[ym]$", text, re.MULTILINE))
    if "64BIT" not in found:
        raise ValueError("no kernel's configuration")
    return found - {"64BIT"}


def _cgroups(text: str) -> Cgroups:
    lines = [line.partition(" ") for line in text.splitlines()]
    kind = next((value for word, _, value in lines if word == "type"), "")
    if not re.fullmatch(r"[0-9a-f]{1,16}", kind):
        raise ValueError(kind)
    if kind == CGROUP2:
        words = [word for name, _, value in lines if name == "unified" for word in value.split()]
        return Cgroups(2, frozenset(words))
    words = [word for name, _, value in lines if name == "mounted" for word in value.split(",")]
    return Cgroups(1, frozenset(words))


def _init(text: str) -> Init:
    said: dict[str, str] = {}
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if re.fullmatch(r"[\w.:()/@+-]{1,64}", value, re.ASCII):
            said.setdefault(word, value)
    return Init(said["name"], said.get("container"), said.get("root") == "other")
