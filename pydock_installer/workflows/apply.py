"""The stages that change hosts: render, run, and tell what came of it."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from pydock_installer import ansible, rollout, rundir
from pydock_installer.checks.legacy import in_its_words
from pydock_installer.diagnosis import Context, diagnose, judge
from pydock_installer.errors import ExitCode, PydockError
from pydock_installer.model import (
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Outcome,
    Plan,
    Report,
    StepStatus,
)
from pydock_installer.outcome import Ledger
from pydock_installer.render import LEGACY_ROLE, PARTS, render, roles_of, tasks_of
from pydock_installer.report import exit_code, to_json
from pydock_installer.settings import Rollout
from pydock_installer.state import private_files
from pydock_installer.workflows.look import count
from pydock_installer.workflows.plan import standing_proof, unapplied
from pydock_installer.workflows.record import Record
from pydock_installer.workflows.request import Progress, Request, Talk

#: What a person reads while a role runs.
DOING = {
    "docker_repositories": "repository",
    "docker_packages": "packages",
    "docker_daemon": "engine",
    "docker_verify": "proof",
    "docker_legacy": "packages, engine and proof",
    "docker_restore": "files",
    "docker_absent": "removal",
}

#: Where the diagnosis of a failed step is looked up; of a proof, its code tells.
PHASE_OF_STEP = {
    "base-repositories": "repository",
    "repository": "repository",
    "remove": "packages",
    "compilers": "packages",
    "tools": "packages",
    "engine": "packages",
    "library": "packages",
    "settings": "daemon",
    "service": "daemon",
    "restore": "repository",
    "packages": "packages",
}
#: How many lines of a host's own words a report has, and how much of each.
LINES, WIDTH = 12, 300
#: How docker tells the progress of a pull, which proves nothing.
LAYER = re.compile(r"[0-9a-f]{12}: ")


def apply(plan: Plan, request: Request, talk: Talk, command: str) -> Report:
    """Do the steps of a plan on those hosts that have some. Hosts fail alone."""
    todo = {entry.host.name: entry for entry in plan.hosts if entry.steps}
    ansible.require_programs(any(entry.host.password for entry in todo.values()))
    tree = render(plan, request.settings)
    directory = rundir.create(command.replace(" ", "-"), tree.files)
    record = Record(directory.name, command, request, talk, directory)
    record.begin([entry.host.name for entry in plan.hosts])
    for entry in plan.hosts:
        if not entry.steps:
            record.host_done(unapplied(entry))
    ledger = Ledger()
    answers = {prompt.text: prompt.secret for prompt in tree.prompts}
    chosen = request.settings.rollout
    parts = rollout.batches(list(todo), {name: entry.host.groups for name, entry in todo.items()}, chosen)
    ends: dict[str, ansible.RunEnd] = {}
    left: str | None = None
    with interruptible() as interrupted, private_files():
        for number, part in enumerate(parts):
            failed = sum(1 for name in ends if not _went_well(todo[name], ledger))
            if number and (left := _stop(failed, len(todo), chosen, interrupted, talk, parts[number:])):
                break
            with talk.progress(part) as progress:
                words = f" ({number + 1} of {len(parts)})" if len(parts) > 1 else ""
                progress.stage(f"Working on {count(len(part), 'host')}{words}")

                def on_event(event: ansible.TaskEvent, progress: Progress = progress) -> None:
                    if entry := _tell(event, todo, ledger, progress):
                        record.host_done(entry)

                only = part if len(parts) > 1 else ()
                name = f"run-{number + 1}" if only else "run"
                end = ansible.run(
                    directory, answers, on_event, interrupted.is_set, request.verbosity, name, only
                )
            ends.update(dict.fromkeys(part, end))
            if interrupted.is_set():
                break
    hosts = tuple(
        unapplied(entry)
        if not entry.steps
        else _ended(entry, ledger)
        or _cut_off(entry, ledger, ends.get(entry.host.name), interrupted.is_set(), left)
        for entry in plan.hosts
    )
    code = ExitCode.INTERRUPTED if interrupted.is_set() else exit_code([host.status for host in hosts])
    report = Report(command, hosts, int(code), run=directory.name, run_directory=str(directory))
    try:
        rundir.save_report(directory, to_json(report))
    except PydockError as error:
        talk.note(error.message)  # What was done is told all the same.
    record.end(report)
    return report


def _went_well(entry: HostPlan, ledger: Ledger) -> bool:
    report = _ended(entry, ledger)
    return report is not None and report.status in (HostStatus.OK, HostStatus.UNCHANGED)


def _stop(
    failed: int,
    hosts: int,
    chosen: Rollout,
    interrupted: threading.Event,
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
            with _interrupt_raises():
                agreed = talk.ask(f"{done} Go on with the next {len(waiting[0])} of {number}?")
            return None if agreed else "left untouched: you said no"
        except KeyboardInterrupt:
            interrupted.set()
    else:
        interrupted.wait(chosen.pause)
    return "left untouched: interrupted before its turn" if interrupted.is_set() else None


def _tell(
    event: ansible.TaskEvent, todo: Mapping[str, HostPlan], ledger: Ledger, progress: Progress
) -> HostReport | None:
    """Tell of an event; the host's report if it was the last one there."""
    entry = todo.get(event.host)
    if entry is None or event.task not in tasks_of(entry):
        return None
    if event.kind == "started":
        progress.step(event.host, _doing(entry, event.task))
        return None
    for step in ledger.enter(event):
        progress.step_done(event.host, step)
    outcome = ledger.outcome(event.host)
    if outcome and outcome.message:
        progress.host_done(event.host, False, outcome.message)
    elif ledger.finished(event.host) >= set(roles_of(entry)):
        progress.host_done(event.host, True, "done")
    return _ended(entry, ledger)


def _doing(entry: HostPlan, task: str) -> str:
    """``packages, engine and proof``: one task may do several roles' work."""
    roles = [task] if task in DOING else [role for role in roles_of(entry) if role in PARTS]
    *most, last = [DOING[role] for role in roles]
    return f"{', '.join(most)} and {last}" if most else last


def _ended(entry: HostPlan, ledger: Ledger) -> HostReport | None:
    """The report of a host on which all is done, or something failed; ``None`` while it is neither."""
    name = entry.host.name
    outcome = ledger.outcome(name) or Outcome()
    changed = any(step.status is StepStatus.CHANGED for step in outcome.steps)
    if outcome.message:
        status = HostStatus.UNREACHABLE if outcome.unreachable else HostStatus.FAILED
        where = "ssh" if outcome.unreachable else PHASE_OF_STEP.get(outcome.failed_step or "")
        words = f"{outcome.message}\n{outcome.evidence}"
        found = judge(outcome.code, words, outcome.journal, where=where, context=_context(entry, outcome))
        cause = f"{outcome.failed_step}: {outcome.message}"
        if found and found.cause not in cause:
            cause += f" {found.cause}"
        remedy = (
            found.remedy if found else "The host's own words are in the run directory; mend it and run again."
        )
        code = found.code if found else None
        if entry.role == LEGACY_ROLE:
            cause, remedy = in_its_words(cause), in_its_words(remedy)
        return HostReport(
            entry,
            status,
            outcome.steps,
            outcome.proof,
            cause,
            remedy,
            outcome.seconds,
            code,
            evidence=_evidence(outcome),
        )
    if ledger.finished(name) >= set(roles_of(entry)):
        status = HostStatus.OK if changed or outcome.proof else HostStatus.UNCHANGED
        proof = outcome.proof or standing_proof(entry)
        return HostReport(entry, status, outcome.steps, proof, seconds=outcome.seconds)
    return None


def _cut_off(
    entry: HostPlan, ledger: Ledger, end: ansible.RunEnd | None, interrupted: bool, left: str | None
) -> HostReport:
    """The report of a host whose work ended before it was done, or never began."""
    outcome = ledger.outcome(entry.host.name) or Outcome()
    if end is None and left:
        return HostReport(
            entry, HostStatus.REFUSED, cause=left, remedy="`pydock runs retry` goes on with it."
        )
    if interrupted or end is None:
        cause, remedy = (
            "interrupted before it was done",
            "Run the same command again: it goes on where it stopped.",
        )
    else:
        said = next((line for line in reversed(end.output.splitlines()) if line.strip()), "nothing")
        cause, remedy = f"Ansible ended early; its last words: {said.strip()[:300]}", "See the run directory."
        if found := diagnose(end.output):
            cause, remedy = found.cause, found.remedy
    return HostReport(entry, HostStatus.FAILED, outcome.steps, None, cause, remedy, outcome.seconds)


def _context(entry: HostPlan, outcome: Outcome) -> Context:
    """What a failed proof knew; of other failures, the host's architecture."""
    proof, facts = outcome.proof, entry.facts
    machine = facts.architecture.value if facts and isinstance(facts.architecture, Known) else None
    return Context(
        image=proof.image if proof else None,
        # Without a server nobody knows what is in effect.
        mirrors=proof.registry_mirrors if proof and proof.server else None,
        proxy=outcome.proxy,
        architecture=outcome.architecture or machine,
    )


def _evidence(outcome: Outcome) -> tuple[str, ...]:
    """The last lines of what the host and its engine said, each once; passwords in addresses are not told."""
    said = f"{outcome.journal}\n{outcome.evidence}".splitlines()
    said = [line.strip() for line in said if line.strip() and not LAYER.match(line)]
    lines = dict.fromkeys(line[:WIDTH] for line in said)
    return tuple(re.sub(r"://[^/\s@]{1,200}@", "://***@", line) for line in lines)[-LINES:]


@contextmanager
def _interrupt_raises() -> Iterator[None]:
    """While a person is asked, Ctrl-C ends the question."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event instead of tearing the run apart; a second one is the usual end."""
    event = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
