"""Settings: pydock.yml, the environment and flags, checked before anything is contacted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from pydock_installer import setting_values
from pydock_installer.errors import SettingsError
from pydock_installer.model import Secret
from pydock_installer.setting_parts import (
    Checks,
    EngineProxy,
    Legacy,
    Part,
    Rollout,
    Runs,
    Ssh,
    Verify,
    a_list,
)
from pydock_installer.setting_values import address as address  # noqa: PLC0414 - others take it from here
from pydock_installer.suggest import hint
from pydock_installer.yaml_file import Document, read

DEFAULT_FILE = "pydock.yml"
#: Variables of the lab and its tests, which are no settings.
NOT_SETTINGS = ("PYDOCK_LAB", "PYDOCK_BENCH", "PYDOCK_GOLDEN", "PYDOCK_MOLECULE")
#: The value of verify.image that stands for an image that the role makes itself.
BUILTIN_IMAGE = "builtin"
DOCKER_KEY = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"


def _version(text: Any) -> str:
    if isinstance(text, float):
        raise ValueError('write it in quotes, as "20.10": to YAML it is a number, and loses its last zero')
    version = str(text).strip().removeprefix("v")
    if version == "latest" or re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", version):
        return version
    raise ValueError(
        f"{text} is not a version: write latest, 26, 26.1 or 20.10.23 (without epoch and release)"
    )


def _normal_mirrors(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address(mirror, "the address of a mirror") for mirror in mirrors))


@cache
def daemon_keys() -> tuple[str, ...]:
    """The keys of daemon.json that some engine knows."""
    text = resources.files(__package__).joinpath("daemon_keys.yml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text))


def _daemon(settings: dict[str, Any]) -> dict[str, Any]:
    for key, value in settings.items():
        if key == "registry-mirrors":
            raise ValueError("registry-mirrors has a setting of its own: registry_mirrors")
        if key in ("hosts", "containerd"):
            raise ValueError(
                f"{key} clashes with the flags of docker's own service unit: the engine would not start"
            )
        if key not in daemon_keys() and (near := hint(key, daemon_keys())):
            raise ValueError(f"dockerd knows no {key}{near}")
        if key == "log-opts" and isinstance(value, dict):
            for name, option in value.items():
                if not isinstance(option, str):
                    raise ValueError(f'log-opts.{name} must be a text: write "{option}" in quotes')
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise ValueError(f"{key} holds a value that JSON does not know; write it in quotes") from None
    return settings


class Settings(Part):
    """All settings; docs/settings.md tells more on each."""

    repository: Annotated[str, AfterValidator(setting_values.repository)] = Field(
        "auto", description="Where packages come from."
    )
    repository_key: Annotated[str, BeforeValidator(setting_values.fingerprint)] = Field(
        DOCKER_KEY, description="Fingerprint of the key that signs the packages."
    )
    repository_scope: Literal["fleet", "host"] = Field(
        "fleet", description="Whether auto chooses one mirror for the fleet or one for each host."
    )
    package_proxy: Annotated[str, AfterValidator(setting_values.proxy)] | None = Field(
        None, description="An HTTP proxy on the way to Docker's packages."
    )
    repair_base_repositories: bool = Field(
        False, description="Point the repository files of an ended release to its archive."
    )
    share_packages: bool = Field(
        False, description="Fetch each package once, here, and hand it to the hosts over SSH."
    )
    downloads: int = Field(32, ge=1, le=512, description="Hosts that fetch packages at a time.")
    docker_version: Annotated[str, BeforeValidator(_version)] = Field(
        "latest", description="The engine wanted."
    )
    hold: bool = Field(False, description="Whether `yum update` is kept from Docker's packages.")
    lock_file: Path | None = Field(
        None, description="Exact packages to follow; pydock.lock beside this file."
    )
    compilers: bool = Field(True, description="gcc and gcc-c++.")
    registry_mirrors: Annotated[tuple[str, ...], BeforeValidator(a_list), AfterValidator(_normal_mirrors)] = (
        Field((), description="Registry accelerators, in order.")
    )
    daemon: Annotated[dict[str, Any], AfterValidator(_daemon)] = Field(
        {}, description="Other keys of daemon.json."
    )
    engine_proxy: EngineProxy | None = Field(
        None, description="The engine's HTTP proxy; without it a host keeps what it has."
    )
    verify: Verify = Verify()
    ssh: Ssh = Ssh()
    checks: Checks = Checks()
    rollout: Rollout = Rollout()
    runs: Runs = Runs()
    legacy: Legacy = Legacy()
    inventory: Path | None = Field(None, description="The inventory when none is named.")
    forks: int = Field(32, ge=1, le=512, description="Hosts at a time.")
    time_limit: int = Field(3600, ge=5, le=86400, description="Seconds that the work on one host may take.")

    @model_validator(mode="after")
    def _one_place(self) -> Settings:
        if self.engine_proxy and self.engine_proxy.values_by_key() and self.daemon.get("proxies"):
            raise ValueError(
                "the engine's proxy is set twice, as engine_proxy and as daemon.proxies: keep the first"
            )
        return self

    def legacy_settings(self) -> dict[str, Any]:
        """What the options of engine 1.7.1 are made of: the proxy under daemon.json's name for it."""
        proxies = {
            # A secret stays behind: what is told of it is that it is one.
            name.replace("_", "-"): "***@" if isinstance(value, Secret) else value
            for name, value in (self.engine_proxy.values_by_key() if self.engine_proxy else {}).items()
        }
        return {**self.daemon_settings(), **({"proxies": proxies} if proxies else {})}

    def daemon_settings(self) -> dict[str, Any]:
        """What goes into daemon.json."""
        mirrors = {"registry-mirrors": list(self.registry_mirrors)} if self.registry_mirrors else {}
        return {**self.daemon, **mirrors}


def load(
    config: Path | None,
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    directory: Path,
    flag_names: Mapping[str, str] | None = None,
) -> Settings:
    """Flags before environment before file before defaults. Raises SettingsError, one line per problem.

    ``flags`` are values by the path of their setting; ``flag_names`` are the flags themselves, for messages.
    """
    path = config or directory / DEFAULT_FILE
    document = read(path, SettingsError) if config or path.exists() else Document(str(path), {}, {})
    # A key with nothing behind it, all its entries commented out, is not set.
    given = {key: value for key, value in document.values.items() if value is not None}
    values = _merged(given, _from_environment(environment))
    values = _merged(values, _nested(flags))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        named = {path: (flag_names or {}).get(path, f"--{path}") for path in flags}
        lines = dict.fromkeys(_sentence(problem, document, named, environment) for problem in error.errors())
        raise SettingsError("\n".join(lines), "docs/settings.md tells what each setting may be.") from None
    return _anchored(settings, path.parent, flags, document)


def parts() -> dict[str, type[BaseModel]]:
    """The settings that are mappings of a fixed form, by their name."""
    found = {name: _part(field.annotation) for name, field in Settings.model_fields.items()}
    return {name: part for name, part in found.items() if part}


def _part(annotation: Any) -> type[BaseModel] | None:
    """The mapping that a setting is, also where it may be left out."""
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, Part)), None)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of pydock.yml."""
    return Settings.model_json_schema()


def _anchored(settings: Settings, base: Path, flags: Mapping[str, object], document: Document) -> Settings:
    """Paths in a file are relative to that file; on the command line they are the shell's."""

    def anchored(path: Path, name: str) -> Path:
        try:
            return (Path() if name in flags else base) / path.expanduser()
        except (RuntimeError, ValueError):
            place = document.place(tuple(name.split(".")))
            raise SettingsError(
                f"{place}: {name}: {path} is no path: that home is nobody's", "Write it out."
            ) from None

    changes: dict[str, Any] = {}
    if settings.lock_file:
        changes["lock_file"] = anchored(settings.lock_file, "lock_file")
    if settings.inventory:
        changes["inventory"] = anchored(settings.inventory, "inventory")
    if settings.ssh.config:
        config = anchored(settings.ssh.config, "ssh.config")
        changes["ssh"] = settings.ssh.model_copy(update={"config": config})
    return settings.model_copy(update=changes)


def _nested(flat: Mapping[str, object]) -> dict[str, Any]:
    """``{"ssh.timeout": 20}`` -> ``{"ssh": {"timeout": 20}}``; what is named more closely counts more."""
    nested: dict[str, Any] = {}
    for path in sorted(flat, key=lambda name: (name.count("."), name)):
        entry: Any = flat[path]
        for key in reversed(path.split(".")):
            entry = {key: entry}
        nested = _merged(nested, entry)
    return nested


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """PYDOCK_SSH__TIMEOUT=20 is ssh.timeout; lists and mappings are YAML."""
    found: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith("PYDOCK_") or name.startswith(NOT_SETTINGS):
            continue
        path = name.removeprefix("PYDOCK_").lower().replace("__", ".")
        try:
            # A text stays as it was typed: 20.10 is a version, not a number.
            found[path] = yaml.safe_load(text) if text.startswith(("[", "{")) else text
        except (yaml.YAMLError, ValueError, RecursionError):
            raise SettingsError(
                f"{name}: {text[:80]} begins as a list or mapping of YAML, and is none",
                "Close its brackets; write texts in quotes.",
            ) from None
    return _nested(found)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key, {})
        if isinstance(value, dict):
            # What is no mapping stays, to be complained about.
            merged[key] = _merged(old, value) if isinstance(old, dict) else old
        else:
            merged[key] = value
    return merged


def _sentence(
    problem: Any, document: Document, flags: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    location = tuple(str(part) for part in problem["loc"])
    path = ".".join(location)
    place = _place(location, document, flags, environment)
    if problem["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        return f"{place}: unknown setting {path}{hint(path, known) or hint(location[-1], known)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] != "value_error":
        # An address may be in the wrong place, and its password is nobody's all the same.
        given = re.sub(r"(?<=://)[^\s]*@", "***@", repr(problem["input"]))
        message = f"{message[0].lower()}{message[1:]}, not {given}"
    return f"{place}: {path + ': ' if path and path not in flags else ''}{message}"


def _place(
    location: tuple[str, ...], document: Document, flags: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    """The flag, the variable or the line that a value comes from."""
    for length in range(len(location), 0, -1):
        path = ".".join(location[:length])
        variable = "PYDOCK_" + path.upper().replace(".", "__")
        if path in flags:
            return flags[path]
        if variable in environment:
            return variable
        if document.lines.get(location[:length]):
            break
    return document.place(location)


def _keys(parents: tuple[str, ...]) -> list[str]:
    """Known settings by their path, those beside the unknown one first."""
    nested = parts()
    inner = [f"{name}.{key}" for name, part in nested.items() for key in part.model_fields]
    if parents and parents[0] in nested:
        return [*inner, *nested[parents[0]].model_fields]
    return [*Settings.model_fields, *inner]
