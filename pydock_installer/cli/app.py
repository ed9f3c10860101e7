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
from pydock_installer.cli.options import console, host_options, output_options, request, wish_options
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
    """May Docker run here? Every blocker of every host at once; changes nothing."""

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
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed to change anything without a terminal.")
@click.option("--keep-going", is_flag=True, help="Go on with the other hosts if some are blocked.")
@click.option("--verify", is_flag=True, help="Prove again hosts that lack nothing.")
@click.option("--dry-run", is_flag=True, help="The same as `pydock plan`.")
def install(**options: Any) -> int:
    """Check, plan, ask, apply, prove: Docker on every host that lacks it."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.install import install
        from pydock_installer.workflows.plan import plan

        return (plan if options["dry_run"] else install)(request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock verify root@192.0.2.10")
@host_options()
@wish_options()
def verify(**options: Any) -> int:
    """Is Docker really working? Runs the proof again, changes nothing else."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.verify import verify

        return verify(request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock status -i inventory")
@host_options()
@wish_options()
def status(**options: Any) -> int:
    """Versions, service, mirrors, and what drifted from pydock.yml."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.plan import plan

        return plan(request(options, talk), talk, "status")

    return _report(options, work)


@app.command(epilog="Example:  pydock generate ./tree -i inventory; cd tree; ansible-playbook site.yml")
@click.argument("directory", metavar="DIR")
@host_options()
@wish_options()
def generate(directory: str, **options: Any) -> int:
    """Write the run tree of an installation into DIR, to read or to run by hand."""

    def work(talk: Console) -> Report:
        from pydock_installer.workflows.generate import generate

        return generate(Path(directory), request(options, talk), talk)

    return _report(options, work)


@app.command(epilog="Example:  pydock trust 192.0.2.10")
@host_options()
@click.option("-y", "--yes", is_flag=True, help="Trust what is shown, without a question.")
def trust(**options: Any) -> int:
    """Enrol the host keys of new hosts, after showing their fingerprints."""
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
    from pydock_installer.cli.runs import show_list

    return show_list(console(options))


@runs.command("show", epilog="Example:  pydock runs show last")
@click.argument("run", metavar="ID", default="last")
@output_options()
def runs_show(run: str, **options: Any) -> int:
    """The report of one run; `last` is the newest."""
    from pydock_installer.cli.runs import show_run

    talk = console(options)
    try:
        return show_run(run, talk)
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
    """The releases that pydock knows: where their packages are, and how far that is tried."""
    from pydock_installer.cli.platforms import show

    return show(markdown, console(options))


@app.command(epilog="Example:  mkdir fleet; cd fleet; pydock init")
@output_options()
def init(**options: Any) -> int:
    """Write a commented pydock.yml and an inventory into the current directory."""
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
        code = app.main(args=argv, prog_name="pydock", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted: nothing more was done.", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
