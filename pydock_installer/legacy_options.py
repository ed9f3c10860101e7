"""The options of engine 1.7.1: settings as its flags, and /etc/sysconfig/docker as the shell reads it. Pure.

The init script of docker-io sources that file and starts ``docker -d $other_args``, unquoted: blanks part the words,
whatever quotes are among them (moby v1.7.1, contrib/init/sysvinit-redhat/docker).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

FILE = "/etc/sysconfig/docker"
VARIABLE = "other_args"
#: What an unquoted word must not have: blanks part it, the others name files.
UNFIT = re.compile(r"[\s*?\[\]\x00-\x1f\x7f]")


@cache
def _data() -> Any:
    return yaml.safe_load((resources.files(__package__) / "legacy_flags.yml").read_text(encoding="utf-8"))


# -- settings


def flags(settings: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Settings of daemon.json as values by flag. Raises ValueError, with a sentence, for what 1.7.1 cannot do."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in settings.items():
        if key == "proxies":
            continue
        row = _data()["flags"].get(key)
        if row is None:
            raise ValueError(f"engine 1.7.1 has no flag for {key}")
        known = _data()["values"].get(key)
        if known and value not in known:
            raise ValueError(f"engine 1.7.1 knows no {key} {value}, only {', '.join(known)}")
        if key == "log-opts" and settings.get("log-driver", "json-file") == "json-file":
            raise ValueError("engine 1.7.1 does not rotate logs of json-file: log-opts would do nothing")
        values = _values(key, row["kind"], value)
        if bad := [text for text in values if UNFIT.search(text) or not text]:
            raise ValueError(
                f"{key}: {bad[0]!r} cannot be written into {VARIABLE}, where blanks part the words"
            )
        found[row["flag"]] = values
    return found


def _values(key: str, kind: str, value: Any) -> tuple[str, ...]:
    if kind == "switch" and isinstance(value, bool):
        return ("true" if value else "false",)
    if kind == "text" and isinstance(value, str | int) and not isinstance(value, bool):
        return (str(value),)
    if kind == "list" and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    if kind == "pairs" and isinstance(value, dict):
        return tuple(f"{name}={entry}" for name, entry in value.items())
    wanted = {"switch": "true or false", "text": "a text", "list": "a list of texts", "pairs": "a mapping"}
    raise ValueError(f"{key} must be {wanted[kind]}")


def proxies(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Variables of the engine's environment, by name. Raises ValueError for what cannot be set there."""
    given = settings.get("proxies", {})
    if not isinstance(given, dict) or not set(given) <= set(_data()["proxies"]):
        raise ValueError(f"proxies must be a mapping of {', '.join(_data()['proxies'])}")
    for name, value in given.items():
        if not isinstance(value, str) or not re.fullmatch("[!-~]{0,500}", value):
            raise ValueError(f"proxies.{name} must be a text without blanks")
    return {_data()["proxies"][name]: value for name, value in given.items()}


def to_change(text: str, settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Those of the variables that the file does not have as wanted. ``text`` is the file, passwords shown as ``***``.

    Raises ValueError for one with a password: what a host without Python is told are arguments, which everybody there
    may read. Where somebody wrote it into the file by hand, it counts as it is.
    """
    found = {}
    for name, value in proxies(settings).items():
        hidden = re.sub("://[^/@ ]*@", "://***@", value)
        if assigned(text, name) == hidden:
            continue
        if "@" in value:
            raise ValueError(
                f"{name} has a password, which pydock does not carry to a host without Python: write the line "
                f'`export {name}="{hidden}"`, with it, into {FILE} there'
            )
        found[name] = value
    return found


# -- other_args


@dataclass(frozen=True)
class Flag:
    """A flag among words, with what it was given; ``name`` is ``None`` for a word that is no flag."""

    name: str | None
    value: str
    words: tuple[str, ...]


def parsed(words: Sequence[str]) -> tuple[Flag, ...]:
    """The flags among the words of a command line, as Go's mflag of engine 1.7 reads them."""
    found, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            found.append(Flag(None, word, (word,)))
            continue
        name = _data()["letters"].get(name, name)
        taken = [word]
        if not equals:
            alone = name in _data()["alone"] or not rest
            value = "true" if name in _data()["alone"] else "" if not rest else rest[0]
            taken += [] if alone else [rest.pop(0)]
        found.append(Flag(name, value, tuple(taken)))
    return tuple(found)


def merged(present: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """``other_args`` with these flags; the same text where it has them. Other words stay, in their order."""
    words = parsed(present.split())
    changed = [
        name for name, values in wanted.items() if _normal(name, _given(words, name)) != _normal(name, values)
    ]
    if not changed:
        return present
    result: list[str] = []
    done: set[str] = set()
    for flag in words:
        if flag.name in changed:
            if flag.name not in done:
                done.add(flag.name)
                result += [f"--{flag.name}={value}" for value in wanted[flag.name]]
        else:
            result += flag.words
    result += [f"--{name}={value}" for name in changed if name not in done for value in wanted[name]]
    return " ".join(result)


def differing(words: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The flags that are not as wanted among these words."""
    flags_there = parsed(words)
    return tuple(
        n for n, values in wanted.items() if _normal(n, _given(flags_there, n)) != _normal(n, values)
    )


def _given(words: Sequence[Flag], name: str) -> tuple[str, ...]:
    return tuple(flag.value for flag in words if flag.name == name)


def _normal(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """As the engine takes them: mirrors without doubles and with one slash, of the others the last counts or all."""
    if name == "registry-mirror":
        return tuple(dict.fromkeys(value.rstrip("/") + "/" for value in values))
    return tuple(values)


# -- the file


class ComputedError(ValueError):
    """The value of a variable cannot be told by reading; the text says why."""


def assigned(text: str, name: str = VARIABLE) -> str | None:
    """What the file gives a variable; ``None`` where it does not. Raises ComputedError if only a shell knows."""
    value: str | None = None
    depth = 0
    for line, words in _commands(text):
        first = words[0].text if words and not words[0].quoted else ""
        if first in ("fi", "done", "esac", "}"):
            depth -= 1
        elif first in ("if", "for", "while", "until", "case", "{"):
            depth += 1
        elif first in (".", "source", "eval", "unset", "read"):
            raise ComputedError(f"line {line} of {FILE} has {first}")
        assignments = words[1:] if first in ("export", "readonly", "declare", "typeset", "local") else words
        found = [(w, m) for w in assignments if (m := re.match(r"([A-Za-z_]\w*)(\+?=)", w.text))]
        lasting = len(found) == len(words) or assignments is not words
        for word, match in found:
            if match[1] != name:
                continue
            if word.computed or match[2] == "+=" or depth or not lasting:
                raise ComputedError(f"line {line} of {FILE} computes {name}")
            value = word.text[match.end() :]
    return value


@dataclass
class _Word:
    text: str = ""
    computed: bool = False
    quoted: bool = False


def _commands(text: str) -> Iterator[tuple[int, list[_Word]]]:
    """Simple commands with the number of their line, words without their quotes (sh, section 2.2 and 2.3)."""
    words: list[_Word] = []
    word: _Word | None = None
    line, start, position = 1, 1, 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == "\\":
            if text[position : position + 1] == "\n":
                line += 1
            else:
                word = word or _Word()
                word.text += text[position : position + 1]
                word.quoted = True
            position += 1
        elif letter in "'\"":
            word = word or _Word()
            word.quoted = True
            position, more, computed = _quoted(text, position, letter, line)
            word.text += more
            word.computed = word.computed or computed
            line += more.count("\n")
        elif letter == "#" and word is None:
            position = (text.find("\n", position) + 1 or len(text) + 1) - 1
        elif letter in " \t\r\n;&|()<>":
            if letter == "<" and text[position : position + 1] == "<":
                raise ComputedError(f"line {line} of {FILE} has a here-document")
            if word is not None:
                words.append(word)
            word = None
            if letter in "\n;&|()":
                if words:
                    yield start, words
                words = []
                line += letter == "\n"
                start = line
        else:
            word = word or _Word()
            word.text += letter
            word.computed = word.computed or letter in "$`"
    if word is not None:
        words.append(word)
    if words:
        yield start, words


def _quoted(text: str, position: int, quote: str, line: int) -> tuple[int, str, bool]:
    """(where it goes on, what is quoted, whether the shell computes it)"""
    found, computed = "", False
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == quote:
            return position, found, computed
        if quote == '"' and letter == "\\" and text[position : position + 1] in tuple('$`"\\\n'):
            found += "" if text[position] == "\n" else text[position]
            position += 1
            continue
        computed = computed or (quote == '"' and letter in "$`")
        found += letter
    raise ComputedError(f"line {line} of {FILE} begins a quotation that does not end")
