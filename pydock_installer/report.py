"""From a report to a document, a sentence, an exit code. Pure; the terminal is cli/console.py's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydock_installer import platforms
from pydock_installer.drift import sentence
from pydock_installer.errors import ExitCode
from pydock_installer.model import (
    Difference,
    Facts,
    Finding,
    HostReport,
    HostStatus,
    Known,
    Proof,
    Report,
    Severity,
    StepStatus,
    Traces,
)
from pydock_installer.model.traces import Firewall

#: How each status reads in the closing sentence.
WORDS = {
    HostStatus.OK: "done and proven",
    HostStatus.UNCHANGED: "with nothing to do",
    HostStatus.PLANNED: "to change",
    HostStatus.FAILED: "failed",
    HostStatus.BLOCKED: "blocked",
    HostStatus.UNREACHABLE: "unreachable",
    HostStatus.REFUSED: "left alone",
}

#: What it means that a host is as wanted, after a command that wants something else than a proven Docker.
DONE = {
    "restore": "restored",
    "uninstall": "without Docker now",
    **{f"mirror {verb}": "done, with the mirrors in effect" for verb in ("set", "add", "remove")},
}


def exit_code(statuses: Iterable[HostStatus]) -> int:
    """The worst of the statuses, as errors.ExitCode tells it."""
    seen = set(statuses)
    for status, code in (
        (HostStatus.FAILED, ExitCode.HOST_FAILED),
        (HostStatus.UNREACHABLE, ExitCode.UNREACHABLE),
        (HostStatus.BLOCKED, ExitCode.BLOCKED),
        (HostStatus.REFUSED, ExitCode.REFUSED),
    ):
        if status in seen:
            return int(code)
    return int(ExitCode.OK)


def summary(report: Report) -> str:
    """The closing sentence: ``3 hosts: 2 done and proven, 1 failed.``"""
    if report.command == "check":
        return _check_summary(report.hosts)
    statuses = [host.status for host in report.hosts]
    words = {**WORDS, HostStatus.OK: DONE.get(report.command, WORDS[HostStatus.OK])}
    parts = [f"{number} {text}" for status, text in words.items() if (number := statuses.count(status))]
    told = f"{_hosts(len(statuses))}: {', '.join(parts)}."
    return " ".join(part for part in (told, sentence(report.drift)) if part)


def _check_summary(hosts: Sequence[HostReport]) -> str:
    """``37 hosts ready, 2 with warnings, 1 blocked, 1 unreachable.``"""
    standings = [standing(host) for host in hosts]
    counts = {word: standings.count(word) for word in ("ready", "with warnings", "blocked", "unreachable")}
    told = [f"{number} {word}" for word, number in counts.items() if number and word != "ready"]
    return ", ".join([f"{_hosts(counts['ready'])} ready", *told]) + "."


def standing(host: HostReport) -> str:
    """How a host stands after a check: ``ready``, ``with warnings``, ``blocked`` or ``unreachable``."""
    if host.status in (HostStatus.UNREACHABLE, HostStatus.BLOCKED):
        return str(host.status.value)
    heavy = any(finding.severity is Severity.WARNING for finding in host.plan.findings)
    return "with warnings" if heavy else "ready"


def _hosts(number: int) -> str:
    return f"{number} host{'' if number == 1 else 's'}"


def change_summary(host: HostReport) -> str:
    """What was done to a host, short enough for a table."""
    if host.status is HostStatus.UNCHANGED and not host.steps:
        return "nothing to do"
    if host.status is HostStatus.PLANNED:
        return ", ".join(step.name for step in host.plan.steps)
    changed = [
        # Of the compilers, which version came is asked for; of the engine, a column of its own tells.
        f"{step.name} ({step.detail})" if step.name == "compilers" and step.detail else step.name
        for step in host.steps
        if step.status is StepStatus.CHANGED
    ]
    return ", ".join(changed) or ("nothing to do" if host.status is HostStatus.OK else "-")


def release(facts: Facts | None) -> str:
    """The release as a person reads it."""
    return facts.release.value.pretty if facts and isinstance(facts.release, Known) else "-"


def proof_summary(proof: Proof | None) -> str:
    """What is proven of a host."""
    if proof is None:
        return "-"
    names = [mirror.partition("://")[2].rstrip("/") for mirror in proof.registry_mirrors]
    mirror = f", mirror {grouped(names, 1)}" if names else ""
    return f"{proof.image or 'hello-world'} ok{mirror}" if proof.hello_world else "not proven"


def engine_version(proof: Proof | None) -> str:
    """Client and server, once if they agree."""
    if proof is None or not proof.server:
        return "-"
    return proof.server if proof.client == proof.server else f"{proof.server} (client {proof.client})"


def to_json(report: Report) -> dict[str, Any]:
    """The document of ``--json``; docs/json.md tells each key."""
    drift = {"drift": [_difference(one) for one in report.drift]} if report.command == "status" else {}
    return {
        "command": report.command,
        "run": report.run,
        "run_directory": report.run_directory,
        "exit_code": report.exit_code,
        "summary": summary(report),
        **drift,
        "hosts": [
            {**_host(host), **(_removal(host) if report.command == "uninstall" else {})}
            for host in report.hosts
        ],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "what": list(one.what),
        "values": [{"value": value, "hosts": list(hosts)} for value, hosts in one.values],
    }


def _host(host: HostReport) -> dict[str, Any]:
    return {
        "name": host.plan.host.name,
        "status": host.status.value,
        "facts": _facts(host.plan.facts),
        "findings": [_finding(finding) for finding in host.plan.findings],
        "steps": _steps(host),
        "diff": host.plan.diff or None,
        "proof": _proof(host.proof),
        "cause": host.cause,
        "remedy": host.remedy,
        "code": host.code,
        "evidence": list(host.evidence),
        "seconds": round(host.seconds, 1),
    }


def _removal(host: HostReport) -> dict[str, Any]:
    """What an uninstallation has to say besides."""
    left = None if host.left is None else [{"what": entry.what, "why": entry.why} for entry in host.left]
    return {"left": left, "traces": _traces(host.plan.traces)}


def _traces(traces: Traces | None) -> dict[str, Any] | None:
    """What there was of Docker before anything was done; ``null`` for what could not be seen."""
    if traces is None:
        return None
    return {
        "units": [
            {"name": u.name, "active": u.active, "enabled": u.enabled} for u in _seen(traces.units, ())
        ],
        "containers": [
            {"name": c.name, "image": c.image, "running": c.running} for c in _seen(traces.containers, ())
        ],
        "images": _seen(traces.images, None),
        "volumes": [{"name": v.name, "root": v.root, "kib": v.kib} for v in _seen(traces.volumes, ())],
        "roots": [
            {"kind": r.kind, "path": r.path, "real": r.real, "state": r.state, "kib": r.kib}
            for r in _seen(traces.roots, ())
        ],
        "networks": list(_seen(traces.networks, ())),
        "bridges": sorted(_seen(traces.links, {})),
        "firewall": [
            {
                "tool": f.tool,
                "chains": list(f.chains),
                "rules": list(f.rules),
                "user_rules": list(f.user_rules),
            }
            for f in _seen(traces.firewall, Firewall()).filters
        ],
        "files": sorted(
            path for path, what in _seen(traces.files, {}).items() if what not in ("epel", "saved")
        ),
        "group_members": list(group.members) if (group := _seen(traces.group, None)) else [],
    }


def _seen(fact: Any, otherwise: Any) -> Any:
    return fact.value if isinstance(fact, Known) else otherwise


def _facts(facts: Facts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    service = facts.service.value if isinstance(facts.service, Known) else None
    return {
        "release": facts.release.value.pretty if isinstance(facts.release, Known) else None,
        "kernel": facts.kernel.value if isinstance(facts.kernel, Known) else None,
        "architecture": facts.architecture.value if isinstance(facts.architecture, Known) else None,
        "compilers": _compilers(facts),
        "service": None if service is None else {"active": service.active, "enabled": service.enabled},
    }


def _compilers(facts: Facts) -> dict[str, str]:
    installed = facts.packages.value if isinstance(facts.packages, Known) else {}
    return {
        name: installed[name][0].version for name in platforms.package_names().compilers if name in installed
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "group": finding.group,
        "severity": finding.severity.value,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _steps(host: HostReport) -> list[dict[str, Any]]:
    """Steps as they went; of a plan, as they would go."""
    planned = {step.name: step for step in host.plan.steps}
    if host.steps or host.status not in (HostStatus.PLANNED, HostStatus.REFUSED):
        return [
            {
                "name": step.name,
                "status": step.status.value,
                "seconds": step.seconds,
                "detail": step.detail,
                "reason": planned[step.name].reason if step.name in planned else None,
            }
            for step in host.steps
        ]
    return [
        {"name": s.name, "status": "planned", "seconds": None, "detail": s.sentence, "reason": s.reason}
        for s in host.plan.steps
    ]


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "client": proof.client,
        "server": proof.server,
        "registry_mirrors": [mirror.rstrip("/") for mirror in proof.registry_mirrors],
        "hello_world": proof.hello_world,
        "image": proof.image,
        "failed": proof.failed,
    }


def grouped(names: Sequence[str], limit: int = 6) -> str:
    """Names of hosts in one line, however many."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def to_junit(report: Report) -> str:
    """A check as JUnit XML: a suite per host, a case per finding; a blocker is a failure, an unknown is skipped."""
    from xml.etree import ElementTree

    suites = ElementTree.Element("testsuites", name="pydock check")
    for host in report.hosts:
        findings = host.plan.findings
        failures = sum(finding.severity is Severity.BLOCKER for finding in findings)
        skipped = sum(finding.severity is Severity.UNKNOWN for finding in findings)
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=_xml(host.plan.host.name),
            tests=str(len(findings)),
            failures=str(failures),
            skipped=str(skipped),
        )
        for finding in findings:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{_xml(host.plan.host.name)}.{finding.group}", name=finding.code
            )
            kind = {
                Severity.BLOCKER: "failure",
                Severity.UNKNOWN: "skipped",
                Severity.WARNING: "system-out",
            }.get(finding.severity, "system-out")
            entry = ElementTree.SubElement(case, kind)
            text = _xml("\n".join(part for part in (finding.message, finding.remedy) if part))
            if kind == "system-out":
                entry.text = f"{finding.severity.value}: {text}"
            else:
                entry.set("message", _xml(finding.message))
                entry.text = text
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
