"""The modules of the roles, loaded without Ansible: what the tests of each of them share."""

import importlib.util
import sys
from pathlib import Path

import ansible.module_utils
from hypothesis import settings

ROLES = Path(__file__).resolve().parents[2] / "roles"
# Where Ansible finds it once the role is loaded.
SHARED = sorted(str(path) for path in ROLES.glob("*/module_utils"))
ansible.module_utils.__path__.extend(SHARED)
modest = settings(max_examples=60, deadline=None)


def library(name):
    """What the modules share, by its name."""
    return importlib.import_module(f"ansible.module_utils.{name}")


def load(name):
    """A module by its path, as Ansible finds it: it is in no package."""
    (path,) = ROLES.glob(f"*/library/{name}.py")
    return _load(name, path)


def load_utility(role, name):
    """What the modules of a role import."""
    return _load(name, ROLES / role / "module_utils" / f"{name}.py")


def _load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module
