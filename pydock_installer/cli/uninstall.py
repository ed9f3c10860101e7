"""``pydock uninstall``: its flags, and what they add up to. Light: imports nothing slow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from pydock_installer.cli.options import Command, _apply, request
from pydock_installer.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.model import Report


def uninstall_options() -> Callable[[Command], Command]:
    """How far it may go."""
    return _apply(
        [
            click.option("--purge-data", is_flag=True, help="Delete images, containers and volumes as well."),
            click.option(
                "--purge-config",
                is_flag=True,
                help="Delete settings, repository, key and dependencies as well.",
            ),
            click.option("--all", "everything", is_flag=True, help="Both --purge-data and --purge-config."),
            click.option(
                "--keep",
                type=click.Choice(["compilers"]),
                help="Leave gcc and the tools, as by default.",
            ),
            click.option(
                "--with-tools", is_flag=True, help="Remove gcc and the tools that pydock installed as well."
            ),
            click.option(
                "--follow-links", is_flag=True, help="Delete data also behind a data root that is a link."
            ),
            click.option("--foreign", is_flag=True, help="Also remove a static archive or a snap of Docker."),
            click.option(
                "-y", "--yes", is_flag=True, help="Do not ask; needed to change anything without a terminal."
            ),
            click.option(
                "--yes-delete-data", is_flag=True, help="Delete data without typing how much it is."
            ),
            click.option("--dry-run", is_flag=True, help="Show what is there and what would be done."),
        ]
    )


def run(options: Mapping[str, Any], talk: Console) -> Report:
    """The workflow with the consents that the flags are. Raises UsageError or RefusedError before any contact."""
    from pydock_installer.absence import Consents
    from pydock_installer.workflows.record import recorded
    from pydock_installer.workflows.uninstall import uninstall

    wanted = request(options, talk)
    if options["keep"] and options["with_tools"]:
        raise UsageError("--keep compilers and --with-tools contradict each other", "Leave one of them out.")
    consents = Consents(
        purge_data=options["purge_data"] or options["everything"],
        purge_config=options["purge_config"] or options["everything"],
        with_tools=options["with_tools"],
        foreign=options["foreign"],
        follow_links=options["follow_links"],
    )
    if options["yes_delete_data"] and not consents.purge_data:
        raise UsageError(
            "--yes-delete-data goes with --purge-data or --all", "Leave it out to keep the data."
        )
    if not options["dry_run"] and not talk.interactive:
        if not options["yes"]:
            raise RefusedError(
                "there is no terminal to ask on whether Docker may go",
                "Pass --yes to go ahead without a question.",
            )
        if consents.purge_data and not options["yes_delete_data"]:
            raise RefusedError(
                "there is no terminal to confirm on that data is deleted",
                "Pass --yes-delete-data, too: images, containers and volumes go for good.",
            )
    if options["dry_run"]:
        return uninstall(wanted, talk, consents, dry_run=True)
    return recorded(
        lambda request, talk: uninstall(request, talk, consents, delete_data=options["yes_delete_data"]),
        wanted,
        talk,
    )
