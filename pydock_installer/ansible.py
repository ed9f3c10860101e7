"""The door to Ansible: runs a tree, hands on its events. The only importer of ansible_runner."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_runner.config.runner import RunnerConfig
from ansible_runner.runner import Runner

from pydock_installer.errors import PydockError
from pydock_installer.model import Secret

#: What of the caller's environment a run may see; everything else could change what it does, or hold a secret.
INHERITED = ("HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "TERM", "PATH")

ARTIFACTS = "artifacts"
#: While it is there, no task begins: site.yml asks for it.
STOP = "stop"


@dataclass(frozen=True)
class TaskEvent:
    """One task on one host. ``kind`` is ``started ok failed unreachable skipped``; ``seconds`` 0 when started."""

    host: str
    task: str
    kind: str
    result: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: ``successful failed canceled`` and the last of what Ansible printed."""

    status: str
    output: str


_KINDS = {
    "runner_on_start": "started",
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}


_MORTAL = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"


def begin_nothing_new(tree: Path) -> None:
    """Tasks that run in this tree go on, and no other one begins."""
    (tree / STOP).touch(0o600)


def begin_again(tree: Path) -> None:
    """Take that back."""
    (tree / STOP).unlink(missing_ok=True)


def require_programs(password_login: bool) -> None:
    """Raises PydockError if a program is missing through which Ansible logs in."""
    for program in ("ssh", "sshpass") if password_login else ("ssh",):
        if not shutil.which(program):
            why = "logs in with passwords" if program == "sshpass" else "reaches hosts"
            package = program if program == "sshpass" else "openssh-client (openssh-clients on RPM systems)"
            raise PydockError(
                f"Ansible {why} through the program {program}, which this machine does not have",
                f"Install {package} here and run again; nothing was changed on any host.",
            )


def run(
    tree: Path,
    answers: Mapping[str, Secret],
    on_event: Callable[[TaskEvent], None],
    cancelled: Callable[[], bool],
    verbosity: int = 0,
    part: str = "run",
    only: Sequence[str] = (),
) -> RunEnd:
    """Run ``site.yml`` of a run tree, on all its hosts or on ``only`` these; ``part`` names its artifacts.

    ``answers`` are the passwords by the text of their prompt: they go to Ansible's terminal, never to a file.
    ``cancelled`` is asked about once a second; once true, Ansible and its connections are killed, and each host ends
    the step that it is at. If this process dies, so do they.
    """
    config = RunnerConfig(
        private_data_dir=str(tree),
        project_dir=str(tree),
        artifact_dir=str(tree / ARTIFACTS),
        ident=part,
        limit=_limit(tree, part, only),
        playbook="site.yml",
        inventory=str(tree / "inventory"),
        passwords={rf"{re.escape(text)}:\s*$": secret.reveal() for text, secret in answers.items()},
        settings={"pexpect_timeout": 1, "suppress_ansible_output": True},
        suppress_env_files=True,
        verbosity=verbosity or None,
        quiet=True,
    )

    def on_runner_event(event: Mapping[str, Any]) -> bool:
        if task := _task_event(event):
            on_event(task)
        return task is not None

    config.prepare()
    config.env = _environment(config.env, tree)
    # The runner has Ansible ignore the end of its terminal, and so outlive us.
    config.command = [sys.executable, "-I", "-S", "-c", _MORTAL, *config.command]
    runner = Runner(config, event_handler=on_runner_event, cancel_callback=cancelled)
    try:
        runner.run()
    finally:
        # Runner keeps the command with its whole environment there.
        (tree / ARTIFACTS / part / "command").unlink(missing_ok=True)
    return RunEnd(str(runner.status), _tail(tree / ARTIFACTS / part / "stdout"))


def _limit(tree: Path, part: str, only: Sequence[str]) -> str | None:
    """Names go to Ansible in a file, where none is taken for a pattern."""
    if not only:
        return None
    path = tree / f"{part}.hosts"
    path.write_text("".join(f"{name}\n" for name in only), encoding="utf-8")
    return f"@{path}"


def _environment(prepared: Mapping[str, str], tree: Path) -> dict[str, str]:
    """The child's environment: the runner's own variables and a short list of the caller's."""
    own = {name: value for name, value in prepared.items() if os.environ.get(name) != value}
    inherited = {name: value for name in INHERITED if (value := os.environ.get(name)) is not None}
    tools = str(Path(sys.executable).parent)
    return {
        **inherited,
        **own,
        "PATH": f"{tools}:{inherited.get('PATH', os.defpath)}",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(tree / "ansible.cfg"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_NOCOLOR": "1",
    }


def _task_event(event: Mapping[str, Any]) -> TaskEvent | None:
    kind = _KINDS.get(str(event.get("event")))
    data = event.get("event_data")
    if kind is None or not isinstance(data, Mapping) or "host" not in data:
        return None
    result = data.get("res")
    return TaskEvent(
        host=str(data["host"]),
        task=str(data.get("role") or data.get("task", "")),
        kind=kind,
        result=result if isinstance(result, Mapping) else {},
        seconds=float(data.get("duration") or 0.0),
    )


def _tail(path: Path, size: int = 4000) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - size))
            return stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
