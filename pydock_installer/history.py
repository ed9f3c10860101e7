"""The door to the record of runs: who started what, when, and what came of it on each host. SQLite, private.

A row is written when a run begins and when each of its hosts ends, so that a run whose controller was killed is told
of truthfully.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydock_installer.errors import PydockError, UsageError
from pydock_installer.model import HostReport, Report
from pydock_installer.state import private_files, state_directory

#: Hosts with one of these, or with none, are those of ``pydock runs retry``.
UNFINISHED = frozenset({"planned", "failed", "unreachable", "refused", "blocked", ""})

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, command TEXT NOT NULL, arguments TEXT NOT NULL, directory TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, exit_code INTEGER, summary TEXT, tree TEXT, process TEXT
);
CREATE TABLE hosts (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '', engine TEXT, code TEXT, cause TEXT, remedy TEXT, seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (run, name)
);
CREATE TABLE steps (
    run TEXT NOT NULL, host TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
    seconds REAL NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (run, host, position),
    FOREIGN KEY (run, host) REFERENCES hosts ON DELETE CASCADE
);
PRAGMA user_version = 1;
"""

_SELECT = (
    "SELECT id, command, arguments, directory, started, ended, exit_code, summary, tree, process FROM runs"
)


@dataclass(frozen=True)
class Invocation:
    """The command as it was typed, without ``pydock``, and where."""

    arguments: tuple[str, ...]
    directory: str


@dataclass(frozen=True)
class StepRecord:
    """A step as it went; ``seconds`` it took."""

    name: str
    status: str
    seconds: float
    detail: str


@dataclass(frozen=True)
class HostRecord:
    """What came of a run on one host; the status is empty if the run never got to its end there."""

    name: str
    status: str
    engine: str | None
    code: str | None
    cause: str | None
    remedy: str | None
    seconds: float
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """A run: times are seconds since the epoch; ``ended`` is ``None`` for one that runs or was broken off."""

    id: str
    command: str
    invocation: Invocation
    started: float
    ended: float | None
    exit_code: int | None
    summary: str | None
    tree: str | None
    alive: bool
    hosts: tuple[HostRecord, ...] = ()

    @property
    def state(self) -> str:
        """``ended``, ``running`` or ``broken off``."""
        return "ended" if self.ended is not None else "running" if self.alive else "broken off"

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The hosts that are not as the run wanted them."""
        return tuple(host.name for host in self.hosts if host.status in UNFINISHED)


def database() -> Path:
    """Where the record is."""
    return state_directory() / "history.sqlite"


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    """A connection, the schema made; one transaction. Raises PydockError, whatever is wrong with the file."""
    path = database()
    try:
        with private_files():
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=20)
        with closing(connection), connection:
            connection.execute("PRAGMA foreign_keys = ON")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                connection.executescript(_SCHEMA)
            elif version != 1:
                raise PydockError(
                    f"{path} was written by a newer pydock", "Update pydock, or move that file away."
                )
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise PydockError(
            f"the record of runs, {path}, cannot be used: {error}",
            "Free some space, or move that file away: a new one is begun.",
        ) from error


def begin(
    run: str, command: str, invocation: Invocation, hosts: Sequence[str], tree: Path | None = None
) -> None:
    """Note that a run begins on these hosts. Raises PydockError."""
    with _open() as connection:
        connection.execute(
            "INSERT INTO runs (id, command, arguments, directory, started, tree, process) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                run,
                command,
                json.dumps(invocation.arguments),
                invocation.directory,
                time.time(),
                str(tree) if tree else None,
                _process(os.getpid()),
            ),
        )
        connection.executemany(
            "INSERT INTO hosts (run, position, name) VALUES (?, ?, ?)",
            [(run, position, name) for position, name in enumerate(hosts)],
        )


def host_done(run: str, host: HostReport) -> None:
    """Note what came of a run on a host. Raises PydockError."""
    with _open() as connection:
        _write_host(connection, run, host)


def end(run: str, report: Report, summary: str) -> None:
    """Note how a run ended, all its hosts with it. Raises PydockError."""
    with _open() as connection:
        for host in report.hosts:
            _write_host(connection, run, host)
        connection.execute(
            "UPDATE runs SET ended = ?, exit_code = ?, summary = ?, process = NULL WHERE id = ?",
            (time.time(), report.exit_code, summary, run),
        )


def _write_host(connection: sqlite3.Connection, run: str, host: HostReport) -> None:
    name = host.plan.host.name
    connection.execute(
        "UPDATE hosts SET status = ?, engine = ?, code = ?, cause = ?, remedy = ?, seconds = ? "
        "WHERE run = ? AND name = ?",
        (
            host.status.value,
            host.proof.server if host.proof else None,
            host.code,
            host.cause,
            host.remedy,
            host.seconds,
            run,
            name,
        ),
    )
    connection.execute("DELETE FROM steps WHERE run = ? AND host = ?", (run, name))
    connection.executemany(
        "INSERT INTO steps (run, host, position, name, status, seconds, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (run, name, position, step.name, step.status.value, step.seconds, step.detail)
            for position, step in enumerate(host.steps)
        ],
    )


def runs() -> tuple[RunRecord, ...]:
    """All runs with their hosts, newest first; steps are left out. Raises PydockError."""
    with _open() as connection:
        rows = connection.execute(f"{_SELECT} ORDER BY started DESC, id DESC").fetchall()
        return tuple(_record(connection, row, steps=False) for row in rows)


def find(identifier: str) -> RunRecord:
    """The run with this id, or a unique beginning of it; ``last`` is the newest. Raises UsageError."""
    with _open() as connection:
        if identifier == "last":
            found = connection.execute(f"{_SELECT} ORDER BY started DESC, id DESC LIMIT 1").fetchall()
        else:
            found = connection.execute(
                f"{_SELECT} WHERE substr(id, 1, length(?)) = ?", (identifier, identifier)
            ).fetchall()
        if len(found) != 1:
            problem = "names no run" if not found else f"names {len(found)} runs"
            raise UsageError(f"{identifier} {problem}", "`pydock runs list` shows them.")
        return _record(connection, found[0], steps=True)


def forget(keep: int, days: int) -> tuple[RunRecord, ...]:
    """Take out the runs beyond the newest ``keep`` and those older than ``days``; the newest and what runs stays."""
    oldest = time.time() - days * 86400
    gone = [
        run
        for place, run in enumerate(runs())
        if place and run.state != "running" and (place >= keep or run.started < oldest)
    ]
    with _open() as connection:
        connection.executemany("DELETE FROM runs WHERE id = ?", [(run.id,) for run in gone])
    return tuple(gone)


def _record(connection: sqlite3.Connection, row: tuple, steps: bool) -> RunRecord:  # type: ignore[type-arg]
    run, command, arguments, directory, started, ended, exit_code, summary, tree, process = row
    hosts = connection.execute(
        "SELECT name, status, engine, code, cause, remedy, seconds FROM hosts WHERE run = ? ORDER BY position",
        (run,),
    ).fetchall()
    done: dict[str, list[StepRecord]] = {}
    if steps:
        for host, *step in connection.execute(
            "SELECT host, name, status, seconds, detail FROM steps WHERE run = ? ORDER BY host, position",
            (run,),
        ):
            done.setdefault(host, []).append(StepRecord(*step))
    return RunRecord(
        id=run,
        command=command,
        invocation=Invocation(tuple(json.loads(arguments)), directory),
        started=started,
        ended=ended,
        exit_code=exit_code,
        summary=summary,
        tree=tree,
        alive=process is not None and process == _process(int(process.partition(" ")[0])),
        hosts=tuple(
            HostRecord(name, status, engine, code, cause, remedy, seconds, tuple(done.get(name, ())))
            for name, status, engine, code, cause, remedy, seconds in hosts
        ),
    )


def _process(pid: int) -> str:
    """The process and the time of its start, which together no other one has."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return f"{pid} {told.rpartition(')')[2].split()[19]}"
    except OSError:
        return f"{pid} gone"
