"""The stages that change hosts: render, run, and tell what came of it."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydock_installer import ansible, rollout, rundir, ssh
from pydock_installer.errors import ExitCode, PydockError
from pydock_installer.model import HostPlan, HostReport, HostStatus, Plan, Report, Secret
from pydock_installer.outcome import Ledger
from pydock_installer.render import PARTS, Sender, render, roles_of, tasks_of
from pydock_installer.report import exit_code, grouped, to_json
from pydock_installer.retry import WORK, passing, pauses
from pydock_installer.setting_parts import Rollout
from pydock_installer.state import operator, private_files
from pydock_installer.workflows.ending import cut_off, ended, not_begun, why
from pydock_installer.workflows.interruption import Interruption, interrupt_raises, interruptible
from pydock_installer.workflows.look import count, ssh_options
from pydock_installer.workflows.plan import unapplied
from pydock_installer.workflows.record import Record
from pydock_installer.workflows.request import Progress, Request, Talk
from pydock_installer.workflows.share import shared_packages

#: What a person reads while a role runs.
DOING = {
    "docker_repositories": "repository",
    "docker_packages": "packages",
    "docker_daemon": "engine",
    "docker_verify": "proof",
    "docker_legacy": "packages, engine and proof",
    "docker_restore": "packages and files",
    "docker_absent": "removal",
    "docker_legacy_absent": "removal",
}
#: Asks a host's work to begin nothing new; the module looks for the file (role docker_host, pydock_turn.py).
STOP = "[ ! -e /run/pydock.lock ] && [ ! -e /var/run/pydock.lock ] || : >/tmp/.pydock-stop-{run}"


def apply(
    plan: Plan, request: Request, talk: Talk, command: str, judged: Callable[[Report], Report] = lambda r: r
) -> Report:
    """Do the steps of a plan on those hosts that have some. Hosts fail alone.

    ``judged``: what the command makes of the report, before it is kept.
    """
    todo = {entry.host.name: entry for entry in plan.hosts if entry.steps}
    ansible.require_programs(any(entry.host.password for entry in todo.values()))
    chosen = rollout.with_budget(request.settings.rollout, request.settings.forks)
    parts = rollout.batches(list(todo), {name: entry.host.groups for name, entry in todo.items()}, chosen)
    if len(parts) > 1:
        rollout.see_to_questions(chosen, talk.interactive)
    run = rundir.new_id(command)
    tree = render(
        plan, request.settings, Sender(run, operator(), typed(request, command), request.break_lock)
    )
    directory = rundir.create(run, tree.files)
    record = Record(run, command, request, talk, directory)
    record.begin([entry.host.name for entry in plan.hosts])
    for entry in plan.hosts:
        if not entry.steps:
            record.host_done(unapplied(entry))
    left: str | None = None
    with (
        interruptible() as interruption,
        private_files(),
        shared_packages(todo.values(), request.settings, directory, talk, interruption),
    ):
        answers = {prompt.text: prompt.secret for prompt in tree.prompts}
        work = _Work(directory, answers, todo, request, talk, record, interruption)
        for number, part in enumerate(parts):
            failed = sum(1 for name in work.ends if not _went_well(todo[name], work.ledger))
            if number and (left := _stop(failed, len(todo), chosen, interruption, talk, parts[number:])):
                break
            words = f" ({number + 1} of {len(parts)})" if len(parts) > 1 else ""
            work.do(part, f"run-{number + 1}" if len(parts) > 1 else "run", words)
            if interruption.asked:
                break
    hosts = tuple(unapplied(entry) if not entry.steps else work.report(entry, left) for entry in plan.hosts)
    code = ExitCode.INTERRUPTED if interruption.asked else exit_code([host.status for host in hosts])
    report = judged(Report(command, hosts, int(code), run=run, run_directory=str(directory)))
    try:
        rundir.save_report(directory, to_json(report))
    except PydockError as error:
        talk.note(error.message)  # What was done is told all the same.
    record.end(report)
    return report


def typed(request: Request, command: str) -> str:
    """The command, as whoever meets it on a host may read it: short, and without passwords in addresses."""
    words = shlex.join(("pydock", *(request.invocation.arguments or command.split())))
    return re.sub(r"://[^/\s@]{1,200}@", "://***@", words)[:160]


@dataclass
class _Work:
    """A run under way."""

    directory: Path
    answers: Mapping[str, Secret]
    todo: Mapping[str, HostPlan]
    request: Request
    talk: Talk
    record: Record
    interruption: Interruption
    ledger: Ledger = field(default_factory=Ledger)
    ends: dict[str, ansible.RunEnd] = field(default_factory=dict)
    """How Ansible ended, by host."""
    _stopping: bool = False

    def do(self, names: Sequence[str], run: str, words: str = "") -> None:
        """Work on hosts; on those that get out of reach meanwhile, once more after a pause."""
        with self.talk.progress(names) as progress:
            progress.stage(f"Working on {count(len(names), 'host')}{words}")
            self._run(names, run, progress)
        waits = pauses(self.request.settings.ssh.retries, WORK)
        for number, pause in enumerate(waits, start=1):
            gone = [name for name in names if self._vanished(name)]
            if not gone or self.interruption.asked:
                return
            which = f"{grouped(gone)}, out of reach (try {number} of {len(waits)} more)"
            with self.talk.progress(gone) as progress:
                progress.stage(f"Waiting {pause:.0f} s for {which}")
                if self.interruption.wait(pause):
                    return
                for name in gone:
                    self.ledger.try_again(name)
                progress.stage(f"Working on {which}")
                self._run(gone, f"{run}-again-{number}", progress)

    def report(self, entry: HostPlan, left: str | None) -> HostReport:
        """What came of a host; ``left`` says why the rest was left untouched, if it was."""
        end = self.ends.get(entry.host.name)
        if end is None and left:
            return not_begun(entry, left)
        return ended(entry, self.ledger) or cut_off(
            entry, self.ledger, self.interruption.asked, end.output if end else None
        )

    def _run(self, names: Sequence[str], run: str, progress: Progress) -> None:
        def on_event(event: ansible.TaskEvent) -> None:
            if entry := _tell(event, self.todo, self.ledger, progress):
                self.record.host_done(entry)

        def cancelled() -> bool:
            if self.interruption.asked and not self._stopping:
                self._stopping = True
                self._begin_nothing_new(names, progress)
            return self.interruption.at_once

        only = names if len(names) < len(self.todo) else ()
        try:
            end = ansible.run(
                self.directory, self.answers, on_event, cancelled, self.request.verbosity, run, only
            )
        finally:
            ansible.begin_again(self.directory)
        self.ends.update(dict.fromkeys(names, end))

    def _vanished(self, name: str) -> bool:
        """Whether a host got out of reach, and may be back the next time."""
        outcome = self.ledger.outcome(name)
        if outcome is None or not outcome.unreachable:
            return False
        found = why(self.todo[name], outcome)
        return passing(found.code if found else None)

    def _begin_nothing_new(self, names: Sequence[str], progress: Progress) -> None:
        """Here no task begins any more, and the hosts at work are asked to end with the step that they are at."""
        ansible.begin_nothing_new(self.directory)
        progress.stage("Interrupted: what runs is finished, nothing new begins (once more stops at once)")
        at_work = [
            self.todo[name].host
            for name in names
            if self.ledger.begun(name) and not ended(self.todo[name], self.ledger)
        ]
        options, asked = ssh_options(self.request.settings), STOP.format(run=self.directory.name)
        # Nobody waits for it: what is not reached this way finishes its task.
        threading.Thread(
            target=ssh.run_everywhere,
            args=(at_work, lambda host: ssh.run_script(host, options, asked), self.request.settings.forks),
            daemon=True,
        ).start()


def _went_well(entry: HostPlan, ledger: Ledger) -> bool:
    report = ended(entry, ledger)
    return report is not None and report.status in (HostStatus.OK, HostStatus.UNCHANGED)


def _stop(
    failed: int,
    hosts: int,
    chosen: Rollout,
    interruption: Interruption,
    talk: Talk,
    waiting: Sequence[Sequence[str]],
) -> str | None:
    """Why a rollout ends here, if it does. Waits between batches, or asks."""
    if rollout.spent(failed, hosts, chosen):
        return f"left untouched: {count(failed, 'host')} failed before its turn"
    if chosen.pause == "ask":
        number = sum(len(part) for part in waiting)
        done = f"{count(hosts - number, 'host')} done, {failed} failed."
        try:
            with interrupt_raises():
                agreed = talk.ask(f"{done} Go on with the next {len(waiting[0])} of {number}?")
            return None if agreed else "left untouched: you said no"
        except KeyboardInterrupt:
            interruption.ask()
    else:
        interruption.wait(chosen.pause)
    return "left untouched: interrupted before its turn" if interruption.asked else None


def _tell(
    event: ansible.TaskEvent, todo: Mapping[str, HostPlan], ledger: Ledger, progress: Progress
) -> HostReport | None:
    """Tell of an event; the host's report if it was the last one there."""
    entry = todo.get(event.host)
    if entry is None or event.task not in tasks_of(entry):
        return None
    steps = ledger.enter(event)
    if event.kind == "started":
        progress.step(event.host, _doing(entry, event.task))
        return None
    for step in steps:
        progress.step_done(event.host, step)
    outcome = ledger.outcome(event.host)
    if outcome and outcome.message:
        progress.host_done(event.host, False, outcome.message)
    elif ledger.finished(event.host) >= set(roles_of(entry)):
        progress.host_done(event.host, True, "done")
    return ended(entry, ledger)


def _doing(entry: HostPlan, task: str) -> str:
    """``packages, engine and proof``: one task may do several roles' work."""
    roles = [task] if task in DOING else [role for role in roles_of(entry) if role in PARTS]
    *most, last = [DOING[role] for role in roles]
    return f"{', '.join(most)} and {last}" if most else last
