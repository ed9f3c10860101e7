"""The commands. Each checks its flags, calls one workflow, prints what it returns. Imports stay inside:
`pydock --help` must answer at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pydock_installer import __version__
from pydock_installer.cli import mirror_change
from pydock_installer.cli.mirror import mirror
from pydock_installer.cli.options import (
    Typed,
    console,
    host_options,
    output_options,
    request,
    restart_option,
    rollout_options,
    spoken,
    upgrade_option,
    wish_options,
    work_options,
)
from pydock_installer.cli.uninstall import uninstall_options
from pydock_installer.errors import ExitCode, PydockError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.model import Report

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=HELP, epilog="Example:  pydock install root@192.0.2.10")
@click.version_option(__version__, "--version", message="pydock %(version)s")
def app() -> None:
    """Docker on fleets of CentOS hosts: from bare host to proof, over SSH."""


def _report(options: dict[str, Any], work: Callable[[Console], Report]) -> int:
    """Run one workflow and print its report, or the one sentence that explains why there is none."""
    talk = console(options)
    try:
        report = work(talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)
    talk.report(report)
    return report.exit_code


@app.command(epilog="Example:  pydock check -i inventory --junit check.xml")
@host_options()
@wish_options()
@click.option("--only", metavar="CODE,...", help="Tell about these checks alone.")
@click.option("--junit", metavar="FILE", help="Also write the findings as JUnit XML.")
def check(**options: Any) -> int:
    """May Docker run here? Every blocker at once; changes nothing."""

    def work(talk: Console) -> Report:
        from pydock_installer.cli.check import codes, write_junit
        from pydock_installer.workflows.check import check

        only = codes(options["only"])
        report = check(request(options, talk), talk, only)
        if options["junit"]:
            write_junit(report, Path(options["junit"]))
        return report

    return _report(options, work)


@app.command(epilog="Example:  pydock plan -i inventory --repository tuna")
@host_options()
@wish_options()
@upgrade_option()
@click.option("--verify", is_flag=True, help="Plan the proof also where it stands already.")
def plan(**options: Any) -> int:
    """What install would do, and why. Changes nothing."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.plan import plan

        return plan(request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock install root@192.0.2.10 --registry-mirror https://docker.m.daocloud.io")
@host_options()
@wish_options()
@upgrade_option()
@rollout_options()
@work_options()
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed to change anything without a terminal.")
@click.option("--keep-going", is_flag=True, help="Go on with the other hosts if some are blocked.")
@click.option("--verify", is_flag=True, help="Prove again hosts that lack nothing.")
@click.option("--dry-run", is_flag=True, help="The same as `pydock plan`.")
def install(**options: Any) -> int:
    """Docker on every host that lacks it: check, ask, do, prove."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.install import install
        from pydock_installer.workflows.plan import plan
        from pydock_installer.workflows.record import recorded

        wanted = request(options, talk)
        return plan(wanted, talk) if options["dry_run"] else recorded(install, wanted, talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock verify root@192.0.2.10")
@host_options()
@wish_options()
@work_options()
def verify(**options: Any) -> int:
    """Is Docker really working? Proves it again, changes nothing."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.record import recorded
        from pydock_installer.workflows.verify import verify

        return recorded(verify, request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock restore web1 --dry-run")
@host_options()
@work_options()
@restart_option()
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed to change anything without a terminal.")
@click.option("--force", is_flag=True, help="Also files that were changed since; the present ones are kept.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["packages", "repositories", "settings"]),
    help="Bring back this alone; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be put back, and change nothing.")
def restore(**options: Any) -> int:
    """Bring back what pydock replaced or removed. Packages, repository files, daemon.json: as far as still possible."""

    def work(talk: Console) -> Report:
        from pydock_installer.restore_plan import KINDS, RestoreWish
        from pydock_installer.workflows.record import recorded
        from pydock_installer.workflows.restore import restore

        wish = RestoreWish(options["only"] or KINDS, options["force"], options["restart"])
        wanted = request(options, talk)
        if options["dry_run"]:
            return restore(wanted, talk, wish, dry_run=True)
        return recorded(lambda request, talk: restore(request, talk, wish), wanted, talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock status -i inventory")
@host_options()
@wish_options()
def status(**options: Any) -> int:
    """Versions, service, mirrors, and drift from pydock.yml."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.status import status

        return status(request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock lock -i inventory")
@host_options()
@click.option("--lock-file", metavar="FILE", help="Where to write (default: pydock.lock beside pydock.yml).")
def lock(**options: Any) -> int:
    """Write the hosts' exact packages into pydock.lock. From then on, plan and install follow it."""
    talk = console(options)
    try:
        from pydock_installer.cli.lock import lock

        return lock(options, talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


@app.command(epilog="Example:  pydock uninstall root@192.0.2.10 --dry-run")
@host_options()
@uninstall_options()
@work_options()
def uninstall(**options: Any) -> int:
    """Take Docker off again, and nothing else. Shows what is there, asks, removes, looks again."""

    def work(talk: Console) -> Report:
        from pydock_installer.cli.uninstall import run

        return run(options, talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock generate ./tree -i inventory; cd tree; ansible-playbook site.yml")
@click.argument("directory", metavar="DIR")
@host_options()
@wish_options()
@upgrade_option()
def generate(directory: str, **options: Any) -> int:
    """Write an installation's run tree into DIR, to read or to run."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.generate import generate

        return generate(Path(directory), request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock trust 192.0.2.10")
@host_options()
@click.option("-y", "--yes", is_flag=True, help="Trust what is shown, without a question.")
def trust(**options: Any) -> int:
    """Enrol the host keys of new hosts, their fingerprints shown."""
    talk = console(options)
    try:
        from pydock_installer.cli.trust import trust

        return trust(request(options, talk), talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


for command in (mirror_change.set_, mirror_change.add, mirror_change.remove):
    mirror.add_command(command)
app.add_command(mirror)


@app.group(epilog="Example:  pydock runs show last")
def runs() -> None:
    """Earlier runs: their reports and their trees."""


@runs.command("list", epilog="Example:  pydock runs list")
@output_options()
def runs_list(**options: Any) -> int:
    """The runs there were, newest first."""
    return _told(options, lambda talk, runs: runs.show_list(talk))


@runs.command("show", epilog="Example:  pydock runs show last")
@click.argument("run", metavar="ID", default="last")
@output_options()
def runs_show(run: str, **options: Any) -> int:
    """One run: its hosts, steps, times, causes, and the command that began it; `last` is the newest."""
    return _told(options, lambda talk, runs: runs.show_run(run, talk))


@runs.command("diff", epilog="Example:  pydock runs diff 20261125-0310 last")
@click.argument("before", metavar="ID")
@click.argument("after", metavar="ID", default="last")
@output_options()
def runs_diff(before: str, after: str, **options: Any) -> int:
    """What two runs say differently of their hosts."""
    return _told(options, lambda talk, runs: runs.show_difference(before, after, talk))


@runs.command("retry", epilog="Example:  pydock runs retry last")
@click.argument("run", metavar="ID", default="last")
@output_options()
def runs_retry(run: str, **options: Any) -> int:
    """The same command again, on the hosts that failed or were never reached."""

    def work(talk: Console, runs: Any) -> int:
        record = runs.repeatable(run)
        runs.announce(record, talk)
        typed = Typed(record.invocation.arguments, frozenset(record.unfinished))
        words = spoken(typed.arguments, options)
        return int(app.main(args=words, prog_name="pydock", standalone_mode=False, obj=typed) or 0)

    return _told(options, work)


def _told(options: dict[str, Any], work: Callable[[Console, Any], int]) -> int:
    """Something about earlier runs, or the one sentence that explains why not."""
    from pydock_installer.cli import runs

    talk = console(options)
    try:
        return work(talk, runs)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


@app.command(epilog="Example:  pydock explain client-timeout")
@click.argument("code", required=False)
@output_options()
def explain(code: str | None, **options: Any) -> int:
    """A diagnosis in full: what the message means and what to do. Without CODE, the list of codes."""
    talk = console(options)
    try:
        from pydock_installer.cli.explain import explain

        return explain(code, talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


@app.command("platforms", epilog="Example:  pydock platforms")
@click.option("--markdown", is_flag=True, help="As the page docs/platforms.md.")
@output_options()
def show_platforms(markdown: bool, **options: Any) -> int:
    """The releases that pydock knows, and how far each is tried."""
    from pydock_installer.cli.platforms import show

    return show(markdown, console(options))


@app.command(epilog="Example:  mkdir fleet; cd fleet; pydock init")
@output_options()
def init(**options: Any) -> int:
    """Write a commented pydock.yml and an inventory here."""
    talk = console(options)
    try:
        from pydock_installer.cli.init import init

        return init(Path.cwd(), talk)
    except PydockError as error:
        talk.error(error)
        return int(error.exit_code)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code of errors.ExitCode."""
    try:
        typed = Typed(tuple(sys.argv[1:] if argv is None else argv))
        code = app.main(args=argv, prog_name="pydock", standalone_mode=False, obj=typed)
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except PydockError as error:
        print(f"Error: {error.message}\n{error.hint or ''}", file=sys.stderr)
        return int(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted: nothing more was done.", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
