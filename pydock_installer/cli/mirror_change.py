"""``pydock mirror set|add|remove``. Light: imports nothing slow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from pydock_installer.cli.mirror import split_words
from pydock_installer.cli.options import console, host_options, request, restart_option, work_options
from pydock_installer.errors import PydockError, UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def change_options(tests: bool) -> Callable[[Command], Command]:
    """How far a change may go by itself."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--dry-run", is_flag=True, help="Show how daemon.json would change; change nothing."
        )(command)
        command = work_options()(restart_option()(command))
        command = click.option(
            "-y", "--yes", is_flag=True, help="Do not ask; needed to change anything without a terminal."
        )(command)
        if tests:
            command = click.option("--force", is_flag=True, help="Do not test the mirrors before.")(command)
        return host_options("[URL|HOST]...")(command)

    return decorate


@click.command("set", epilog="Example:  pydock mirror set https://docker.m.daocloud.io -i inventory")
@change_options(tests=True)
@click.option(
    "--best", type=click.IntRange(1), metavar="N", help="The N best of the shipped list that serve all hosts."
)
@click.option("--per-host", is_flag=True, help="With --best: choose for each host.")
def set_(best: int | None, per_host: bool, **options: Any) -> int:
    """Make these the hosts' registry mirrors, in this order, in place of those they have.

    What has :// in it is the address of a mirror, everything else a host. Each mirror is tested from each host first.
    """

    def check(urls: tuple[str, ...]) -> None:
        if best and urls:
            raise UsageError(f"--best chooses by itself, and {urls[0]} is named", "Leave one of them out.")
        if not best and not urls:
            raise UsageError(
                "which mirror? None is named",
                "Name addresses, or pass --best N; `mirror remove --all` leaves none.",
            )
        if per_host and not best:
            raise UsageError("--per-host goes with --best", "Pass --best N as well.")

    return _change("set", options, check, best=best or 0, per_host=per_host)


@click.command(epilog="Example:  pydock mirror add https://docker.m.daocloud.io 192.0.2.10")
@change_options(tests=True)
def add(**options: Any) -> int:
    """Put these behind the registry mirrors that the hosts have.

    What has :// in it is the address of a mirror, everything else a host. Each mirror is tested from each host first.
    """

    def check(urls: tuple[str, ...]) -> None:
        if not urls:
            raise UsageError("which mirror? None is named", "Name its address: https://mirror.example.com.")

    return _change("add", options, check)


@click.command(epilog="Example:  pydock mirror remove https://docker.m.daocloud.io 192.0.2.10")
@change_options(tests=False)
@click.option("--all", "every", is_flag=True, help="Leave no mirror.")
def remove(every: bool, **options: Any) -> int:
    """Take these away from the registry mirrors of the hosts.

    What has :// in it is the address of a mirror, everything else a host.
    """

    def check(urls: tuple[str, ...]) -> None:
        if every and urls:
            raise UsageError(f"--all leaves none, and {urls[0]} is named", "Leave one of them out.")
        if not every and not urls:
            raise UsageError("which mirror? None is named", "Name its address, or pass --all.")

    return _change("remove", options, check, every=every)


def _change(
    action: str,
    options: Mapping[str, Any],
    check: Callable[[tuple[str, ...]], None],
    *,
    every: bool = False,
    best: int = 0,
    per_host: bool = False,
) -> int:
    talk = console(options)
    try:
        urls, hosts = split_words(options["hosts"])
        asked = request({**options, "hosts": hosts}, talk)
        check(urls)
        from pydock_installer.mirror_plan import MirrorWish
        from pydock_installer.workflows.mirror_change import Change, mirror_change
        from pydock_installer.workflows.record import recorded

        change = Change(
            MirrorWish(action, urls, every),
            best=best,
            per_host=per_host,
            # What is taken away need not serve.
            force=action == "remove" or options["force"],
            dry_run=options["dry_run"],
        )
        if change.dry_run:
            report = mirror_change(asked, talk, change)
        else:
            report = recorded(lambda request, talk: mirror_change(request, talk, change), asked, talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)
    talk.report(report)
    return report.exit_code
