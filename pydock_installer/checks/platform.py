"""Rules about what a host is: its release, its processor, its kernel."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from pydock_installer import platforms
from pydock_installer.checks.rule import Context, Rule, blocker, ok, warning
from pydock_installer.model import Facts, Finding, Known, Release, Unknown
from pydock_installer.platforms import Platform
from pydock_installer.platforms.versions import at_least


def release(facts: Facts, _: Context) -> Finding:
    """The release is one whose packages are known."""
    code = "release"
    if not isinstance(facts.release, Known):
        return unseen(code, "the release", facts.release)
    found = facts.release.value
    platform = platforms.lookup(found)
    if platform is None:
        return _not_known(code, found)
    return ok(code, found.pretty)


def _not_known(code: str, found: Release) -> Finding:
    message = f"{found.pretty} is not a release that pydock knows"
    if refused := platforms.refusal(found):
        return blocker(code, f"{message}: {refused.why}", refused.instead)
    known = (name.lower().split() for name in platforms.known_releases())
    majors = tuple(major for identifier, major in known if identifier == found.id.lower())
    relatives = f"Of {found.id} it knows {_sentence(majors)}; " if majors else ""
    return blocker(code, message, f"{relatives}`pydock platforms` lists all releases.")


def end_of_life(facts: Facts, _: Context) -> Finding | None:
    """The release still gets ordinary updates. Dates: platforms.yml, their sources: docs/platforms.md."""
    code = "end-of-life"
    platform = _platform(facts)
    if platform is None or platform.end_of_life is None or not facts.seen_at:
        return None
    today = datetime.fromtimestamp(facts.seen_at, timezone.utc).date()
    if platform.end_of_life >= today:
        return ok(code, f"{platform.name} gets ordinary updates until {platform.end_of_life}")
    return warning(
        code,
        f"{platform.name} gets no ordinary updates since {platform.end_of_life}",
        "Plan a newer release. Until then: base repositories may have moved to a vault or an archive; see that "
        "`yum makecache` works on the host.",
    )


def architecture(facts: Facts, _: Context) -> Finding:
    """Docker builds packages for 64-bit x86 and ARM alone (platforms.ARCHITECTURES)."""
    code = "architecture"
    if not isinstance(facts.architecture, Known):
        return unseen(code, "the architecture", facts.architecture)
    machine = facts.architecture.value
    if machine not in platforms.ARCHITECTURES:
        return blocker(
            code,
            f"the architecture is {machine}: there is no Docker for it",
            f"Docker needs a 64-bit host: {_sentence(platforms.ARCHITECTURES)}.",
        )
    if isinstance(facts.word_size, Known) and facts.word_size.value != 64:
        return blocker(
            code,
            f"the system is {facts.word_size.value}-bit on a 64-bit kernel",
            "Docker needs a 64-bit installation: reinstall the host with the 64-bit release.",
        )
    return ok(code, machine)


def kernel(facts: Facts, _: Context) -> Finding:
    """Engines need kernel 3.10, on CentOS 6 2.6.32-431 (platforms.KERNEL_FLOOR, platforms.yml)."""
    code = "kernel"
    if not isinstance(facts.kernel, Known):
        return unseen(code, "the kernel", facts.kernel)
    found = facts.kernel.value
    if not re.match(r"[0-9]+\.[0-9]", found):
        return unseen(code, "the kernel", Unknown(f"uname says {found}"))
    platform = _platform(facts)
    floor = platform.kernel if platform else platforms.KERNEL_FLOOR
    if not at_least(found, floor):
        return blocker(
            code,
            f"kernel {found} is older than {floor}",
            f"Docker needs kernel {floor} or newer: start the host with the kernel of its release "
            "(`yum update kernel`, then reboot).",
        )
    return ok(code, found)


#: In the order in which they are told.
RULES: tuple[Rule, ...] = (release, end_of_life, architecture, kernel)


def unseen(code: str, what: str, fact: object) -> Finding:
    """Without this fact nobody can tell whether the host is fit."""
    reason = fact.reason if isinstance(fact, Unknown) else "it is not there"
    return blocker(
        code,
        f"{what} could not be seen: {reason}",
        "Log in to the host and see that /etc/os-release and `uname -a` answer.",
    )


def _platform(facts: Facts) -> Platform | None:
    return platforms.nearest(facts.release.value) if isinstance(facts.release, Known) else None


def _sentence(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
