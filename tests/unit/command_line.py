"""pydock as a user calls it, in this process and without a network."""

import unicodedata
from pathlib import Path

from pydock_installer.cli import main
from pydock_installer.model import (
    Finding,
    Host,
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Proof,
    Release,
    Report,
    Severity,
    Step,
    StepResult,
    StepStatus,
)
from tests.unit.facts import bare

TOP = Path(__file__).resolve().parents[2]
HOST = "192.0.2.1"
EVIL = "\x1b[2J\x1b]0;owned\x07\r\x08\x9b31m\u202e"


def run(capsys, *argv):
    """Exit code, stdout, stderr."""
    code = main(list(argv))
    return code, *capsys.readouterr()


def has_controls(text, but="\n"):
    return any(unicodedata.category(c) == "Cc" and c not in but for c in text)


def hostile_report(command, status=HostStatus.FAILED):
    """A host that wants to paint the terminal from every field that it can fill."""
    facts = bare(
        kernel=Known(EVIL), architecture=Known(EVIL), release=Known(Release("centos", "7", f"CentOS{EVIL}"))
    )
    plan = HostPlan(
        Host(f"web{EVIL}", HOST),
        facts,
        (Finding("memory", Severity.WARNING, EVIL, EVIL),),
        (Step(f"engine{EVIL}", f"install{EVIL}", EVIL),),
    )
    entry = HostReport(
        plan,
        status,
        (StepResult(f"engine{EVIL}", StepStatus.FAILED, 1.0, EVIL),),
        Proof(EVIL, EVIL, (f"https://{EVIL}",), True, EVIL),
        f"cause{EVIL}",
        f"remedy{EVIL}",
        code=f"code{EVIL}",
    )
    return Report(command, (entry,), 1)
