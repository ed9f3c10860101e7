"""Imports point one way: cli -> workflows -> pure code and doors -> model and errors."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pydock_installer"
#: The only importers of what touches the world.
DOORS = {
    "sharing": set(),
    "ssh": {"paramiko", "socket"},
    "ansible": {"ansible_runner"},
    "fleet": {"ansible"},
    "rundir": set(),
    "history": {"sqlite3"},
    "content": set(),
}
OUTSIDE = {"sqlite3", "paramiko", "ansible_runner", "ansible", "rich", "click", "subprocess", "socket"}
GROUND = {"model", "errors"}
FILES = sorted(PACKAGE.rglob("*.py"))


def _module(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _own(path: Path) -> set[str]:
    """The first-level parts of the package that a file imports."""
    parts = (name.split(".") for name in _imports(path) if name.startswith("pydock_installer."))
    names = {p.removesuffix(".py") for p in (child.name for child in PACKAGE.iterdir())}
    return {part[1] for part in parts if part[1] in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_layer_may(path):
    layer, own = _module(path), _own(path)
    if layer in GROUND:
        assert own <= GROUND
    elif layer not in {"cli", "workflows", "__main__", "__init__"}:
        assert not own & {"cli", "workflows"}, "only cli imports workflows, and nothing imports cli"
        doors = own & set(DOORS) - {layer, "content"}
        assert not doors, f"{layer} opens {doors}"
    elif layer == "workflows":
        assert "cli" not in own


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_doors_import_what_touches_the_world(path):
    outside = {name.partition(".")[0] for name in _imports(path)} & OUTSIDE
    allowed = {"rich", "click"} if _module(path) == "cli" else DOORS.get(_module(path), set())
    assert outside <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_short(path):
    assert len(path.read_text().splitlines()) < 400
