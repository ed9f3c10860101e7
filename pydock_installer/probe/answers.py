"""The probe's output, cut into answers. Hostile until each value has its expected shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydock_installer.model import NOT_ASKED, Fact, Known, Unknown

ABSENT = 44
NOT_PERMITTED = 77
TIMED_OUT = 124

T = TypeVar("T")


@dataclass(frozen=True)
class Section:
    """One answer as it came: exit status (``None``: the answer is cut off) and text."""

    status: int | None
    text: str


@dataclass(frozen=True)
class Answers:
    """The answers of one host by name. ``preflight`` tells whether that part of the questions was asked."""

    sections: Mapping[str, Section]

    @property
    def asked(self) -> str:
        """How far the host was asked: ``no`` preflight, ``yes``, or ``thorough``."""
        found = self.sections.get("preflight")
        text = found.text.strip() if found and found.status == 0 else ""
        return text if text in ("yes", "thorough") else "no"

    def fact(
        self, name: str, read: Callable[[str], T | None], *, preflight: bool = False, thorough: bool = False
    ) -> Fact[T]:
        """The fact that ``read`` makes of an answer; ``None`` if that is ``None`` or the host says 44.

        ``read`` may raise ValueError, KeyError, IndexError or TypeError for a text that makes no sense.
        ``preflight`` marks questions that are left out on hosts that run Docker already, ``thorough`` those that
        only a check asks.
        """
        section = self.sections.get(name)
        if section is None:
            left_out = (preflight and self.asked == "no") or (thorough and self.asked != "thorough")
            return NOT_ASKED if left_out else Unknown("the host did not answer")
        if section.status == ABSENT:
            return None
        reason = {
            None: "the answer is cut off",
            NOT_PERMITTED: "not permitted",
            TIMED_OUT: "no answer in time",
        }
        if section.status != 0:
            return Unknown(reason.get(section.status, f"the question failed with status {section.status}"))
        try:
            value = read(section.text)
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            return Unknown("the answer makes no sense")
        return None if value is None else Known(value)


def split(output: bytes, nonce: str) -> Answers:
    """The answers by name. What stands outside of the markers (banners, shell noise) is dropped."""
    sections: dict[str, Section] = {}
    name: str | None = None
    lines: list[str] = []
    for line in output.decode("utf-8", errors="replace").split("\n"):
        if name is None:
            if line.startswith(f"{nonce} "):
                name, lines = line[len(nonce) + 1 :].strip(), []
        elif line.startswith(f"{nonce}/ "):
            status = line[len(nonce) + 2 :].strip()
            # The marker brings its own line break: the text ends before it.
            known = int(status) if re.fullmatch("[0-9]{1,3}", status) else None
            sections[name] = Section(known, "\n".join(lines))
            name = None
        else:
            lines.append(line)
    if name is not None:
        sections[name] = Section(None, "\n".join(lines))
    return Answers(sections)
