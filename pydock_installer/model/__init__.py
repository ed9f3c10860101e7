"""The nouns: what flows from the command line to the report. Frozen, typed, touching nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydock_installer.model.fact import NOT_ASKED, Fact, Known, Unknown
from pydock_installer.model.groups import (
    EngineFacts,
    LegacyFacts,
    NetworkFacts,
    PackageFacts,
    StorageFacts,
    SystemFacts,
)
from pydock_installer.model.journal import Journal
from pydock_installer.model.traces import Left, Traces


class Secret:
    """A password: it can be used, but neither printed, compared by accident, pickled nor dumped."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The password itself; only doors that hand it to a login may ask."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret is never written")


@dataclass(frozen=True)
class Host:
    """One machine of the fleet, and how to log in to it. ``None`` leaves the choice to ~/.ssh/config."""

    name: str
    address: str
    user: str | None = None
    port: int | None = None
    identity_file: str | None = None
    password: Secret | None = field(default=None, repr=False)
    become_password: Secret | None = field(default=None, repr=False)
    ssh_arguments: tuple[str, ...] = ()
    interpreter: str | None = None
    groups: tuple[str, ...] = ()
    """Groups of the inventory that it is in."""


@dataclass(frozen=True)
class Package:
    """An installed RPM."""

    name: str
    epoch: str
    version: str
    release: str
    architecture: str


@dataclass(frozen=True)
class Release:
    """What the release files of a host say: os-release's ID and version, and the sentence a person reads."""

    id: str
    version: str
    pretty: str
    like: tuple[str, ...] = ()

    @property
    def major(self) -> str:
        """``7`` of ``7.9.2009``."""
        return self.version.partition(".")[0]


@dataclass(frozen=True)
class Engine:
    """What a running engine says of itself."""

    client: str | None
    server: str | None
    registry_mirrors: tuple[str, ...] = ()
    containers_running: int = 0


@dataclass(frozen=True)
class Service:
    """The docker service as systemd sees it; on release 6 in its words."""

    active: str
    enabled: str


@dataclass(frozen=True)
class Proof:
    """Evidence that Docker works on a host."""

    client: str | None = None
    server: str | None = None
    registry_mirrors: tuple[str, ...] = ()
    hello_world: bool = False
    image: str | None = None
    failed: str | None = None
    """The stage at which it ended: client, service, mirrors, load, pull, run or greeting; ``None`` if it did not."""


@dataclass(frozen=True)
class RepositoryAnswer:
    """How one package mirror answered a host: HTTP status (0 for none) and seconds."""

    name: str
    status: int
    seconds: float
    keys: tuple[str, ...] | None = None
    """Fingerprints of the package keys it serves; ``None`` if it was not asked for them."""


@dataclass(frozen=True)
class Facts:
    """All that a probe of one host brings. Sizes, times and versions as the host prints them."""

    kernel: Fact[str]
    architecture: Fact[str]
    word_size: Fact[int]
    release: Fact[Release]
    user: Fact[str]
    privilege: Fact[str]
    """One of ``root sudo password-needed wrong-password terminal-needed not-allowed missing``."""
    packages: Fact[Mapping[str, tuple[Package, ...]]] = None
    package_keys: Fact[tuple[str, ...]] = None
    """Key ids that rpm trusts, eight hexadecimal digits."""
    repository_file: Fact[str] = None
    repository_key: Fact[str] = None
    daemon_json: Fact[str] = None
    service: Fact[Service] = None
    engine: Fact[Engine] = None
    proof_record: Fact[Proof] = None
    repository_answers: Fact[tuple[RepositoryAnswer, ...]] = None
    machine_id: Fact[str] = None
    boot_id: Fact[str] = None
    hostname: Fact[str] = None
    journal: Fact[Journal] = NOT_ASKED
    seen_at: float = 0.0
    """The controller's clock when the answer came, in seconds since the epoch; 0 if nobody looked."""
    system: SystemFacts = field(default_factory=SystemFacts)
    storage: StorageFacts = field(default_factory=StorageFacts)
    network: NetworkFacts = field(default_factory=NetworkFacts)
    package_facts: PackageFacts = field(default_factory=PackageFacts)
    engine_facts: EngineFacts = field(default_factory=EngineFacts)
    legacy: LegacyFacts = field(default_factory=LegacyFacts)
    """Release 6 alone."""


__all__ = [
    "NOT_ASKED",
    "Difference",
    "Engine",
    "EngineFacts",
    "Fact",
    "Facts",
    "Finding",
    "Host",
    "HostPlan",
    "HostReport",
    "HostStatus",
    "Journal",
    "Known",
    "Left",
    "LegacyFacts",
    "NetworkFacts",
    "Outcome",
    "Package",
    "PackageFacts",
    "Plan",
    "Proof",
    "Release",
    "Report",
    "RepositoryAnswer",
    "Secret",
    "Service",
    "Severity",
    "Step",
    "StepResult",
    "StepStatus",
    "StorageFacts",
    "SystemFacts",
    "Traces",
    "Unknown",
]


class Severity(str, Enum):
    """How much a finding weighs."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BLOCKER = "blocker"


@dataclass(frozen=True)
class Finding:
    """What a rule found on a host, and what to do about it."""

    code: str
    severity: Severity
    message: str
    remedy: str | None = None
    group: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to be done to a host: a sentence for people, and the reason why it is needed."""

    name: str
    sentence: str
    reason: str


@dataclass(frozen=True)
class HostPlan:
    """What is needed on one host, in order; ``variables`` are what the roles are told."""

    host: Host
    facts: Facts | None
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    unreachable: Finding | None = None
    role: str | None = None
    """The one role that does all its steps (release 6); else each step has its own."""
    consent: tuple[str, ...] = ()
    """Packages a user may still need, that go only with a word of their own."""
    stops: str = ""
    """Which running containers a restart of the engine would stop, and why, while nobody agreed to that."""
    diff: str = ""
    """How daemon.json changes, as ``diff -u`` shows it, without passwords."""
    traces: Traces | None = None
    """What there is of Docker, where it was asked for to take it away."""

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that forbid any change."""
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKER)


@dataclass(frozen=True)
class Plan:
    """What is needed on every host of the fleet, in the fleet's order."""

    hosts: tuple[HostPlan, ...]


class StepStatus(str, Enum):
    """How a step ended."""

    CHANGED = "changed"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class StepResult:
    """A step as it went on a host."""

    name: str
    status: StepStatus
    seconds: float
    detail: str = ""


class HostStatus(str, Enum):
    """How a host came out of a command."""

    OK = "ok"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    PLANNED = "planned"


@dataclass(frozen=True)
class Outcome:
    """What a run did to one host."""

    steps: tuple[StepResult, ...] = ()
    proof: Proof | None = None
    failed_step: str | None = None
    unreachable: bool = False
    message: str | None = None
    """The failure in one sentence, as the host or Ansible says it; ``None`` is success."""
    evidence: str = ""
    code: str | None = None
    seconds: float = 0.0
    journal: str = ""
    """The engine's own lines about the failure."""
    architecture: str | None = None
    proxy: str | None = None
    """The engine's, as a failed proof found them."""


@dataclass(frozen=True)
class HostReport:
    """One line of the final table, and what stands below it."""

    plan: HostPlan
    status: HostStatus
    steps: tuple[StepResult, ...] = ()
    proof: Proof | None = None
    cause: str | None = None
    remedy: str | None = None
    seconds: float = 0.0
    code: str | None = None
    """The diagnosis behind the cause, for ``pydock explain``."""
    left: tuple[Left, ...] | None = None
    """What is still there of Docker after it was taken away; ``None`` where nobody looked."""
    evidence: tuple[str, ...] = ()
    """Lines of the host's own words and of the engine's journal that the cause rests on."""


@dataclass(frozen=True)
class Difference:
    """In what hosts differ: the names that differ alike, and each value with its hosts, most hosts first."""

    what: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Report:
    """What a command has to say at its end."""

    command: str
    hosts: tuple[HostReport, ...]
    exit_code: int
    run: str | None = None
    run_directory: str | None = None
    drift: tuple[Difference, ...] = ()
    """In what the hosts differ from each other, if that was asked."""
