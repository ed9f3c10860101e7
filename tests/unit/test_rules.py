"""Rules, a data file per case: what a host answers, and what a user is told. tests/data/checks/GROUP/CASE.yml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pydock_installer import checks, explanations, platforms
from pydock_installer.checks.rule import Context
from pydock_installer.model import Known, Severity
from pydock_installer.probe import parse
from pydock_installer.settings import Settings

NONCE = "pydock-0123456789abcdef"
CASES = sorted((Path(__file__).resolve().parents[1] / "data/checks").glob("*/*.yml"))
#: What a bare host of a release answers before preflight; a case changes what it is about.
BARE = {
    "user": "root",
    "privilege": "root",
    "kernel": "5.14.0-480.el9.x86_64",
    "architecture": "x86_64",
    "word_size": "64",
    "os-release": 'NAME="CentOS Stream"\nVERSION="9"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"\n',
    "redhat-release": "CentOS Stream release 9\n",
    "packages": "",
    "daemon_json": 44,
    "service": "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
    "preflight": "thorough",
}
RELEASES = {
    "6": {
        "kernel": "2.6.32-754.35.1.el6.x86_64",
        "os-release": 44,
        "redhat-release": "CentOS release 6.10 (Final)\n",
        "centos-release": "CentOS release 6.10 (Final)\n",
        "service": 44,
    },
    "7": {
        "kernel": "3.10.0-1160.el7.x86_64",
        "os-release": 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n',
        "redhat-release": "CentOS Linux release 7.9.2009 (Core)\n",
    },
    "8": {
        "kernel": "4.18.0-348.el8.x86_64",
        "os-release": 'NAME="CentOS Linux"\nVERSION="8"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="8"\n',
        "redhat-release": "CentOS Linux release 8.5.2111\n",
    },
    "9": {},
    "10": {
        "kernel": "6.12.0-55.el10.x86_64",
        "os-release": 'NAME="CentOS Stream"\nVERSION="10"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="10"\n',
        "redhat-release": "CentOS Stream release 10\n",
    },
}
KEYS = {"about", "release", "answers", "settings", "seen_at", "expect"}


def output(answers):
    """The probe's output; an answer is a text, or a status alone, or both."""
    parts = []
    for name, answer in answers.items():
        told = answer if isinstance(answer, dict) else {"text": answer} if isinstance(answer, str) else {"status": answer}
        text = told.get("text", "")
        parts.append(f"\n{NONCE} {name}\n{text}\n{NONCE}/ {told.get('status', 0)}\n")
    return "".join(parts).encode()


def facts_of(case):
    """The facts of the host of a case."""
    assert set(case) <= KEYS, "a key that nobody reads"
    answers = {**BARE, **RELEASES[str(case.get("release", "9"))], **case.get("answers", {})}
    return replace(parse(output(answers), NONCE), seen_at=float(case.get("seen_at", 0)))


def answered(path):
    """The facts of a case by its file."""
    return facts_of(yaml.safe_load(path.read_text(encoding="utf-8")))


def findings(case):
    """What all rules say of the host of a case."""
    facts = facts_of(case)
    platform = platforms.nearest(facts.release.value) if isinstance(facts.release, Known) else None
    return checks.findings(facts, Context(Settings.model_validate(case.get("settings", {})), platform))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_host_is_told_what_is_wrong(path):
    """``expect`` maps codes to a severity and words of message and remedy; null is a rule that says nothing."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = {finding.code: finding for finding in findings(case)}
    assert set(found) <= set(explanations.codes()), "a finding that nobody explains"
    for code, wanted in case["expect"].items():
        if wanted is None:
            assert code not in found
            continue
        assert code in found, f"nothing about {code}: {sorted(found)}"
        finding = found[code]
        assert finding.severity.value == wanted["severity"], finding
        for word in wanted.get("says", []):
            assert word in finding.message
        for word in wanted.get("remedy", []):
            assert word in (finding.remedy or "")
        assert finding.remedy or finding.severity in (Severity.OK, Severity.UNKNOWN)
    blockers = {code for code, finding in found.items() if finding.severity is Severity.BLOCKER}
    assert blockers <= set(case["expect"]), "a blocker that nobody expected"


def test_a_bare_host_of_each_release_is_not_blocked():
    for release in RELEASES:
        blockers = {f.code for f in findings({"release": release, "expect": {}}) if f.severity is Severity.BLOCKER}
        assert blockers == set()
