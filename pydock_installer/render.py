"""From a plan to a run tree: every file as text, ready to be written. Pure but for reading what pydock ships."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from pydock_installer import __version__, content, legacy_report
from pydock_installer.model import Host, HostPlan, Plan, Secret
from pydock_installer.settings import Settings

#: Which role does which step of a plan, in the order in which they run.
ROLE_OF_STEP = {
    "base-repositories": "docker_repositories",
    "repository": "docker_repositories",
    "remove": "docker_packages",
    "compilers": "docker_packages",
    "tools": "docker_packages",
    "engine": "docker_packages",
    # Before the engine's settings where those are put back, too.
    "distribution-packages": "docker_restore",
    "restore": "docker_restore",
    "settings": "docker_daemon",
    "proxy": "docker_daemon",
    "service": "docker_daemon",
    "proof": "docker_verify",
    "stop": "docker_absent",
    "packages": "docker_absent",
    "network": "docker_absent",
    "firewall": "docker_absent",
    "data": "docker_absent",
    "system": "docker_absent",
    "config": "docker_absent",
}

#: The files of a role that a tree carries.
SHIPPED = {".py", ".yml", ".md", ".j2", ".sh", ".txt", ".base64"}
#: The roles whose work is done in one task where a host needs several of them, in that order; the role that does it.
PARTS = ("docker_repositories", "docker_packages", "docker_daemon", "docker_verify")
WHOLE_ROLE = "docker_apply"
#: What the modules of the others import.
SHARED_ROLE = "docker_host"
#: Seconds that a host has to end by itself what has run into its limit.
SLACK = 900
#: What can take packages from the controller while pydock runs, and the file that says how; no part of a tree.
SHARING_ROLE = "docker_packages"
SHARING_FILE = "inventory/sharing.yml"
#: The roles whose work on a host begins with downloads.
DOWNLOADING = (WHOLE_ROLE, "docker_repositories", SHARING_ROLE, legacy_report.ROLES[0])


@dataclass(frozen=True)
class Prompt:
    """A password that the playbook asks for: the variable it lands in, the question, the answer."""

    variable: str
    text: str
    secret: Secret


@dataclass(frozen=True)
class Sender:
    """Who sends a run, for those whom it keeps from a host: its id, a person, a command."""

    run: str = ""
    owner: str = ""
    command: str = ""
    break_lock: bool = False


@dataclass(frozen=True)
class RunTree:
    """A run, ready to be written: files by path, and the prompts that will want an answer."""

    files: Mapping[str, str]
    prompts: tuple[Prompt, ...]


NOBODY = Sender()


class _Unsafe(str):
    """Text that Ansible must never template."""

    __slots__ = ()


class _Template(str):
    """Text of ours that Ansible is to template."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"')
)
_Dumper.add_representer(
    _Template, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text)
)


def to_yaml(value: Any) -> str:
    """YAML for Ansible, in which every string is ``!unsafe``: braces in data stay braces."""
    return yaml.dump(_guard(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def _guard(value: Any) -> Any:
    if isinstance(value, _Template):
        return value
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, Mapping):
        return {str(key): _guard(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_guard(entry) for entry in value]
    return value


def render(plan: Plan, settings: Settings, sender: Sender = NOBODY) -> RunTree:
    """The run tree for those hosts of a plan that need something done."""
    hosts = [entry for entry in plan.hosts if entry.steps]
    prompts = _prompts(hosts)
    variables = {id(prompt.secret): prompt.variable for prompt in prompts}
    order = [WHOLE_ROLE, *ROLE_OF_STEP.values(), *legacy_report.ROLES]
    roles = sorted({role for entry in hosts for role in tasks_of(entry)}, key=order.index)
    inventory = {
        "docker": {
            "hosts": {
                entry.host.name: _variables(entry, variables, settings.share_packages) for entry in hosts
            }
        },
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(content.root() / "templates" / "run"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - YAML and INI, not HTML; data goes through the YAML dumper
    )
    environment.filters["to_yaml_string"] = json.dumps
    environment.filters["to_yaml"] = to_yaml
    values = {
        "version": __version__,
        "strategy": "ansible.builtin.free",
        "prompts": prompts,
        "roles": roles,
        "module_utils": [f"roles/{role}/module_utils" for role in PARTS] if WHOLE_ROLE in roles else [],
        "forks": (forks := min(settings.forks, max(len(hosts), 1))),
        "throttled": {role: settings.downloads for role in DOWNLOADING if settings.downloads < forks},
        "timeout": round(settings.ssh.timeout),
        "turn": {**asdict(sender), "time_limit": settings.time_limit},
        # For what the host itself cannot end: a process that is stopped, a disk that hangs.
        "task_timeout": settings.time_limit + SLACK,
        "ssh_args": _ssh_arguments(settings),
        "control_path_dir": _control_path_dir(settings),
    }
    files = {
        name: environment.get_template(f"{name}.j2").render(values)
        for name in ("site.yml", "ansible.cfg", "README.md")
    }
    files["inventory/hosts.yml"] = f"---\n{to_yaml(inventory)}"
    # The script that takes Docker off release 6 begins as the one that installs it.
    more = legacy_report.ROLES[:1] if legacy_report.ROLES[1] in roles else ()
    for role in dict.fromkeys((SHARED_ROLE, *roles, *more)):
        files.update(_role_files(role))
    if WHOLE_ROLE in roles:
        for role in PARTS:
            files.update(_role_files(f"{role}/module_utils"))
    return RunTree(files, prompts)


def render_sharing(hosts: Mapping[str, Mapping[str, int]], here: int, there: int, secret: str) -> str:
    """The inventory that lets hosts take packages from port ``here`` of this machine, at their own port ``there``.

    ``hosts`` have the addresses in their repository files, and the number of the source of each.
    """
    # Where sshd forbids it, or the port is taken, the connection stands all the same.
    forward = shlex.join(
        ("-o", f"RemoteForward=127.0.0.1:{there} 127.0.0.1:{here}", "-o", "ExitOnForwardFailure=no")
    )
    variables = {
        name: {
            "ansible_ssh_common_args": forward,
            f"{SHARING_ROLE}_shared": {"port": there, "secret": secret, "sources": dict(sources)},
        }
        for name, sources in hosts.items()
    }
    return f"---\n{to_yaml({'docker': {'hosts': variables}})}"


def roles_of(entry: HostPlan) -> tuple[str, ...]:
    """The roles that do a host's steps, in the order in which they run."""
    if entry.role:
        return (entry.role,) if entry.steps else ()
    names = {step.name for step in entry.steps}
    return tuple(dict.fromkeys(role for step, role in ROLE_OF_STEP.items() if step in names))


def tasks_of(entry: HostPlan) -> tuple[str, ...]:
    """The roles that the tree runs for a host: one task, whatever it needs done."""
    roles = roles_of(entry)
    return (WHOLE_ROLE,) if len(roles) > 1 and set(roles) <= set(PARTS) else roles


def _variables(entry: HostPlan, secrets: Mapping[int, str], shared: bool) -> dict[str, Any]:
    host = entry.host
    connection: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_port": host.port,
        "ansible_ssh_private_key_file": host.identity_file,
        "ansible_ssh_extra_args": shlex.join(host.ssh_arguments) or None,
        "ansible_python_interpreter": host.interpreter,
        "ansible_password": _reference(host.password, secrets),
        "ansible_become_password": _reference(host.become_password, secrets),
    }
    roles = roles_of(entry)
    present = {name: value for name, value in connection.items() if value is not None}
    if tasks_of(entry) == (WHOLE_ROLE,):
        parts = {role: _options(role, entry) for role in roles}
        if shared and SHARING_ROLE in parts:
            parts[SHARING_ROLE]["shared"] = _Template(f"{{{{ {SHARING_ROLE}_shared | default({{}}) }}}}")
        told: dict[str, Any] = {f"{WHOLE_ROLE}_parts": parts}
        # Apart, so that Ansible can be told to keep them out of all that it says.
        hidden = {role: _options(role, entry, secret=True) for role in roles}
        if any(hidden.values()):
            told[f"{WHOLE_ROLE}_secrets"] = {role: options for role, options in hidden.items() if options}
    else:
        told = {name: value for name, value in entry.variables.items() if name.startswith(roles)}
    return {**present, "pydock_roles": list(tasks_of(entry)), **_with_references(told, secrets)}


def _options(role: str, entry: HostPlan, secret: bool = False) -> dict[str, Any]:
    """What the module of a role is told: the role's variables have the names of its options."""
    prefix = f"{role}_"
    return {
        name.removeprefix(prefix): value
        for name, value in entry.variables.items()
        if name.startswith(prefix) and any(_secrets_in(value)) is secret
    }


def _with_references(value: Any, secrets: Mapping[int, str]) -> Any:
    """What roles are told, with the name of a prompt's variable in place of each secret."""
    if isinstance(value, Secret):
        return _reference(value, secrets)
    if isinstance(value, Mapping):
        return {key: _with_references(entry, secrets) for key, entry in value.items()}
    return value


def _secrets_in(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _secrets_in(entry)


def _reference(secret: Secret | None, variables: Mapping[int, str]) -> _Template | None:
    return None if secret is None else _Template("{{ " + variables[id(secret)] + " }}")


def _prompts(hosts: Sequence[HostPlan]) -> tuple[Prompt, ...]:
    """One question per password, not per host: a password given once serves all its hosts."""
    users: dict[int, tuple[Secret, str, list[str]]] = {}
    for entry in hosts:
        for what, secret in (*_passwords(entry.host), *(("engine proxy", s) for s in _secrets_of(entry))):
            names = users.setdefault(id(secret), (secret, what, []))[2]
            if entry.host.name not in names:
                names.append(entry.host.name)
    return tuple(
        Prompt(f"pydock_secret_{number}", _question(number, what, names), secret)
        for number, (secret, what, names) in enumerate(users.values(), start=1)
    )


def _passwords(host: Host) -> Iterator[tuple[str, Secret]]:
    if host.password:
        yield "SSH", host.password
    if host.become_password and host.become_password is not host.password:
        yield "sudo", host.become_password


def _secrets_of(entry: HostPlan) -> Iterator[Secret]:
    """Those that its roles are told."""
    return _secrets_in({k: v for k, v in entry.variables.items() if k.startswith(roles_of(entry))})


def _question(number: int, what: str, names: Sequence[str]) -> str:
    """Short: ansible-runner recognises a prompt by the last hundred characters of output."""
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if len(some) > 60:
        some = f"{names[0][:30]}... and others ({number})"
    noun = "address" if what == "engine proxy" else "password"
    return f"{what} {noun} for {some}"


def _ssh_arguments(settings: Settings) -> str:
    """Options of the ssh program, as the probe was connected: strict host keys, one connection per host."""
    arguments = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60s"]
    # Without it, the end of a host whose network is gone is never noticed.
    arguments += [
        "-o",
        f"ServerAliveInterval={max(1, round(settings.ssh.timeout))}",
        "-o",
        "ServerAliveCountMax=3",
    ]
    policy = "accept-new" if settings.ssh.host_key_policy == "accept-new" else "yes"
    arguments += ["-o", f"StrictHostKeyChecking={policy}"]
    if settings.ssh.config:
        arguments = ["-F", str(Path(settings.ssh.config).expanduser().resolve()), *arguments]
    return shlex.join(arguments).replace("%", "%%")


def _control_path_dir(settings: Settings) -> str:
    """Where the sockets of shared connections are: short, and another place for another ssh configuration."""
    if not settings.ssh.config:
        return "~/.ansible/cp"
    path = str(Path(settings.ssh.config).expanduser().resolve())
    return f"~/.ansible/cp/{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def _role_files(role: str) -> Mapping[str, str]:
    top = content.root() / "roles"
    return {
        f"roles/{path.relative_to(top)}": path.read_text(encoding="utf-8")
        for path in sorted((top / role).rglob("*"))
        if path.is_file() and path.suffix in SHIPPED and "__pycache__" not in path.parts
    }
