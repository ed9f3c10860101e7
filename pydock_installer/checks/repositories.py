"""Rules about the base repositories: that they are on, and that they answer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from pydock_installer import archive, epel
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.packages import (
    AddressAnswer,
    PackageConfiguration,
    Repository,
)
from pydock_installer.repository import REPOSITORY_FILE, REPOSITORY_ID

#: Distributions whose repositories have CentOS's names.
RELATIVES = ("centos", "rhel", "rocky", "almalinux", "ol")
#: curl's word for it.
TIMED_OUT = 28


@cache
def data() -> Any:
    return yaml.safe_load((resources.files(__package__) / "repositories.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Trouble:
    """An enabled repository that cannot be read. ``ended``: its address was switched off for good."""

    repository: Repository
    words: str
    ended: bool = False


def base_repositories(facts: Facts, context: Context) -> Finding | None:
    """One enabled repository that cannot be read stops yum and dnf, whatever is to be installed (yum3.md)."""
    code, configuration = "base-repositories", facts.package_facts.configuration
    if configuration is None or configuration == NOT_ASKED:
        return None
    if not isinstance(configuration, Known):
        return unknown(code, "the repositories", configuration)
    # What the installation writes anew is not in its way.
    installed = facts.packages.value if isinstance(facts.packages, Known) else {}
    anew = (
        epel.FILE if context.platform and context.platform.legacy and "docker-io" not in installed else None
    )
    judged = {
        r: _trouble(r, facts, configuration.value.file) for r in configuration.value.enabled if r.file != anew
    }
    troubles = [found for found in judged.values() if isinstance(found, _Trouble)]
    blocking = [t for t in troubles if t.repository.part or not t.repository.skip_if_unavailable]
    files = archive.dead_files(facts)
    mended = [t for t in blocking if t.repository.file in files and t.ended]
    if context.settings.repair_base_repositories and mended:
        blocking = [t for t in blocking if t not in mended]
        if not blocking:
            return warning(
                code,
                f"{_told(mended)}; the installation points them to the archive",
                f"`pydock plan` names the files ({listed(files)}); `pydock restore` puts the old ones back.",
            )
    if blocking:
        remedies = [_archive(files, facts)] if files and mended and mended[0] in blocking else []
        remedies += [_mend(t.repository, facts) for t in blocking if not remedies or t not in mended][:1]
        return blocker(
            code,
            f"{_told(blocking)}; one enabled repository that cannot be read stops every installation",
            " ".join(remedies),
        )
    if troubles:
        return warning(code, f"{_told(troubles)}; it is passed over", _mend(troubles[0].repository, facts))
    if configuration.value.unread:
        return unread(code, configuration.value)
    if unseen := {entry.id: found for entry, found in judged.items() if isinstance(found, Unknown)}:
        return unknown(code, f"whether {listed(unseen)} can be read", next(iter(unseen.values())))
    return ok(code, f"all that are on answer: {ids(judged)}") if judged else None


def _trouble(repository: Repository, facts: Facts, main: str) -> _Trouble | Unknown | None:
    """What is wrong with an enabled repository: ``None`` if it answers, ``Unknown`` if nobody could ask."""
    if not repository.addresses:
        return _Trouble(repository, "it has no address (baseurl or mirrorlist)")
    answers = facts.package_facts.answers
    found = [a for a in answers.value if a.repository == repository.id] if isinstance(answers, Known) else []
    heard = [answer for answer in found if answer.curl not in data()["curl_did_not_ask"]]
    lists, bases = ([a for a in heard if a.kind == kind] for kind in ("list", "base"))
    yum = main == "/etc/yum.conf"
    # yum 3 goes on with the baseurl when the list fails; dnf does not.
    decisive = bases if bases and (not lists or (yum and not any(a.good for a in lists))) else lists
    if any(answer.good for answer in decisive):
        return None
    if isinstance(facts.release, Known) and (host := archive.switched_off(repository, facts.release.value)):
        return _Trouble(repository, f"{host} was switched off when the release ended", ended=True)
    if decisive and all(answer.curl == TIMED_OUT for answer in decisive):
        # yum is more patient than the probe: slow is not dead.
        return Unknown("no answer within 8 s, which yum may still get")
    if decisive:
        address = (repository.lists if decisive is lists else repository.baseurls)[:1] or repository.addresses
        return _Trouble(repository, f"{facts.package_facts.address(address[0])}: {_why(decisive[0])}")
    if found:
        return Unknown("curl could not ask")
    if isinstance(answers, Unknown):
        return answers
    return Unknown("the host has no curl" if answers is None else "it was not asked")


def _why(answer: AddressAnswer) -> str:
    if answer.curl:
        return str(data()["curl"].get(answer.curl) or f"it cannot be read (curl's error {answer.curl})")
    return "the list names no mirror" if answer.status == 200 else f"it answers {answer.status}"


def _told(troubles: list[_Trouble]) -> str:
    """The repositories by what is wrong with them."""
    reasons = dict.fromkeys(trouble.words for trouble in troubles)
    parts = (f"{ids(t.repository for t in troubles if t.words == w)} ({w})" for w in list(reasons)[:4])
    return f"cannot be read: {'; '.join(parts)}"


def _archive(files: tuple[str, ...], facts: Facts) -> str:
    """How to point the files of an ended release to where its packages went."""
    first, *others = archive.archives(facts, "official")
    near = f" In China {others[0]} is nearer." if others else ""
    return (
        "Pass --repair-base-repositories to `pydock install`: it points them to an archive that answers the host, and "
        f"`pydock restore` takes it back. By hand: `sed -i -e 's|^mirrorlist=|#mirrorlist=|' -e "
        f"'s|^[# ]*baseurl=https*://mirror.centos.org/[^/]*/[^/]*/|baseurl={first}/|' "
        f"{' '.join(map(shlex.quote, files))}`, then `yum makecache`.{near}"
    )


def _moved(repository: Repository, facts: Facts) -> str:
    """Where the packages of an addition went when the release ended, as an instruction; empty if nobody knows."""
    major = facts.release.value.major if isinstance(facts.release, Known) else ""
    addresses = " ".join(facts.package_facts.address(address) for address in repository.addresses)
    rows = (row for row in data()["moved"] if row["major"] == major and re.search(row["regex"], addresses))
    row = next(rows, None)
    return (
        f"Its packages are in an archive now: in place of its addresses write `{row['to']}`. " if row else ""
    )


def _mend(repository: Repository, facts: Facts) -> str:
    name, through = (
        shlex.quote(repository.id),
        f" It has the proxy {repository.proxy}." if repository.proxy else "",
    )
    return (
        _moved(repository, facts)
        + f"See on the host why (`curl -I ADDRESS`), and correct [{repository.id}] in {repository.file}. "
        f"If nobody needs it: `enabled=0` there, or `yum-config-manager --disable {name}`. Then run again.{through}"
    )


def repository_twice(facts: Facts, _: Context) -> Finding | None:
    """Of two sections with one name, yum and dnf take the one that they read first: pydock's must be that one."""
    code, configuration = "repository-twice", facts.package_facts.configuration
    if not isinstance(configuration, Known):
        return None
    twins = [
        r.file
        for r in configuration.value.repositories
        if r.id == REPOSITORY_ID and r.file != REPOSITORY_FILE
    ]
    first = [file for file in twins if file == configuration.value.file or file < REPOSITORY_FILE]
    if first:
        return blocker(
            code,
            f"{listed(first)} has a repository [{REPOSITORY_ID}] as well and is read first: its address and its key "
            "would count, not the pinned ones",
            f"On the host, take [{REPOSITORY_ID}] out of {first[0]}, or give it another name and `enabled=0`; pydock "
            "does not change files of others. Then run again.",
        )
    if twins:
        return warning(
            code,
            f"{listed(twins)} has a repository [{REPOSITORY_ID}] as well; it is read later and does not count",
            f"Take [{REPOSITORY_ID}] out of {twins[0]} on the host: yum complains of it at every call.",
        )
    return None


def repositories_disabled(facts: Facts, _: Context) -> Finding | None:
    """gcc comes from the base, container-selinux from extras (release 7) or AppStream (8 and later)."""
    code, configuration = "repositories-disabled", facts.package_facts.configuration
    if configuration == NOT_ASKED:
        return None
    if isinstance(configuration, Unknown):
        return unknown(code, "the repositories", configuration)
    found = configuration.value if isinstance(configuration, Known) else PackageConfiguration("", ())
    others, release = found.enabled, facts.release
    if not isinstance(release, Known) or release.value.id not in RELATIVES:
        return ok(code, f"{ids(others)} on") if others else _nothing(code, found)
    parts = {entry.part for entry in others}
    # What could stand for all of them: a mirror of the company's own.
    candidates = [entry.id for entry in others if not entry.part and not entry.addition]
    if "base" not in parts and not candidates:
        return _nothing(code, found)
    wanted = {"6": "base", "7": "extras"}.get(release.value.major, "appstream")
    missing = [part for part in dict.fromkeys(("base", wanted)) if part not in parts]
    off = [r.id for r in found.repositories if not r.enabled and r.part in missing][:4]
    if off and not candidates:
        return blocker(
            code,
            f"{listed(off)} is there but switched off; what Docker needs (container-selinux) comes from there",
            f"On the host: {_enable(off)}; then run again.",
        )
    if missing and found.unread:
        return unread(code, found)
    if missing:
        return warning(
            code,
            f"no repository is recognised as {listed(missing)}; on: {ids(others)}",
            "If one of them carries container-selinux and gcc (`yum info container-selinux gcc` on the host), all is "
            f"well; else add {listed(missing)} of the release to /etc/yum.repos.d.",
        )
    return ok(code, f"{ids(others)} on")


def _nothing(code: str, found: PackageConfiguration) -> Finding:
    """No repository of the distribution is on."""
    if found.unread:
        return unread(code, found)
    off = [r.id for r in found.repositories if not r.enabled and r.part][:4]
    return blocker(
        code,
        "no repository of the distribution is on; gcc and container-selinux come from there",
        f"On the host: {_enable(off)}; then run again."
        if off
        else "Put the release's repository files into /etc/yum.repos.d (`rpm -V centos-release` or the like names what "
        "is missing; `yum repolist` must list them), then run again.",
    )


def _enable(few: list[str]) -> str:
    return f"`yum-config-manager --enable {shlex.join(few)}` (or `enabled=1` below {listed(f'[{n}]' for n in few)})"


def unread(code: str, found: PackageConfiguration) -> Finding:
    return unknown(code, "some files", Unknown("; ".join(found.unread[:3])))


def ids(repositories: Iterable[Repository]) -> str:
    return listed(repository.id for repository in repositories)


def listed(names: Iterable[str]) -> str:
    """``a, b and c``, five at most."""
    words = list(names)
    words = [*words[:4], f"{len(words) - 4} more"] if len(words) > 5 else words
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


RULES: tuple[Rule, ...] = (base_repositories, repository_twice, repositories_disabled)
