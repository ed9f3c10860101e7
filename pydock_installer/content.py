"""Where playbooks, roles and templates are: inside the wheel, or at the top of a checkout."""

from __future__ import annotations

from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType


def root() -> Path:
    """The directory that holds playbooks/, roles/ and templates/."""
    package = Path(__file__).resolve().parent
    shipped = package / "_content"
    return shipped if shipped.is_dir() else package.parent


@cache
def role_module(role: str, name: str) -> ModuleType:
    """What a role decides with on hosts, for those who decide alike here: one of its ``module_utils`` that are pure."""
    path = root() / "roles" / role / "module_utils" / f"{name}.py"
    spec = util.spec_from_file_location(f"pydock_installer._role_{name}", path)
    if spec is None or spec.loader is None:  # pragma: no cover - the name ends in .py
        raise ImportError(str(path))
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
