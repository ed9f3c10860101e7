"""From the probe's output to facts. The output is hostile until each value has its expected shape."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import distro

from pydock_installer import platforms
from pydock_installer.model import (
    Engine,
    Fact,
    Facts,
    Known,
    Package,
    Proof,
    Release,
    RepositoryAnswer,
    Service,
    Unknown,
)
from pydock_installer.openpgp import fingerprints
from pydock_installer.probe import groups
from pydock_installer.probe.answers import Answers, split
from pydock_installer.probe.groups.legacy import engine as engine_of_release_6


def parse(output: bytes, nonce: str) -> Facts:
    """The facts in a probe's output. Anything that is not as expected is ``Unknown`` with its reason."""
    answers = split(output, nonce)
    fact = answers.fact
    packages = fact("packages", _packages)
    return Facts(
        kernel=fact("kernel", _word),
        architecture=fact("architecture", _word),
        word_size=fact("word_size", lambda text: int(text.strip())),
        release=_release(answers),
        user=fact("user", _word),
        privilege=fact("privilege", _word),
        packages=packages,
        package_keys=_keys(packages),
        repository_file=fact("repository_file", str),
        repository_key=fact("repository_key", str),
        daemon_json=fact("daemon_json", str),
        service=fact("service", _service),
        engine=engine_of_release_6(answers) or fact("engine", _engine),
        proof_record=fact("proof_record", _proof),
        repository_answers=fact("repository_answers", lambda text: _answers(text, answers)),
        machine_id=fact("machine_id", _word),
        boot_id=fact("boot_id", _word),
        hostname=fact("hostname", _word),
        system=groups.system(answers),
        storage=groups.storage(answers),
        network=groups.network(answers),
        package_facts=groups.packages(answers),
        engine_facts=groups.engine(answers),
        legacy=groups.legacy(answers),
        journal=groups.journal(answers),
    )


def _word(text: str) -> str:
    word = text.strip()
    if not re.fullmatch(r"[\w.+@:~-]{1,128}", word):
        raise ValueError(word)
    return word


def _release(answers: Answers) -> Fact[Release]:
    """What ``distro`` reads in the release files."""
    names = ("os-release", "redhat-release", "centos-release", "oracle-release")
    texts = tuple((n, s.text[:65536]) for n in names if (s := answers.sections.get(n)) and s.status == 0)
    return _distribution(texts) if texts else Unknown("there is no release file that can be read")


# The hosts of a fleet say the same, as a rule, and a directory for each of them is not for nothing.
@lru_cache(maxsize=64)
def _distribution(texts: tuple[tuple[str, str], ...]) -> Fact[Release]:
    """``distro`` wants to find the files below a root."""
    with tempfile.TemporaryDirectory(prefix="pydock-") as root:
        for name, text in texts:
            path = Path(root) / "etc" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            found = distro.LinuxDistribution(include_lsb=False, include_uname=False, root_dir=root)
            like = tuple(found.like().split())
            identifier, version, name = found.id(), found.version(), found.name()
            # CentOS 7 has the full version in redhat-release alone; elsewhere the longest may be another number.
            if (best := found.version(best=True)).startswith(version):
                version = best
        except (ValueError, OSError):
            return Unknown("the release files make no sense")
    if not identifier or not version:
        return Unknown("the release files name no release")
    return Known(Release(identifier, version, " ".join(f"{name} {version}".split())[:100], like))


def _packages(text: str) -> Mapping[str, tuple[Package, ...]]:
    found: dict[str, list[Package]] = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 5:
            epoch = "0" if fields[1] == "(none)" else fields[1]
            found.setdefault(fields[0], []).append(Package(fields[0], epoch, *fields[2:]))
    return {name: tuple(packages) for name, packages in found.items()}


def _keys(packages: Fact[Mapping[str, tuple[Package, ...]]]) -> Fact[tuple[str, ...]]:
    """rpm keeps each trusted key as a package whose version is the key's id."""
    if not isinstance(packages, Known):
        return packages
    return Known(tuple(key.version for key in packages.value.get("gpg-pubkey", ())))


def _service(text: str) -> Service | None:
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if values["LoadState"] == "not-found":
        return None
    return Service(values["ActiveState"], values.get("UnitFileState", ""))


def _engine(text: str) -> Engine:
    client, server, mirrors, running, *_rest = text.strip("\n").split("\n")
    return Engine(client, server, _texts(json.loads(mirrors)), int(running))


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(value)
    return tuple(value)


def _proof(text: str) -> Proof:
    record = json.loads(text)
    return Proof(
        client=str(record["client"]),
        server=str(record["server"]),
        registry_mirrors=_texts(record["registry_mirrors"]),
        hello_world=True,
        image=str(record["image"]),
    )


def _answers(text: str, answers: Answers) -> tuple[RepositoryAnswer, ...]:
    """Curl's words, one row for each mirror that was asked; a row that makes no sense is none. Keys are asked apart."""
    keys = {name: section.text for name, section in answers.sections.items() if section.status == 0}
    rows = [re.fullmatch(r"(\w+) ([0-9]{3}) ([0-9]{1,6}[.,][0-9]{1,9})", line) for line in text.splitlines()]
    return tuple(
        RepositoryAnswer(
            row[1],
            int(row[2]),
            float(row[3].replace(",", ".")),
            fingerprints(keys[f"key:{row[1]}"]) if f"key:{row[1]}" in keys else None,
        )
        for row in rows
        if row and (row[1] in platforms.mirrors() or row[1] in ("chosen", "present"))
    )
