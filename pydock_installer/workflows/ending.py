"""What came of a host: the report of one that ended, was cut off, or was never begun. Pure."""

from __future__ import annotations

import re

from pydock_installer import legacy_report
from pydock_installer.checks.legacy import in_its_words
from pydock_installer.diagnosis import Context, Diagnosis, diagnose, judge
from pydock_installer.model import HostPlan, HostReport, HostStatus, Known, Outcome, StepStatus
from pydock_installer.outcome import STOPPED, Ledger
from pydock_installer.render import roles_of
from pydock_installer.workflows.plan import standing_proof

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
    "proxy": "daemon",
    "service": "daemon",
    "restore": "repository",
    "distribution-packages": "packages",
    "packages": "packages",
}
#: How many lines of a host's own words a report has, and how much of each.
LINES, WIDTH = 12, 300
#: How docker tells the progress of a pull, which proves nothing.
LAYER = re.compile(r"[0-9a-f]{12}: ")
#: What whoever was interrupted does next.
GO_ON = "Run the same command again: it goes on where it stopped."


def ended(entry: HostPlan, ledger: Ledger) -> HostReport | None:
    """The report of a host on which all is done, or something failed; ``None`` while it is neither."""
    name = entry.host.name
    outcome = ledger.outcome(name) or Outcome()
    changed = any(step.status is StepStatus.CHANGED for step in outcome.steps)
    if outcome.code in STOPPED:
        return _interrupted(entry, outcome)
    if outcome.message:
        status = HostStatus.UNREACHABLE if outcome.unreachable else HostStatus.FAILED
        found = why(entry, outcome)
        cause = f"{outcome.failed_step}: {outcome.message}"
        if found and found.cause not in cause:
            cause += f" {found.cause}"
        if ledger.tries(name) > 1:
            cause += f" That was the try number {ledger.tries(name)}."
        remedy = (
            found.remedy if found else "The host's own words are in the run directory; mend it and run again."
        )
        code = found.code if found else None
        if entry.role in legacy_report.ROLES:
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


def why(entry: HostPlan, outcome: Outcome) -> Diagnosis | None:
    """What a failure means, if that is known."""
    where = "ssh" if outcome.unreachable else PHASE_OF_STEP.get(outcome.failed_step or "")
    words = f"{outcome.message}\n{outcome.evidence}"
    return judge(outcome.code, words, outcome.journal, where=where, context=_context(entry, outcome))


def not_begun(entry: HostPlan, cause: str) -> HostReport:
    """The report of a host that was left untouched."""
    return HostReport(
        entry,
        HostStatus.REFUSED,
        cause=cause,
        remedy="`pydock runs retry` goes on with it.",
        code="not-begun",
    )


def cut_off(entry: HostPlan, ledger: Ledger, interrupted: bool, output: str | None) -> HostReport:
    """The report of a host whose work ended before it was done, or never began. ``output``: Ansible's last words."""
    outcome = ledger.outcome(entry.host.name) or Outcome()
    if interrupted or output is None:
        if not ledger.begun(entry.host.name):
            return not_begun(entry, "left untouched: interrupted before its turn")
        return _interrupted(entry, outcome)
    said = next((line for line in reversed(output.splitlines()) if line.strip()), "nothing")
    cause, remedy = f"Ansible ended early; its last words: {said.strip()[:300]}", "See the run directory."
    if found := diagnose(output):
        cause, remedy = found.cause, found.remedy
    return HostReport(entry, HostStatus.FAILED, outcome.steps, None, cause, remedy, outcome.seconds)


def _interrupted(entry: HostPlan, outcome: Outcome) -> HostReport:
    """What was done before is told; of a host that was cut off at once, nobody heard what it did last."""
    done = [step.name for step in outcome.steps if step.status in (StepStatus.OK, StepStatus.CHANGED)]
    cause = "interrupted before it was done"
    if outcome.code in STOPPED:
        cause += f"; what was begun was finished ({', '.join(done)})" if done else "; nothing was changed"
    else:
        cause += "; the host ends the step that it is at by itself, and begins no other"
    return HostReport(
        entry, HostStatus.FAILED, outcome.steps, outcome.proof, cause, GO_ON, outcome.seconds, "interrupted"
    )


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
