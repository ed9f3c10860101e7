"""The parts of the settings: mappings of a fixed form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from pydock_installer import explanations, setting_values
from pydock_installer.model import Secret
from pydock_installer.suggest import hint

#: EPEL 6 (fedoraproject.org, keys): 0608B895.
EPEL_KEY = "8C3BE96AF2309184DA5C0DAE3B49DF2A0608B895"


def a_list(value: Any) -> Any:
    """What is no text; other mistakes are told later."""
    if isinstance(value, str):
        raise ValueError(f"wants a list: [{value}]")
    return value


def _image(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", text):
        raise ValueError(f"{text} is not the name of an image")
    return text


class Part(BaseModel):
    """A mapping whose keys are known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Verify(Part):
    """What proves a host."""

    image: Annotated[str, AfterValidator(_image)] = Field(
        "hello-world", description="The image that is run; builtin needs no registry."
    )


class Ssh(Part):
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


class Checks(Part):
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


class Rollout(Part):
    """In which order and how carefully hosts are changed."""

    order: Annotated[tuple[str, ...], BeforeValidator(a_list)] = Field(
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


class Legacy(Part):
    """Where release 6 gets Docker from."""

    epel: Annotated[str, AfterValidator(setting_values.epel)] = Field(
        "auto", description="The archive of EPEL."
    )
    epel_key: Annotated[str, BeforeValidator(setting_values.fingerprint)] = Field(
        EPEL_KEY, description="Fingerprint of the key that signs EPEL 6."
    )


_Address = Annotated[
    str | Secret | None, PlainValidator(setting_values.engine_proxy), WithJsonSchema({"type": "string"})
]


class EngineProxy(Part):
    """The HTTP proxy through which the engine reaches registries. None of it: none is wanted."""

    http_proxy: _Address = Field(None, description="For http addresses.")
    https_proxy: _Address = Field(None, description="For https addresses, as a rule the same.")
    no_proxy: Annotated[
        str | None, PlainValidator(setting_values.no_proxy), WithJsonSchema({"type": ["string", "array"]})
    ] = Field(None, description="What is reached without it.")

    def values_by_key(self) -> dict[str, str | Secret]:
        """What is set."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        same = isinstance(self.http_proxy, Secret) and isinstance(self.https_proxy, Secret)
        if same and self.http_proxy.reveal() == self.https_proxy.reveal():  # type: ignore[union-attr]
            found["https_proxy"] = self.http_proxy  # One password is asked for once.
        return {name: value for name, value in found.items() if value}


class Runs(Part):
    """How long runs are kept."""

    keep: int = Field(200, ge=1, le=100000, description="The newest so many.")
    days: int = Field(180, ge=1, le=36500, description="Not longer than so many days.")
