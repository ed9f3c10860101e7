"""The rules: may Docker run on this host, and may pydock put it there? One pure function per rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydock_installer.checks import engine, legacy, network, packages, platform, storage, system, versions
from pydock_installer.checks.platform import unseen
from pydock_installer.checks.rule import Context, Rule
from pydock_installer.model import Facts, Finding, Known, Severity, Unknown
from pydock_installer.settings import Settings


def findings(facts: Facts, context: Context) -> tuple[Finding, ...]:
    """What every rule says about a host, in the order in which a person would look."""
    found = ((group, rule(facts, context)) for group, rules in GROUPS.items() for rule in rules)
    judged = (judge(replace(f, group=group), context.settings) for group, f in found if f is not None)
    told = tuple(finding for finding in judged if finding is not None)
    if context.platform is None or not context.platform.legacy:
        return told
    return tuple(
        replace(f, message=legacy.in_its_words(f.message), remedy=f.remedy and legacy.in_its_words(f.remedy))
        for f in told
    )


def judge(finding: Finding, settings: Settings) -> Finding | None:
    """A finding as the settings weigh it; ``None`` if they pass it over. What is all right stays so."""
    if finding.code in settings.checks.skip:
        return None
    wanted = settings.checks.severity.get(finding.code)
    if wanted is None or finding.severity is Severity.OK:
        return finding
    return replace(finding, severity=Severity(wanted))


def privilege(facts: Facts, _: Context) -> Finding:
    """Changing a host takes root, by login or by sudo."""
    code = "privilege"
    if not isinstance(facts.privilege, Known):
        return unseen(code, "what this login may do", facts.privilege)
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


def init_system(facts: Facts, context: Context) -> Finding | None:
    """The service is managed by systemd, but for releases that had none."""
    code = "systemd"
    if context.platform and context.platform.service != "systemd":
        return None
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
    "host": (*platform.RULES, privilege, package_manager, init_system),
    "system": system.RULES,
    "storage": storage.RULES,
    "network": network.RULES,
    "packages": (*packages.RULES, *versions.RULES),
    "engine": (*engine.RULES, *legacy.RULES),
}


def blockers(found: tuple[Finding, ...]) -> Iterator[Finding]:
    """The findings that forbid any change."""
    return (finding for finding in found if finding.severity is Severity.BLOCKER)
