"""The rules: may Docker run on this host, and may pydock put it there? One pure function per rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydock_installer import platforms
from pydock_installer.checks import engine, network, packages, storage, system
from pydock_installer.checks.rule import Context, Rule
from pydock_installer.model import Facts, Finding, Known, Severity, Unknown


def findings(facts: Facts, context: Context) -> tuple[Finding, ...]:
    """What every rule says about a host, in the order in which a person would look."""
    found = (rule(facts, context) for rules in GROUPS.values() for rule in rules)
    return tuple(finding for finding in found if finding is not None)


def release(facts: Facts, _: Context) -> Finding:
    """The release is one whose packages are known."""
    code = "release"
    if not isinstance(facts.release, Known):
        return _unseen(code, "the release", facts.release)
    found = facts.release.value
    if platforms.lookup(found):
        return Finding(code, Severity.OK, found.pretty)
    return Finding(
        code,
        Severity.BLOCKER,
        f"{found.pretty} is not a release that pydock knows",
        f"It knows {_sentence(platforms.known_releases())}.",
    )


def architecture(facts: Facts, _: Context) -> Finding:
    """Docker builds packages for 64-bit x86 and ARM alone."""
    code = "architecture"
    if not isinstance(facts.architecture, Known):
        return _unseen(code, "the architecture", facts.architecture)
    machine = facts.architecture.value
    if machine not in platforms.ARCHITECTURES:
        return Finding(
            code,
            Severity.BLOCKER,
            f"the architecture is {machine}: there is no Docker for it",
            f"Docker needs a 64-bit host: {_sentence(platforms.ARCHITECTURES)}.",
        )
    if isinstance(facts.word_size, Known) and facts.word_size.value != 64:
        return Finding(
            code,
            Severity.BLOCKER,
            f"the system is {facts.word_size.value}-bit on a 64-bit kernel",
            "Docker needs a 64-bit installation: reinstall the host with the 64-bit release.",
        )
    return Finding(code, Severity.OK, machine)


def kernel(facts: Facts, _: Context) -> Finding:
    """Engines need kernel 3.10 (domain fact: platforms.KERNEL_FLOOR)."""
    code = "kernel"
    if not isinstance(facts.kernel, Known):
        return _unseen(code, "the kernel", facts.kernel)
    version = re.match(r"(\d+)\.(\d+)", facts.kernel.value)
    if not version:
        return _unseen(code, "the kernel", Unknown(f"uname says {facts.kernel.value}"))
    floor = ".".join(map(str, platforms.KERNEL_FLOOR))
    if tuple(map(int, version.groups())) < platforms.KERNEL_FLOOR:
        return Finding(
            code,
            Severity.BLOCKER,
            f"kernel {facts.kernel.value} is older than {floor}",
            f"Docker needs kernel {floor} or newer: start the host with the kernel of its release "
            "(`yum update kernel`, then reboot).",
        )
    return Finding(code, Severity.OK, facts.kernel.value)


def privilege(facts: Facts, _: Context) -> Finding:
    """Changing a host takes root, by login or by sudo."""
    code = "privilege"
    if not isinstance(facts.privilege, Known):
        return _unseen(code, "what this login may do", facts.privilege)
    right = facts.privilege.value
    user = facts.user.value if isinstance(facts.user, Known) else "this user"
    if right in ("root", "sudo"):
        return Finding(code, Severity.OK, right)
    message, remedy = {
        "password-needed": (f"sudo asks {user} for a password", "Pass -K to be asked for it."),
        "wrong-password": (
            f"sudo does not accept the password of {user}",
            "Run again and mind the password.",
        ),
        "terminal-needed": (
            f"sudo wants a terminal from {user} (requiretty)",
            f"Put `Defaults:{user} !requiretty` into /etc/sudoers.d on the host, or log in as root.",
        ),
        "not-allowed": (
            f"{user} may not use sudo for this",
            "Log in as root, or let an administrator add the user.",
        ),
        "missing": (
            f"{user} is not root, and there is no sudo",
            "Log in as root (-u root), or install sudo.",
        ),
    }.get(right, (f"it is unclear what {user} may do", "Log in as root (-u root)."))
    return Finding(code, Severity.BLOCKER, message, remedy)


def package_manager(facts: Facts, _: Context) -> Finding:
    """Everything goes through rpm and yum."""
    code = "rpm"
    if facts.packages is None:
        return Finding(
            code, Severity.BLOCKER, "there is no rpm on this host", "pydock serves RPM releases alone."
        )
    if isinstance(facts.packages, Unknown):
        return Finding(
            code,
            Severity.BLOCKER,
            f"rpm does not answer: {facts.packages.reason}",
            "See what `rpm -q rpm` says on the host; `rpm --rebuilddb` repairs a damaged database.",
        )
    return Finding(code, Severity.OK, "answers")


def init_system(facts: Facts, _: Context) -> Finding:
    """The service is managed by systemd."""
    code = "systemd"
    if isinstance(facts.service, Unknown):
        return Finding(
            code,
            Severity.BLOCKER,
            f"systemd does not answer: {facts.service.reason}",
            "pydock needs a host that was started with systemd (a container or chroot is none).",
        )
    return Finding(code, Severity.OK, "answers")


#: The rules by group, in the order in which they are told.
GROUPS: dict[str, tuple[Rule, ...]] = {
    "host": (release, architecture, kernel, privilege, package_manager, init_system),
    "system": system.RULES,
    "storage": storage.RULES,
    "network": network.RULES,
    "packages": packages.RULES,
    "engine": engine.RULES,
}


def _unseen(code: str, what: str, fact: object) -> Finding:
    reason = fact.reason if isinstance(fact, Unknown) else "it is not there"
    return Finding(
        code,
        Severity.BLOCKER,
        f"{what} could not be seen: {reason}",
        "Log in to the host and see that /etc/os-release and `uname -a` answer.",
    )


def _sentence(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def blockers(found: tuple[Finding, ...]) -> Iterator[Finding]:
    """The findings that forbid any change."""
    return (finding for finding in found if finding.severity is Severity.BLOCKER)
