"""From the answers of sections/engine.sh to facts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from pydock_installer.model import EngineFacts, Fact, Known, Unknown
from pydock_installer.model.groups.engine import (
    Copy,
    EngineState,
    Kubernetes,
    OwnProxy,
    Running,
    Selinux,
    UnitFile,
    Word,
)
from pydock_installer.probe.answers import Answers

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: A path as a message may repeat it.
PATH = re.compile(r"/[\w./@:+ -]{1,255}", re.ASCII)


def engine(answers: Answers) -> EngineFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    return EngineFacts(
        copies=answers.fact("docker_copies", _copies, preflight=True),
        unit_files=answers.fact("docker_unit", unit_files, preflight=True),
        state=answers.fact("engine_state", _state, preflight=True),
        running=answers.fact("containers", _running),
        own_proxy=answers.fact("proxy_own", _own_proxy),
        proxies=answers.fact("proxy_lines", _proxies),
        kubernetes=answers.fact("kubernetes", _kubernetes, preflight=True),
        selinux=answers.fact("selinux", _selinux, preflight=True),
    )


def _copies(text: str) -> tuple[Copy, ...]:
    copies: dict[tuple[str, bool], Copy] = {}
    for line in text.splitlines():
        if not line:
            continue
        how, path, target, owner = line.split("\t")
        if how not in ("file", "running") or not PATH.fullmatch(path) or not PATH.fullmatch(target):
            raise ValueError(line)
        # A process id may have gone to another program since the file was written.
        if how == "file" or target.rpartition("/")[2].startswith("docker"):
            copies.setdefault((target, how == "running"), Copy(path, target, _owner(owner), how == "running"))
    return tuple(copies.values())


def _owner(text: str) -> Fact[str]:
    if text == "-":
        return None
    if re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,127}", text, re.ASCII):
        return Known(text)
    return Unknown("rpm does not tell whose it is")


def _state(text: str) -> EngineState:
    found = re.fullmatch(r"([a-z]{1,20})? ?(true|false)", text.strip())
    if not found:
        raise ValueError(text)
    return EngineState(found[1] or "inactive", found[2] == "true")


def _running(text: str) -> Running:
    first, *names = text.split()
    if first not in ("true", "false") or not all(
        re.fullmatch(r"[A-Za-z0-9][\w.-]{0,255}", n, re.ASCII) for n in names
    ):
        raise ValueError(text)
    return Running(first == "true", tuple(names))


def _kubernetes(text: str) -> Kubernetes:
    units: list[tuple[str, str]] = []
    single: dict[str, str] = {}
    for block in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in values and values["LoadState"] not in ("not-found", "masked"):
            units.append((_word(values["Id"]).removesuffix(".service"), _word(values["ActiveState"])))
        for key in ("Joined", "Runtime"):
            if values.get(key):
                single[key] = values[key]
    runtime = single.get("Runtime")
    return Kubernetes(tuple(units), single.get("Joined") == "yes", _word(runtime) if runtime else None)


def _word(text: str) -> str:
    if not re.fullmatch(r"[\w.@:/-]{1,128}", text, re.ASCII):
        raise ValueError(text)
    return text


def _selinux(text: str) -> Selinux:
    lines = text.splitlines()
    modes = {"1": "enforcing", "0": "permissive", "off": "disabled"}
    return Selinux(modes[lines[0].strip()], "container-selinux" in lines[1:])


# -- the proxy


def _own_proxy(text: str) -> OwnProxy:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    sums = {row[0]: row[1] for row in rows if len(row) > 1 and re.fullmatch("[0-9a-f]{64}", row[1])}
    file = sums.pop("file")
    return OwnProxy(file, sums if ["running"] in rows else None)


def _proxies(text: str) -> tuple[tuple[str, str, str], ...]:
    """What units set themselves, and by the files that they name; of the file names only those are believed."""
    rows: list[tuple[str, str, str]] = []
    named: set[str] = set()
    options: list[tuple[str, str, str]] = []
    path, unit = "", True
    for line in text.splitlines():
        kind, tab, place = line.partition("\t")
        if tab and kind in ("unit", "options"):
            if not PATH.fullmatch(place):
                raise ValueError(line)
            path, unit = place, kind == "unit"
            continue
        key, _, value = line.strip().partition("=")
        if unit and key.strip() == "EnvironmentFile":
            named.add(value.strip().lstrip("-"))
        elif unit and key.strip() == "Environment":
            rows += [(*_variable(word.replace("%%", "%")), path) for word in shlex.split(value)]
        elif not unit:
            options.append((*_variable(" ".join(shlex.split(line.strip().removeprefix("export ")))), path))
    return tuple(row for row in (*rows, *(o for o in options if o[2] in named)) if row[0].upper() in PROXIES)


def _variable(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


# -- the unit's files


def unit_files(text: str) -> tuple[UnitFile, ...]:
    """Files in systemd's order (systemd.unit(5)): one unit, then drop-ins by name; /etc counts over /run over /usr."""
    units: dict[str, tuple[str, list[str]]] = {}
    variables: dict[str, Word] = {}
    lines: list[str] = []
    options = ""
    for line in text.splitlines():
        kind, tab, path = line.partition("\t")
        if kind in ("unit", "options") and tab:
            if not PATH.fullmatch(path):
                raise ValueError(line)
            options, lines = (path if kind == "options" else ""), []
            if kind == "unit":
                # Later files of the same name stand for earlier ones: the probe asks /etc last.
                units[path.rpartition("/")[2]] = (path, lines)
        elif options:
            name, equals, value = line.partition("=")
            if equals:
                variables[name.strip()] = Word(" ".join(shlex.split(value)), options)
        else:
            lines.append(line)
    unit = units.pop("docker.service", None)
    found = [*([unit] if unit else []), *(units[name] for name in sorted(units))]
    for path, content in found:
        for name, value in _environment(content).items():
            # What a file of options says counts over Environment= (systemd.exec(5)).
            variables.setdefault(name, Word(value, path))
    return tuple(UnitFile(path, _start(path, content, variables)) for path, content in found)


def _environment(lines: Sequence[str]) -> Mapping[str, str]:
    values = [line.partition("=") for line in lines]
    words = [w for key, _, value in values if key.strip() == "Environment" for w in shlex.split(value)]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _start(path: str, lines: Sequence[str], variables: Mapping[str, Word]) -> tuple[Word, ...] | None:
    whole = "\n".join(lines).replace("\\\n", " ")
    found: tuple[Word, ...] | None = None
    for line in whole.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() == "ExecStart":
            found = tuple(word for text in shlex.split(value) for word in _expand(text, path, variables))
    return found


def _expand(text: str, path: str, variables: Mapping[str, Word]) -> list[Word]:
    """A variable that is a word of its own becomes as many words as it has (systemd.service(5))."""
    name = re.fullmatch(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?", text)
    if not name:
        return [Word(text, path)]
    value = variables.get(name[1], Word("", path))
    return [Word(word, value.path) for word in value.text.split()]
