"""Settings: pydock.yml, the environment and flags, checked before anything is contacted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from pydock_installer import explanations, setting_values
from pydock_installer.errors import SettingsError
from pydock_installer.setting_values import address as address  # noqa: PLC0414 - others take it from here
from pydock_installer.suggest import hint
from pydock_installer.yaml_file import Document, read

DEFAULT_FILE = "pydock.yml"
#: Variables of the lab and its tests, which are no settings.
NOT_SETTINGS = ("PYDOCK_LAB", "PYDOCK_BENCH", "PYDOCK_GOLDEN", "PYDOCK_MOLECULE")
#: The value of verify.image that stands for an image that the role makes itself.
BUILTIN_IMAGE = "builtin"
DOCKER_KEY = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
#: EPEL 6 (fedoraproject.org, keys): 0608B895.
EPEL_KEY = "8C3BE96AF2309184DA5C0DAE3B49DF2A0608B895"


def _version(text: Any) -> str:
    if isinstance(text, float):
        raise ValueError('write it in quotes, as "20.10": to YAML it is a number, and loses its last zero')
    version = str(text).strip().removeprefix("v")
    if version == "latest" or re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", version):
        return version
    raise ValueError(
        f"{text} is not a version: write latest, 26, 26.1 or 20.10.23 (without epoch and release)"
    )


def _mirrors(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"wants a list: [{value}]")
    return value


def _normal_mirrors(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address(mirror, "the address of a mirror") for mirror in mirrors))


def _image(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", text):
        raise ValueError(f"{text} is not the name of an image")
    return text


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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Verify(_Part):
    """What proves a host."""

    image: Annotated[str, AfterValidator(_image)] = Field(
        "hello-world", description="The image that is run; builtin needs no registry."
    )


class Ssh(_Part):
    """How hosts are reached."""

    host_key_policy: Literal["strict", "accept-new"] = Field(
        "strict", description="What to do about unknown keys."
    )
    timeout: float = Field(10, gt=0, le=600, description="Seconds, for connecting and for logging in.")
    retries: int = Field(
        2, ge=0, le=10, description="Further tries where a host is out of reach or its connection breaks."
    )
    config: Path | None = Field(None, description="An ssh configuration file, as `ssh -F`.")


def _codes(value: Any) -> Any:
    """A list of codes, or a text with commas between them; each must be one that there is."""
    codes = value.split(",") if isinstance(value, str) else value
    if isinstance(codes, list | tuple) and len(codes) == 1 and isinstance(codes[0], str):
        codes = codes[0].split(",")
    return codes


def _known_codes(names: Any) -> Any:
    known = explanations.codes()
    for name in names:
        if name not in known:
            raise ValueError(f"there is no check {name}{hint(name, known)}; `pydock explain` lists them")
    return names


class Checks(_Part):
    """Which checks count, and how much."""

    skip: Annotated[tuple[str, ...], BeforeValidator(_codes), AfterValidator(_known_codes)] = Field(
        (), description="Codes that are passed over."
    )
    severity: Annotated[dict[str, Literal["ok", "warning", "blocker"]], AfterValidator(_known_codes)] = Field(
        {}, description="How much a finding weighs, by its code, where something was found."
    )


def _amount(value: Any) -> Any:
    """A number of hosts, or a share of them."""
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,5}|[0-9]{1,2}%|100%", text):
        raise ValueError(f"{value} is neither a number of hosts nor a share like 25%")
    return text


def _pause(value: Any) -> Any:
    """Seconds, or the word for a question."""
    if value == "ask":
        return value
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 <= seconds <= 86400:
        raise ValueError(f"{value} is neither a number of seconds nor ask")
    return seconds


class Rollout(_Part):
    """In which order and how carefully hosts are changed."""

    order: Annotated[tuple[str, ...], BeforeValidator(_mirrors)] = Field(
        (), description="Groups of the inventory, one after the other; other hosts come last."
    )
    canary: int = Field(0, ge=0, le=100000, description="So many hosts go first, alone.")
    batch: Annotated[str, BeforeValidator(_amount)] = Field(
        "0", description="So many hosts at a time, or a share of all; 0 is all."
    )
    pause: Annotated[float | Literal["ask"], BeforeValidator(_pause)] = Field(
        0.0, description="Seconds between batches, or ask."
    )
    max_failures: Annotated[str, BeforeValidator(_amount)] | None = Field(
        None, description="After more failures than this the rest is left untouched."
    )


class Legacy(_Part):
    """Where release 6 gets Docker from."""

    epel: Annotated[str, AfterValidator(setting_values.epel)] = Field(
        "auto", description="The archive of EPEL."
    )
    epel_key: Annotated[str, BeforeValidator(setting_values.fingerprint)] = Field(
        EPEL_KEY, description="Fingerprint of the key that signs EPEL 6."
    )


class Runs(_Part):
    """How long runs are kept."""

    keep: int = Field(200, ge=1, le=100000, description="The newest so many.")
    days: int = Field(180, ge=1, le=36500, description="Not longer than so many days.")


class Settings(_Part):
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
    docker_version: Annotated[str, BeforeValidator(_version)] = Field(
        "latest", description="The engine wanted."
    )
    hold: bool = Field(False, description="Whether `yum update` is kept from Docker's packages.")
    lock_file: Path | None = Field(
        None, description="Exact packages to follow; pydock.lock beside this file."
    )
    compilers: bool = Field(True, description="gcc and gcc-c++.")
    registry_mirrors: Annotated[
        tuple[str, ...], BeforeValidator(_mirrors), AfterValidator(_normal_mirrors)
    ] = Field((), description="Registry accelerators, in order.")
    daemon: Annotated[dict[str, Any], AfterValidator(_daemon)] = Field(
        {}, description="Other keys of daemon.json."
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
        lines = [_sentence(problem, document, named, environment) for problem in error.errors()]
        raise SettingsError("\n".join(lines), "docs/settings.md tells what each setting may be.") from None
    return _anchored(settings, path.parent, flags, document)


def parts() -> dict[str, type[BaseModel]]:
    """The settings that are mappings of a fixed form, by their name."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Part)
    }


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
        message = f"{message[0].lower()}{message[1:]}, not {problem['input']!r}"
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
