"""``pydock mirror set|add|remove``: look, test, show, ask, apply. Hosts stand for themselves: what is in the way of
one does not hold up the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydock_installer import mirror_plan, registries
from pydock_installer.errors import ExitCode, UnreachableError
from pydock_installer.mirror_plan import MirrorWish
from pydock_installer.model import (
    Facts,
    Finding,
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Plan,
    Report,
    Severity,
)
from pydock_installer.model.mirror import MirrorAnswer
from pydock_installer.probe import Questions
from pydock_installer.workflows.look import Seen, count, look
from pydock_installer.workflows.mirror_test import test_mirrors
from pydock_installer.workflows.plan import planned, standing_proof, unapplied
from pydock_installer.workflows.request import Progress, Request, Talk
from pydock_installer.workflows.restarts import with_word_for_restarts

Answers = Mapping[str, Sequence[MirrorAnswer] | UnreachableError]


@dataclass(frozen=True)
class Change:
    """What is wished for, and how. ``best`` of the shipped list instead of addresses: for the fleet, or per host."""

    wish: MirrorWish
    best: int = 0
    per_host: bool = False
    force: bool = False
    dry_run: bool = False


def mirror_change(request: Request, talk: Talk, change: Change) -> Report:
    """Change the mirrors of every host that lacks them. A host that has them costs one connection."""
    command = f"mirror {change.wish.action}"
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress, questions=Questions(preflight=True, sections=("unit",)))
        plan = _plan(request, seen, change.wish)
        if change.best:
            plan = _best(plan, request, seen, change, progress)
        elif not change.force:
            plan = _tested(plan, request, progress)
    for url in mirror_plan.nowhere(plan, change.wish):
        talk.note(f"{url} is set on none of these hosts.")
    talk.diffs(plan, result=change.dry_run)
    if change.dry_run:
        return planned(plan, command)
    plan = with_word_for_restarts(plan, request.yes, talk)
    todo = [entry for entry in plan.hosts if entry.steps]
    if todo and not request.yes and not talk.ask(f"Change the mirrors of {count(len(todo), 'host')}?"):
        return _refused(plan, command)
    report = _applied(plan, request, talk, command) if todo else planned(plan, command)
    done = {
        h.plan.host.name: _mirrors(h)
        for h in report.hosts
        if h.status in (HostStatus.OK, HostStatus.UNCHANGED)
    }
    if note := mirror_plan.line_for_settings(done, request.settings):
        talk.note(note)
    return report


def _plan(request: Request, seen: Seen, wish: MirrorWish) -> Plan:
    entries = []
    for host in request.hosts:
        found = seen[host.name]
        if isinstance(found, Facts):
            entries.append(
                mirror_plan.plan_mirrors(host, found, wish, request.settings, request.wishes.restart)
            )
        else:
            entries.append(_lost(HostPlan(host, None, ()), found))
    return Plan(tuple(entries))


def _lost(entry: HostPlan, error: UnreachableError) -> HostPlan:
    finding = Finding(error.code, Severity.BLOCKER, error.message, error.hint, group="reach")
    return replace(entry, findings=(finding,), steps=(), diff="", stops="", unreachable=finding)


def _asked(plan: Plan, request: Request, urls: Sequence[str], progress: Progress) -> Answers:
    """What the hosts that nothing is in the way of are served by these mirrors."""
    hosts = tuple(entry.host for entry in plan.hosts if not entry.blockers)
    if not hosts or not urls:
        return {}
    return test_mirrors(replace(request, hosts=hosts), urls, progress)


def _tested(plan: Plan, request: Request, progress: Progress) -> Plan:
    """Hosts keep their steps if the mirrors that are new to them serve them."""
    changing = Plan(tuple(entry for entry in plan.hosts if mirror_plan.untested(entry)))
    urls = tuple(dict.fromkeys(url for entry in changing.hosts for url in mirror_plan.untested(entry)))
    answers = _asked(changing, request, urls, progress)

    def judged(entry: HostPlan) -> HostPlan:
        found = answers.get(entry.host.name, ())
        return (
            _lost(entry, found) if isinstance(found, UnreachableError) else mirror_plan.judged(entry, found)
        )

    return Plan(tuple(judged(entry) for entry in plan.hosts))


def _best(plan: Plan, request: Request, seen: Seen, change: Change, progress: Progress) -> Plan:
    """The best of the shipped list instead of addresses."""
    answers = _asked(plan, request, registries.offered(), progress)
    fleet = registries.best(answers, change.best)

    def chosen(entry: HostPlan) -> HostPlan:
        found, facts = answers.get(entry.host.name), seen[entry.host.name]
        if found is None or not isinstance(facts, Facts):
            return entry
        if isinstance(found, UnreachableError):
            return _lost(entry, found)
        urls = registries.best_of_host(found, change.best) if change.per_host else fleet
        if not urls:
            return mirror_plan.none_usable(entry, found, fleet=not change.per_host)
        wish = MirrorWish("set", urls)
        return mirror_plan.plan_mirrors(entry.host, facts, wish, request.settings, request.wishes.restart)

    return Plan(tuple(chosen(entry) for entry in plan.hosts))


def _applied(plan: Plan, request: Request, talk: Talk, command: str) -> Report:
    # Slow to import, and hosts that have their mirrors never need it.
    from pydock_installer.workflows.apply import apply

    report = apply(plan, request, talk, command)
    return replace(report, hosts=tuple(map(_with_proof, report.hosts)))


def _with_proof(host: HostReport) -> HostReport:
    """The role ends well only with these mirrors in effect: the proof of before, with them."""
    facts = host.plan.facts
    if host.status is not HostStatus.OK or facts is None or not isinstance(facts.engine, Known):
        return host
    engine = replace(facts.engine.value, registry_mirrors=mirror_plan.wanted_mirrors(host.plan))
    seen = replace(host.plan, facts=replace(facts, engine=Known(engine)))
    return replace(host, proof=standing_proof(seen))


def _mirrors(host: HostReport) -> tuple[str, ...]:
    return host.proof.registry_mirrors if host.proof else ()


def _refused(plan: Plan, command: str) -> Report:
    hosts = tuple(
        replace(unapplied(entry), status=HostStatus.REFUSED, cause="you said no; nothing was changed")
        if entry.steps
        else unapplied(entry)
        for entry in plan.hosts
    )
    return Report(command, hosts, int(ExitCode.REFUSED))
