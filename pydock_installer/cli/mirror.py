"""``pydock mirror``: registry mirrors, shown and tested. Light: imports nothing slow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pydock_installer.cli.options import console, host_options, request
from pydock_installer.errors import ExitCode, PydockError, UnreachableError, UsageError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.workflows.mirror_test import HostMirrors


@click.group(epilog="Example:  pydock mirror test https://docker.m.daocloud.io -i inventory")
def mirror() -> None:
    """Registry mirrors: what hosts are set to, and what serves them."""


@mirror.command(epilog="Example:  pydock mirror show 192.0.2.10")
@host_options()
@click.option("--test/--no-test", default=True, help="Ask each mirror whether it serves (default: yes).")
def show(**options: Any) -> int:
    """Which mirrors each host has, where they are written, whether they are in effect, and whether they serve."""

    def work(talk: Console) -> int:
        from pydock_installer.cli import mirror_tables as tables
        from pydock_installer.workflows.mirror_test import ask_mirrors

        urls, hosts = split_words(options["hosts"])
        if urls:
            raise UsageError(
                f"{urls[0]} is no host, and show tells of hosts", f"To test it: pydock mirror test {urls[0]}"
            )
        asked = request({**options, "hosts": hosts}, talk)
        with talk.progress([host.name for host in asked.hosts]) as progress:
            found = ask_mirrors(asked, (), progress, configured=options["test"])
        code = int(ExitCode.UNREACHABLE if _unreachable(found) else ExitCode.OK)
        if talk.json:
            talk.document(tables.document("mirror show", found, code))
        else:
            talk.result(tables.show_text(found, tested=options["test"]))
        return code

    return _guarded(options, work)


@mirror.command(epilog="Example:  pydock mirror test https://docker.m.daocloud.io 192.0.2.10")
@host_options("[URL|HOST]...")
def test(**options: Any) -> int:
    """What mirrors serve, asked from each host: the image hello-world, its digests, and how fast; best first.

    What has :// in it is the address of a mirror, everything else a host. Without an address, those of the list that
    pydock ships are asked (docs/mirrors.md), and those in pydock.yml and on the hosts.
    Exit code 1 if some host finds none that it can use.
    """

    def work(talk: Console) -> int:
        from pydock_installer import registries
        from pydock_installer.cli import mirror_tables as tables
        from pydock_installer.workflows.mirror_test import ask_mirrors

        urls, hosts = split_words(options["hosts"])
        asked = request({**options, "hosts": hosts}, talk)
        wanted = urls or (*asked.settings.registry_mirrors, *registries.offered())
        with talk.progress([host.name for host in asked.hosts]) as progress:
            found = ask_mirrors(asked, wanted, progress, configured=not urls)
        served = all(
            isinstance(seen, UnreachableError) or any(answer.usable for answer in seen.answers)
            for seen in found.values()
        )
        code = (
            ExitCode.HOST_FAILED
            if not served
            else ExitCode.UNREACHABLE
            if _unreachable(found)
            else ExitCode.OK
        )
        if talk.json:
            talk.document(tables.document("mirror test", found, int(code)))
        else:
            talk.result(tables.test_text(found))
        return int(code)

    return _guarded(options, work)


def _guarded(options: Mapping[str, Any], work: Callable[[Console], int]) -> int:
    talk = console(options)
    try:
        return work(talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


def _unreachable(found: Mapping[str, HostMirrors | UnreachableError]) -> bool:
    return any(isinstance(seen, UnreachableError) for seen in found.values())


def split_words(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Arguments as (addresses of mirrors, hosts): what has ``://`` in it is an address.

    Addresses are checked as in settings and lose the slash at their end; none comes twice. Raises UsageError for one
    that is wrong, and for a host that is a mirror's name without its scheme.
    """
    from pydock_installer import registries
    from pydock_installer.settings import address

    urls: dict[str, None] = {}
    hosts: list[str] = []
    for word in words:
        bare = word.rstrip("/")
        if "://" in word:
            try:
                urls[address(word, "the address of a mirror")] = None
            except ValueError as error:
                raise UsageError(str(error), "Write it as https://mirror.example.com.") from None
        elif registries.lookup(f"https://{bare.partition(':')[0]}"):
            raise UsageError(
                f"{word} is a mirror, and without its scheme it would be a host", f"Write https://{bare}."
            )
        elif _like_a_mirror(word):
            raise UsageError(
                f"{word} names no host; as the address of a mirror it lacks its scheme",
                f"Write https://{word}. (A host is user@host:port.)",
            )
        else:
            hosts.append(word)
    return tuple(urls), tuple(hosts)


def _like_a_mirror(word: str) -> bool:
    """Whether a word can be no host, but an address without its scheme: a name with a slash behind it."""
    return re.fullmatch(r"[\w-]+(\.[\w-]+)+(:[0-9]+)?/\S*", word) is not None
