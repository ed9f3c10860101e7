"""A YAML file of the user's, read so that every complaint can name its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pydock_installer.errors import UsageError


@dataclass(frozen=True)
class Document:
    """What a file says, and the line of each key by its path."""

    name: str
    values: dict[str, Any]
    lines: Mapping[tuple[str, ...], int]

    def place(self, path: tuple[str, ...]) -> str:
        """``pydock.yml:3`` for a path, or for the nearest of its parents that has a line."""
        for length in range(len(path), 0, -1):
            if line := self.lines.get(path[:length]):
                return f"{self.name}:{line}"
        return self.name


class _Loader(yaml.SafeLoader):
    """YAML without dates: no setting is one, and JSON, where settings go, has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path, kind: type[UsageError]) -> Document:
    """The mapping in a file. Raises ``kind`` with file, line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise kind(f"{path} is not UTF-8 text: byte {error.start} is none", "Save it as UTF-8.") from None
    except OSError as error:
        raise kind(f"{path} cannot be read: {error.strerror}", "Mind the path, or leave -c out.") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
        values = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise kind(
            f"{path}{_mark(error)}: this is not YAML: {_problem(error)}", "Mind indentation and quotes."
        ) from None
    if values is None:
        return Document(str(path), {}, {})
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise kind(
            f"{path}: wants settings as `name: value`, not a {type(values).__name__}", "See docs/settings.md."
        )
    lines: dict[tuple[str, ...], int] = {}
    _lines(node, (), lines, path, kind)
    return Document(str(path), {str(key): value for key, value in values.items()}, lines)


def _lines(
    node: yaml.MappingNode,
    parents: tuple[str, ...],
    lines: dict[tuple[str, ...], int],
    path: Path,
    kind: type[UsageError],
    around: tuple[yaml.Node, ...] = (),
) -> None:
    around = (*around, node)
    for key, value in node.value:
        name = (*parents, str(key.value))
        line = key.start_mark.line + 1
        if name in lines:
            raise kind(
                f"{path}:{line}: {'.'.join(name)} stands here for the second time (first in line {lines[name]})",
                "Keep one of them.",
            )
        lines[name] = line
        if value in around:
            raise kind(
                f"{path}:{line}: {'.'.join(name)} holds itself", "Write out what the alias stands for."
            )
        if isinstance(value, yaml.MappingNode):
            _lines(value, name, lines, path, kind, around)


def _mark(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
