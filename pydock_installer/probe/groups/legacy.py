"""From what release 6 answers (probe.sh) to facts: its service, its engine, its options."""

from __future__ import annotations

import re

from pydock_installer.model import Engine, Fact, Known, Unknown
from pydock_installer.model.groups.legacy import InitService, LegacyFacts, OptionsFile
from pydock_installer.probe.answers import Answers

#: Words that docker 1.7.1 prints in ``docker version``.
VERSION = re.compile(r"^(Client|Server) version: ([0-9][\w.+~-]{0,60})\s*$", re.MULTILINE)
WORD = re.compile(r"[A-Za-z_][\w.-]{0,31}", re.ASCII)


def legacy(answers: Answers) -> LegacyFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""

    def asked(name: str) -> bool:
        return name in answers.sections

    return LegacyFacts(
        options=answers.fact("legacy_sysconfig", _options) if asked("legacy_sysconfig") else None,
        arguments=answers.fact("legacy_arguments", _arguments) if asked("legacy_arguments") else None,
        containers=answers.fact("legacy_containers", _containers) if asked("legacy_containers") else None,
        cgconfig=answers.fact("legacy_cgconfig", _service) if asked("legacy_cgconfig") else None,
        repository_file=answers.fact("legacy_repository", str) if asked("legacy_repository") else None,
        repository_key=answers.fact("legacy_key", str) if asked("legacy_key") else None,
    )


def engine(answers: Answers) -> Fact[Engine]:
    """The running engine of release 6, which is asked in its own words; ``None`` where none runs."""
    if "legacy_version" not in answers.sections:
        return None
    section = answers.sections["legacy_version"]
    found = dict(VERSION.findall(section.text))
    if "Server" not in found:
        # Without an engine it prints the client's lines and ends with 1.
        reason = "no answer in time" if section.status == 124 else "the engine does not answer"
        return Unknown(reason)
    facts = legacy(answers)
    arguments = facts.arguments.value if isinstance(facts.arguments, Known) else ()
    if not isinstance(facts.containers, Known):
        return facts.containers or Unknown("docker ps did not answer")
    mirrors = flag_values(arguments, "registry-mirror")
    return Known(Engine(found.get("Client"), found["Server"], mirrors, len(facts.containers.value)))


def flag_values(words: tuple[str, ...], name: str) -> tuple[str, ...]:
    """What a flag was given: ``--name=X`` or ``--name X``, as often as it stands there."""
    found: list[str] = []
    for number, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag == f"--{name}":
            following = words[number + 1] if number + 1 < len(words) else ""
            found.append(value if equals else following)
    return tuple(found)


def _options(text: str) -> OptionsFile:
    head, _, rest = text.partition("\n")
    mode, owner, group = head.split()
    if not re.fullmatch("[0-7]{3,4}", mode) or not WORD.fullmatch(owner) or not WORD.fullmatch(group):
        raise ValueError(head)
    return OptionsFile(mode, owner, group, rest)


def _arguments(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split("\n") if word)


def _containers(text: str) -> tuple[str, ...]:
    """The last column of ``docker ps``, which has their names; of linked ones the first counts."""
    lines = text.strip("\n").split("\n")
    if not lines[0].startswith("CONTAINER ID"):
        raise ValueError(lines[0])
    names = (line.split()[-1].partition(",")[0] for line in lines[1:] if line.strip())
    return tuple(name if re.fullmatch(r"[\w./-]{1,128}", name, re.ASCII) else "?" for name in names)


def _service(text: str) -> InitService:
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return InitService(values["ActiveState"] == "active", values["UnitFileState"] == "enabled")
