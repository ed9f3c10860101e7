"""The flags that commands share, and the request that they become. Light: imports nothing slow."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pydock_installer.errors import SettingsError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.lock import Lock
    from pydock_installer.settings import Settings
    from pydock_installer.workflows.request import Request


@dataclass(frozen=True)
class Typed:
    """The command as it was typed, and the hosts to which ``runs retry`` narrows it."""

    arguments: tuple[str, ...] = ()
    only: frozenset[str] | None = None


Command = TypeVar("Command", bound=Callable[..., Any])

#: Flags that are settings: the option's name and the path of its key, or of its keys.
SETTINGS = {
    "repository": "repository",
    "repository_key": "repository_key",
    "package_proxy": "package_proxy",
    "repair_base_repositories": "repair_base_repositories",
    "share_packages": "share_packages",
    "docker_version": "docker_version",
    "hold": "hold",
    "lock_file": "lock_file",
    "compilers": "compilers",
    "registry_mirror": "registry_mirrors",
    "engine_proxy": "engine_proxy.http_proxy engine_proxy.https_proxy",
    "engine_no_proxy": "engine_proxy.no_proxy",
    "verify_image": "verify.image",
    "ssh_config": "ssh.config",
    "host_key_policy": "ssh.host_key_policy",
    "timeout": "ssh.timeout",
    "retries": "ssh.retries",
    "forks": "forks",
    "time_limit": "time_limit",
    "skip": "checks.skip",
    "canary": "rollout.canary",
    "batch": "rollout.batch",
    "pause": "rollout.pause",
    "max_failures": "rollout.max_failures",
}

#: The flag of each setting that has one, as it is typed.
FLAG_NAMES = {
    path: f"--{name.replace('_', '-')}" for name, paths in SETTINGS.items() for path in paths.split()
}


def _apply(decorators: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def output_options() -> Callable[[Command], Command]:
    """How a command speaks."""
    return _apply(
        [
            click.option(
                "--json", "as_json", is_flag=True, help="Print one JSON document on stdout (docs/json.md)."
            ),
            click.option("--no-color", is_flag=True, help="Plain text; also NO_COLOR in the environment."),
            click.option("--log", metavar="FILE", help="Also write all that is said into FILE, with times."),
            click.option("-v", "--verbose", count=True, help="Say more; repeat for Ansible's own verbosity."),
        ]
    )


def spoken(arguments: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """A command line that also speaks as ``options`` of another command want it."""
    flags = ["--json"] * options["as_json"] + ["--no-color"] * options["no_color"]
    flags += ["--log", options["log"]] if options["log"] else []
    flags += ["-v"] * options["verbose"]
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    return [*words[:end], *flags, *words[end:]]


def host_options(metavar: str = "[HOST]...") -> Callable[[Command], Command]:
    """Which hosts, and how to log in to them. ``metavar``: what the words of the command line are."""
    return _apply(
        [
            click.argument("hosts", nargs=-1, metavar=metavar),
            click.option(
                "-i", "--inventory", multiple=True, metavar="PATH", help="Ansible inventory; repeatable."
            ),
            click.option(
                "-l", "--limit", metavar="PATTERN", help="Only the hosts that match, as in Ansible."
            ),
            click.option("-c", "--config", metavar="FILE", help="Settings file; by default pydock.yml here."),
            click.option("-u", "--user", metavar="NAME", help="Log in as this user."),
            click.option("-k", "--ask-pass", is_flag=True, help="Ask for the SSH password."),
            click.option("-K", "--ask-become-pass", is_flag=True, help="Ask for the sudo password."),
            click.option("-f", "--forks", metavar="N", help="Hosts at a time (default 32)."),
            click.option("--ssh-config", metavar="FILE", help="As `ssh -F`; by default ~/.ssh/config."),
            click.option(
                "--host-key-policy",
                metavar="POLICY",
                help="strict (default): refuse unknown keys; or accept-new.",
            ),
            click.option("--timeout", metavar="SECONDS", help="For connecting and logging in (default 10)."),
            click.option(
                "--retries", metavar="N", help="Further tries if a host is out of reach (default 2)."
            ),
            output_options(),
        ]
    )


def work_options() -> Callable[[Command], Command]:
    """How long the work on a host may take, and whose turn it is there."""
    return _apply(
        [
            click.option("--time-limit", metavar="SECONDS", help="For the work on one host (default 3600)."),
            click.option(
                "--break-lock", is_flag=True, help="Take over hosts on which another run is at work."
            ),
        ]
    )


def restart_option() -> Callable[[Command], Command]:
    """The word for what stops containers."""
    return click.option(
        "--restart",
        is_flag=True,
        help="Restart Docker where it must, also where that stops running containers.",
    )


def wish_options() -> Callable[[Command], Command]:
    """What Docker is to be on the hosts."""
    return _apply(
        [
            click.option(
                "--repository",
                metavar="NAME|URL",
                help="auto, official, aliyun, tuna, ustc, tencent, huawei, or an address.",
            ),
            click.option(
                "--repository-key", metavar="FINGERPRINT", help="Of the key that signs the packages."
            ),
            click.option(
                "--package-proxy", metavar="URL", help="HTTP proxy on the way to Docker's packages."
            ),
            click.option(
                "--repair-base-repositories/--no-repair-base-repositories",
                default=None,
                help="Point repository files of an ended release (6, 7, 8, Stream 8) to its archive.",
            ),
            click.option(
                "--share-packages/--no-share-packages",
                default=None,
                help="Fetch each package once, here, and hand it to the hosts over SSH.",
            ),
            click.option("--docker-version", metavar="VERSION", help="latest, 26, 26.1 or 20.10.23."),
            click.option("--hold/--no-hold", default=None, help="Keep `yum update` from Docker's packages."),
            click.option(
                "--lock-file", metavar="FILE", help="Exact packages to follow (default: pydock.lock)."
            ),
            click.option(
                "--compilers/--no-compilers", default=None, help="Install gcc and gcc-c++ (default: yes)."
            ),
            click.option(
                "--registry-mirror",
                multiple=True,
                metavar="URL",
                help="Registry accelerator; repeatable, in order.",
            ),
            click.option(
                "--engine-proxy",
                metavar="URL",
                help="HTTP proxy of the engine itself, for http and https; '' takes pydock's away.",
            ),
            click.option("--engine-no-proxy", metavar="NAME,...", help="What the engine reaches without it."),
            click.option(
                "--verify-image", metavar="IMAGE", help="What proves Docker: hello-world, or builtin."
            ),
            click.option("--skip", metavar="CODE,...", help="Pass these checks over."),
            restart_option(),
            click.option(
                "--replace-podman", is_flag=True, help="Remove podman and runc where they are in the way."
            ),
        ]
    )


def upgrade_option() -> Callable[[Command], Command]:
    """How far a change of the engine goes."""
    return click.option(
        "--upgrade",
        is_flag=True,
        help="Bring the newest engine that docker_version allows, all of its set.",
    )


def rollout_options() -> Callable[[Command], Command]:
    """In which order, and how carefully."""
    return _apply(
        [
            click.option("--canary", metavar="N", help="Change N hosts first, alone."),
            click.option("--batch", metavar="N|P%", help="Then so many at a time (default: all)."),
            click.option("--pause", metavar="SECONDS|ask", help="Between batches; or ask before each."),
            click.option(
                "--max-failures",
                metavar="N|P%",
                help="Leave the rest untouched after more failures (in batches: 0).",
            ),
        ]
    )


def console(options: Mapping[str, Any]) -> Console:
    """The terminal, as the flags want it."""
    from pydock_installer.cli.console import Console

    return Console(
        json=options["as_json"],
        no_color=options["no_color"],
        verbose=options["verbose"],
        log=options["log"],
    )


def request(options: Mapping[str, Any], talk: Console, follow: bool = True) -> Request:
    """Everything a workflow needs, checked before anything is contacted. ``follow``: whether a lock file counts."""
    from pydock_installer import fleet, settings
    from pydock_installer.errors import UsageError
    from pydock_installer.history import Invocation
    from pydock_installer.model import Secret
    from pydock_installer.planner import Wishes
    from pydock_installer.workflows.request import Request

    given = {path: options.get(name) for name, paths in SETTINGS.items() for path in paths.split()}
    if "@" in (options.get("engine_proxy") or ""):
        raise SettingsError(
            "--engine-proxy: a password on the command line is seen by everybody on this machine",
            "Write it into pydock.yml (engine_proxy), or into PYDOCK_ENGINE_PROXY__HTTPS_PROXY.",
        )
    flags = {path: list(v) if isinstance(v, tuple) else v for path, v in given.items() if v not in (None, ())}
    config = options["config"]
    here = Path.cwd()
    chosen = settings.load(Path(config) if config else None, flags, os.environ, here, FLAG_NAMES)
    password = talk.password("SSH password: ") if options["ask_pass"] else None
    become = None
    if options["ask_become_pass"]:
        text = "sudo password" + (" (empty: the SSH password)" if password else "") + ": "
        become = talk.password(text)
        become = password if password and not become.reveal() else become
    login = fleet.Login(options["user"], password, become)
    hosts = fleet.choose(
        options["hosts"], options["inventory"], options["limit"], login, here, chosen.inventory
    )
    talk.mask(secret for host in hosts for secret in (host.password, host.become_password))
    proxies = chosen.engine_proxy.values_by_key().values() if chosen.engine_proxy else ()
    talk.mask(value for value in proxies if isinstance(value, Secret))
    typed = click.get_current_context().find_object(Typed) or Typed()
    if typed.only is not None:
        hosts = tuple(host for host in hosts if host.name in typed.only)
        if gone := typed.only - {host.name for host in hosts}:
            raise UsageError(
                f"{', '.join(sorted(gone))} of that run {'is' if len(gone) == 1 else 'are'} no longer in the inventory",
                "Put them back, or type the command for the others yourself.",
            )
    return Request(
        hosts=hosts,
        narrowed=bool(options["hosts"] or options["limit"] or typed.only is not None),
        settings=chosen,
        wishes=Wishes(
            replace_podman=bool(options.get("replace_podman")),
            restart=bool(options.get("restart")),
            upgrade=bool(options.get("upgrade")),
            lock=_lock(lock_path(options, chosen), chosen.lock_file is not None, options, talk)
            if follow
            else None,
            verify=bool(options.get("verify")),
        ),
        yes=bool(options.get("yes")),
        keep_going=bool(options.get("keep_going")),
        break_lock=bool(options.get("break_lock")),
        verbosity=options["verbose"],
        invocation=Invocation(typed.arguments, str(here)),
    )


def lock_path(options: Mapping[str, Any], settings: Settings) -> Path:
    """Where the lock file is: the setting, or pydock.lock beside the settings file."""
    from pydock_installer.lock import DEFAULT_FILE

    config = options["config"]
    return settings.lock_file or (Path(config).parent if config else Path.cwd()) / DEFAULT_FILE


def _lock(path: Path, named: bool, options: Mapping[str, Any], talk: Console) -> Lock | None:
    """The lock file that counts: none where there is none, nor where the command line asks for something else."""
    if not path.exists():
        if named:
            raise SettingsError(f"{path} is not there", "`pydock lock` writes it; or leave lock_file out.")
        return None
    from pydock_installer.lock import read

    for flag in ("docker_version", "upgrade"):
        if options.get(flag):
            talk.note(f"{path.name} is not followed: --{flag.replace('_', '-')} was given.")
            return None
    return read(path)
