"""Reports as tests want them."""

from pydock_installer.model import Host, HostPlan, HostReport, Proof, Report, Secret, Step
from pydock_installer.report import exit_code

STEP = Step("engine", "install docker-ce", "not installed")
PROOF = Proof("20.10.24", "20.10.24", ("https://mirror.example/",), True, "hello-world")


def host_report(status, name="web1", facts=None, findings=(), steps=(STEP,), done=(), **how):
    """A host that was to get ``steps`` and on which ``done`` was done."""
    plan = HostPlan(Host(name, "192.0.2.1", password=Secret("pa55")), facts, tuple(findings), tuple(steps))
    return HostReport(plan, status, tuple(done), **how)


def report(*statuses, command="install"):
    hosts = tuple(host_report(status, f"web{number}") for number, status in enumerate(statuses, start=1))
    return Report(command, hosts, exit_code(statuses))
