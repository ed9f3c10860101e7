"""From the answers of sections/packages.sh to facts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydock_installer.model import Fact, Known, PackageFacts, Unknown
from pydock_installer.model.groups.packages import (
    AddressAnswer,
    PackageConfiguration,
    PackageLock,
    VersionLock,
)
from pydock_installer.probe.answers import NOT_PERMITTED, TIMED_OUT, Answers
from pydock_installer.probe.groups import repo_files

MODULE = "/etc/dnf/modules.d/container-tools.module"
REPOSITORIES = "/etc/yum.repos.d/"
LOCKS = ("/etc/yum/pluginconf.d/versionlock", "/etc/dnf/plugins/versionlock")
#: Where the probe stops reading a file, in bytes.
FILE_LIMIT = 65536


def packages(answers: Answers) -> PackageFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    files, unread = _files(answers)
    # The answer that comes after the files: without it some may be missing.
    seen = answers.fact("config_end", _end, preflight=True)
    configuration: Fact[PackageConfiguration] = None
    container_tools: Fact[str] = None
    version_locks: Fact[tuple[VersionLock, ...]] = None
    if isinstance(seen, Known):
        count, main = seen.value
        if count > len({*files, *unread}):
            unread[f"{count - len({*files, *unread})} more files"] = "there are too many"
        mine = {path: text for path, text in files.items() if path == main or path.startswith(REPOSITORIES)}
        # What the other facts are made of does not count here.
        others = [f"{path}: {why}" for path, why in unread.items() if not path.startswith((MODULE, *LOCKS))]
        configuration = Known(repo_files.configuration(main, mine, others))
        container_tools = Unknown(unread[MODULE]) if MODULE in unread else _module_state(files.get(MODULE))
        hidden = [f"{path}: {why}" for path, why in unread.items() if path.startswith(LOCKS)]
        version_locks = Unknown(hidden[0]) if hidden else Known(_version_locks(files))
    elif seen is not None:
        configuration = container_tools = version_locks = seen
    return PackageFacts(
        configuration=configuration,
        variables=answers.fact("repository_variables", _variables, preflight=True),
        answers=answers.fact("repository_status", _addresses, preflight=True),
        locks=answers.fact("locks", _locks, preflight=True),
        database_errors=_database_errors(answers),
        strangers=answers.fact("rpm_database", _strangers, preflight=True),
        container_tools=container_tools,
        version_locks=version_locks,
    )


def _files(answers: Answers) -> tuple[dict[str, str], dict[str, str]]:
    """The files by path, and those that were not read to their end, with the reason. A file can be both."""
    files: dict[str, str] = {}
    unread: dict[str, str] = {}
    for name, section in answers.sections.items():
        path = name.removeprefix("config:")
        if path == name or not re.fullmatch(r"/[ -~]{1,250}", path):
            continue
        if section.status == 0:
            files[path] = section.text
            if len(section.text.encode()) >= FILE_LIMIT:
                unread[path] = "it is too long"
        else:
            unread[path] = "not permitted" if section.status == NOT_PERMITTED else "no answer"
    return files, unread


def _end(text: str) -> tuple[int, str]:
    count, main = text.split()
    if main not in ("/etc/yum.conf", "/etc/dnf/dnf.conf"):
        raise ValueError(main)
    return int(count), main


def _variables(text: str) -> Mapping[str, str]:
    pairs = (re.fullmatch(r"(\w{1,60})=([!-~]{0,200})\s*", line) for line in text.split("\n"))
    return {pair[1]: pair[2] for pair in pairs if pair}


def _addresses(text: str) -> tuple[AddressAnswer, ...]:
    """A row that makes no sense is none: the repository counts as not asked."""
    rows = (
        re.fullmatch(r"([!-~]{1,100})\t(base|list)\t([0-9]{3}) ([0-9]{1,3}) ([0-9]{1,6})", line)
        for line in text.split("\n")
    )
    return tuple(AddressAnswer(row[1], row[2], int(row[3]), int(row[4]), int(row[5])) for row in rows if row)


def _locks(text: str) -> tuple[PackageLock, ...]:
    """One lock for each process."""
    found: dict[int, PackageLock] = {}
    for line in text.split("\n"):
        row = re.fullmatch(r"(/[!-~]{1,100})\t([0-9]{1,10})\t([^\t]*)", line)
        if row:
            found.setdefault(int(row[2]), PackageLock(row[1], int(row[2]), _printable(row[3].strip())[:120]))
        elif line:
            raise ValueError(line)
    return tuple(found.values())


def _database_errors(answers: Answers) -> Fact[tuple[str, ...]]:
    section = answers.sections.get("rpm_database")
    if section and section.status == TIMED_OUT:
        return Known(("rpm gives no answer within 30 s",))
    return answers.fact("rpm_database", _errors, preflight=True)


def _errors(text: str) -> tuple[str, ...]:
    """What rpm prints of damage, on release 7 (``rpmdb:``, ``error: db5``) and on 8 and later (``error:``)."""
    lines = [_printable(line.strip()) for line in text.split("\n")]
    found = [
        line[:200] for line in lines if re.match(r"(error|fatal|rpmdb|BDB[0-9]+)\b", line, re.IGNORECASE)
    ]
    if not found and not any(re.fullmatch(r"package \S+ is not installed", line) for line in lines):
        raise ValueError(text)
    return tuple(found)


def _strangers(text: str) -> Mapping[str, str]:
    _errors(text)
    rows = (re.fullmatch(r"([a-z][a-z0-9.-]{1,60})\t([!-~]{1,100})", line) for line in text.split("\n"))
    return {row[1]: row[2] for row in rows if row and row[1] != "rpm"}


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _module_state(text: str | None) -> Fact[str]:
    if text is None:
        return None
    for section in repo_files.sections(text, MODULE):
        if section.id == "container-tools":
            return Known(section.get("state").lower())
    return None


def _version_locks(files: Mapping[str, str]) -> tuple[VersionLock, ...]:
    """Of the plugins that are on."""
    found: list[VersionLock] = []
    for base in LOCKS:
        options = repo_files.sections(files.get(f"{base}.conf", ""), f"{base}.conf")
        if all(section.flag("enabled", True) for section in options if section.id == "main"):
            found.extend(repo_files.version_locks(files.get(f"{base}.list", ""), f"{base}.list"))
    return tuple(found)
