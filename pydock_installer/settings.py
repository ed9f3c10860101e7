"""Settings: pydock.yml, the environment and flags, checked before anything is contacted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from pydock_installer import platforms
from pydock_installer.errors import SettingsError
from pydock_installer.suggest import hint
from pydock_installer.yaml_file import Document, read

DEFAULT_FILE = "pydock.yml"
DOCKER_KEY = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"


def _address(text: str, what: str) -> str:
    if "://" not in text:
        raise ValueError(f"{text} has no scheme: write https://{text}")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise ValueError(f"{text} is not an http or https address")
    if parts.username or parts.password:
        raise ValueError(f"{what} must not carry a user name or password")
    if parts.query or parts.fragment:
        raise ValueError(f"{text} must end before its ? or #")
    return text.rstrip("/")


def _repository(text: str) -> str:
    names = ("auto", *platforms.mirrors())
    if text in names:
        return text
    if "://" not in text and "." not in text:
        raise ValueError(f"{text} is none of {', '.join(names)}, and no address{hint(text, names)}")
    return _address(text, "the address of a repository")


def _fingerprint(text: Any) -> str:
    digits = re.sub(r"\s|^0x", "", str(text)).upper()
    if not re.fullmatch(r"[0-9A-F]{40}", digits):
        raise ValueError(f"{text} is not a fingerprint of 40 hexadecimal digits")
    return digits


def _version(text: Any) -> str:
    if isinstance(text, float):
        raise ValueError(f'{text} lost its last digits to YAML: write it in quotes, docker_version: "{text}"')
    version = str(text).strip().removeprefix("v")
    if version == "latest" or re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,2}", version):
        return version
    raise ValueError(
        f"{text} is not a version: write latest, 26, 26.1 or 20.10.23 (without epoch and release)"
    )


def _mirrors(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"wants a list: [{value}]")
    return value


def _normal_mirrors(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_address(mirror, "the address of a mirror") for mirror in mirrors))


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
    return settings


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Verify(_Part):
    """What proves a host."""

    image: Annotated[str, AfterValidator(_image)] = Field("hello-world", description="The image that is run.")


class Ssh(_Part):
    """How hosts are reached."""

    host_key_policy: Literal["strict", "accept-new"] = Field(
        "strict", description="What to do about unknown keys."
    )
    timeout: float = Field(10, gt=0, le=600, description="Seconds, for connecting and for logging in.")
    config: Path | None = Field(None, description="An ssh configuration file, as `ssh -F`.")


class Settings(_Part):
    """All settings; docs/settings.md tells more on each."""

    repository: Annotated[str, AfterValidator(_repository)] = Field(
        "auto", description="Where packages come from."
    )
    repository_key: Annotated[str, BeforeValidator(_fingerprint)] = Field(
        DOCKER_KEY, description="Fingerprint of the key that signs the packages."
    )
    docker_version: Annotated[str, BeforeValidator(_version)] = Field(
        "latest", description="The engine wanted."
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
    inventory: Path | None = Field(None, description="The inventory when none is named.")
    forks: int = Field(32, ge=1, le=512, description="Hosts at a time.")

    def daemon_settings(self) -> dict[str, Any]:
        """What goes into daemon.json."""
        mirrors = {"registry-mirrors": list(self.registry_mirrors)} if self.registry_mirrors else {}
        return {**self.daemon, **mirrors}


def load(
    config: Path | None, flags: Mapping[str, object], environment: Mapping[str, str], directory: Path
) -> Settings:
    """Flags before environment before file before defaults. Raises SettingsError, one line per problem."""
    path = config or directory / DEFAULT_FILE
    document = read(path, SettingsError) if config or path.exists() else Document(str(path), {}, {})
    values = _merged(document.values, _from_environment(environment))
    values = _merged(values, _nested(flags))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        lines = [_sentence(problem, document, flags, environment) for problem in error.errors()]
        raise SettingsError("\n".join(lines), "docs/settings.md tells what each setting may be.") from None
    return _anchored(settings, path.parent, flags)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of pydock.yml."""
    return Settings.model_json_schema()


def _anchored(settings: Settings, base: Path, flags: Mapping[str, object]) -> Settings:
    """Paths in a file are relative to that file."""
    changes: dict[str, Any] = {}
    if settings.inventory and not settings.inventory.expanduser().is_absolute():
        changes["inventory"] = base / settings.inventory
    if settings.ssh.config and "ssh.config" not in flags:
        path = settings.ssh.config.expanduser()
        changes["ssh"] = settings.ssh.model_copy(
            update={"config": path if path.is_absolute() else base / path}
        )
    return settings.model_copy(update=changes)


def _nested(flat: Mapping[str, object]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, key = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    return nested


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """PYDOCK_SSH__TIMEOUT=20 is ssh.timeout; values are YAML, so that lists can be given."""
    found: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith("PYDOCK_") or name.startswith(("PYDOCK_LAB", "PYDOCK_BENCH", "PYDOCK_GOLDEN")):
            continue
        path = name.removeprefix("PYDOCK_").lower().replace("__", ".")
        # A text stays as it was typed: 20.10 is a version, not a number.
        found[path] = yaml.safe_load(text) if text.startswith(("[", "{")) else text
    return _nested(found)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _sentence(
    problem: Any, document: Document, flags: Mapping[str, object], environment: Mapping[str, str]
) -> str:
    location = tuple(str(part) for part in problem["loc"])
    path = ".".join(location)
    variable = "PYDOCK_" + path.upper().replace(".", "__")
    if path in flags:
        place = f"--{location[-1].replace('_', '-')}"
    elif variable in environment:
        place = variable
    else:
        place = document.place(location)
    if problem["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        return f"{place}: unknown setting {path}{hint(path, known) or hint(location[-1], known)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"].endswith(("_type", "_parsing")):
        message = f"{message[0].lower()}{message[1:]}, not {problem['input']!r}"
    return f"{place}: {path + ': ' if path and path not in flags else ''}{message}"


def _keys(parents: tuple[str, ...]) -> list[str]:
    """Known settings by their path, those beside the unknown one first."""
    nested: dict[str, type[_Part]] = {"ssh": Ssh, "verify": Verify}
    inner = [f"{name}.{key}" for name, part in nested.items() for key in part.model_fields]
    if parents and parents[0] in nested:
        return [*inner, *nested[parents[0]].model_fields]
    return [*Settings.model_fields, *inner]
