"""What registry mirrors serve, asked from every host over one connection each. Reads, changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydock_installer import ssh
from pydock_installer.errors import UnreachableError, UsageError
from pydock_installer.model import Facts, Host, Known, Unknown
from pydock_installer.model.mirror import MirrorAnswer, MirrorState, MirrorTalk
from pydock_installer.probe import Questions, parse, probe_for, registries
from pydock_installer.registries import ranked
from pydock_installer.registries.configured import MirrorSettings, mirror_settings
from pydock_installer.registries.judge import judged
from pydock_installer.workflows.look import count, ssh_options
from pydock_installer.workflows.request import Progress, Request

#: To the section registries, the mirrors that a host has itself.
CONFIGURED = "configured"
#: So many of them at most, and so many addresses besides.
OWN, MOST = 32, 64
#: Seconds that a host takes at most for eight mirrors, which it asks at once (sections/registries.sh).
ROUND = 25


@dataclass(frozen=True)
class HostMirrors:
    """The mirrors of one host: what it is set to, and how those that were asked answered, best first."""

    settings: MirrorSettings
    answers: tuple[MirrorAnswer, ...]
    facts: Facts


def test_mirrors(
    request: Request, urls: Sequence[str], progress: Progress
) -> Mapping[str, tuple[MirrorAnswer, ...] | UnreachableError]:
    """Each host's answers on these addresses, best first; for hosts that cannot be reached, why."""
    found = ask_mirrors(request, urls, progress)
    return {name: seen.answers if isinstance(seen, HostMirrors) else seen for name, seen in found.items()}


# pytest must not take it for one of its own.
test_mirrors.__test__ = False  # type: ignore[attr-defined]


def ask_mirrors(
    request: Request, urls: Sequence[str], progress: Progress, *, configured: bool = False
) -> Mapping[str, HostMirrors | UnreachableError]:
    """What each host has, and how these addresses answer it; with ``configured`` also those that it has.

    Raises UsageError for more addresses than a host is asked to try.
    """
    options = ssh_options(request.settings)
    wanted = tuple(dict.fromkeys(url.rstrip("/") for url in urls))
    if len(wanted) > MOST:
        raise UsageError(f"{len(wanted)} mirrors are too many to ask: {MOST} at a time", "Name fewer.")
    questions = Questions(
        registries=(*wanted, *((CONFIGURED,) if configured else ())),
        preflight=True,
        sections=("unit", "registries"),
    )
    rounds = -(-(len(wanted) + (OWN if configured else 0)) // 8)

    def ask(host: Host) -> HostMirrors:
        probe = probe_for(host, questions)
        answer = ssh.run_script(
            host, options, probe.command, stdin=probe.stdin, time_limit=60 + ROUND * rounds
        )
        facts = replace(parse(answer.stdout, probe.nonce), seen_at=time.time())
        if not isinstance(facts.privilege, Known):
            raise UnreachableError(
                "ssh-shell",
                f"{host.name} let us in, but its shell does not run commands",
                "See that `ssh HOST uname -r` prints the kernel's release.",
            )
        settings = mirror_settings(facts)
        own = [entry.url for entry in settings.mirrors] if configured else []
        return HostMirrors(settings, _answers([*wanted, *own], answer.stdout, probe.nonce), facts)

    def done(host: Host, result: HostMirrors | UnreachableError) -> None:
        if isinstance(result, UnreachableError):
            progress.host_done(host.name, False, result.message)
        else:
            progress.host_done(host.name, True, _what_it_has(result))

    what = count(len(wanted), "mirror") if wanted else "the mirrors of each"
    progress.stage(
        f"Asking {what}{' and its own' if wanted and configured else ''} from {count(len(request.hosts), 'host')}"
    )
    return ssh.run_everywhere(request.hosts, ask, request.settings.forks, done)


def _what_it_has(seen: HostMirrors) -> str:
    if seen.answers:
        usable = sum(entry.usable for entry in seen.answers)
        return f"{usable} of {count(len(seen.answers), 'mirror')} can be used"
    has = f"has {count(len(seen.settings.mirrors), 'mirror')}" if seen.settings.mirrors else "has no mirror"
    return has if seen.settings.docker else "has no Docker"


def _answers(urls: Sequence[str], output: bytes, nonce: str) -> tuple[MirrorAnswer, ...]:
    """An answer for each address, whatever the host said."""
    found = registries(output, nonce)
    if not isinstance(found, Known):
        why = found.reason if isinstance(found, Unknown) else "there is no curl on the host"
        remedy = "Run the command again." if found else "On the host: `yum install curl`."
        return tuple(
            MirrorAnswer(url, MirrorState.UNKNOWN, detail=why, remedy=remedy) for url in dict.fromkeys(urls)
        )
    talks = found.value.talks
    return ranked(
        [judged(talks.get(url, MirrorTalk(url)), found.value.platform) for url in dict.fromkeys(urls)]
    )
