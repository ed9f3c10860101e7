"""The modules that run on the hosts: Python 2.7 to 3.12 must read them, and what they share. One file each has the rest."""

import ast
import json
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.unit.modules import ROLES, SHARED

FILES = sorted(ROLES.glob("*/*/*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_module_uses_nothing_that_python_2_7_cannot_read(path):
    """CentOS 7 runs it with Python 2.7, CentOS 8 with 3.6."""
    source = path.read_text(encoding="utf-8")
    assert "coding: utf-8" in "".join(source.splitlines()[:2])
    for node in ast.walk(ast.parse(source, feature_version=(3, 6))):
        assert not isinstance(node, ast.JoinedStr | ast.NamedExpr | ast.Nonlocal | ast.AnnAssign | ast.YieldFrom)
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.MatMult | ast.Match)
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert not arguments.kwonlyargs and not arguments.posonlyargs and node.returns is None
            assert not any(one.annotation for one in (*arguments.args, arguments.vararg, arguments.kwarg) if one)
        if isinstance(node, ast.Raise):
            assert node.cause is None, "raise ... from is new in Python 3"
        if isinstance(node, ast.ClassDef):
            assert not node.keywords, "metaclass= is new in Python 3"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "super" or node.args, "super() wants its arguments in Python 2"
            assert node.func.id != "open", "Python 2's open knows no encoding: io.open does"
            assert not any(isinstance(one, ast.Starred) for one in node.args[:-1]), "f(*a, b) is new in Python 3"
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Assign):
            parts = node.targets if isinstance(node, ast.Assign) else node.elts
            assert not any(isinstance(one, ast.Starred) for one in parts), "[*a] is new in Python 3"
        if isinstance(node, ast.Dict):
            assert None not in node.keys, "{**a} is new in Python 3"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_module_compiles_without_a_warning(path):
    """A warning on the host would stand in the output that Ansible parses."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(path.read_text(encoding="utf-8"), str(path), "exec")


def old_python():
    """A Python 2.7 that runs, or the test is skipped."""
    found = shutil.which("python2.7")
    if not found or subprocess.run([found, "-c", ""], capture_output=True).returncode:
        pytest.skip("there is no python2.7 here")
    return found


def run_old(body):
    """Run lines under Python 2.7 with ``daemon`` and the like loaded; its last line, read as JSON."""
    head = """# -*- coding: utf-8 -*-
import io, json, sys, types
for name in ("ansible", "ansible.module_utils", "ansible.module_utils.basic"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["ansible.module_utils.basic"].AnsibleModule = object
sys.modules["ansible.module_utils"].__path__ = sys.argv.pop(1).split(":")
from ansible.module_utils import pydock_packages as packages, pydock_repository as repositories
from ansible.module_utils import pydock_daemon as daemon, pydock_proof as verify
from ansible.module_utils import pydock_daemon_former, pydock_host, pydock_returning, pydock_yum
"""
    done = subprocess.run(
        [old_python(), "-B", "-", ":".join(SHARED)], input=(head + body).encode(), capture_output=True, timeout=30
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.decode().splitlines()[-1])


def test_python_2_7_reads_and_runs_the_modules():
    """The same answers as here, from the interpreter of CentOS 7."""
    body = """
file = u'{"debug": true, "labels": ["\\u533a"]}'
merged, changed = daemon.merge(daemon.parse(file), {"live-restore": True})
print(json.dumps([
    daemon.edit(file, {"live-restore": True}), changed,
    packages.listed_packages("docker-ce.x86_64\\n   3:26.1.4-1.el7   docker-ce-stable\\n"),
    repositories.render("https://m.example/7", "a", "/k"), verify.versions("26.1.4 26.1.4"),
]))
"""
    text, changed, listed, content, versions = run_old(body)
    assert json.loads(text) == {"debug": True, "labels": ["区"], "live-restore": True}
    assert changed == ["live-restore"]
    assert listed == {"docker-ce": [["26.1.4", "1.el7"]]}
    assert "baseurl=https://m.example/7\n" in content
    assert versions == ["26.1.4", "26.1.4"]


def test_python_2_7_tells_packages_that_are_to_come_back():
    entry = {"action": "removed", "packages": ["podman-4.6.1-3.el7.x86_64"]}
    body = f"""
gone = pydock_host.removed_packages([json.loads(u'{json.dumps(entry)}')])
print(json.dumps([gone, pydock_returning.returning(gone, {{"podman": [("4.6.1", "3.el7"), ("4.9", "1.el7")]}})]))
"""
    assert run_old(body) == [{"podman": "podman-4.6.1-3.el7.x86_64"}, [{"podman": ["4.6.1", "3.el7"]}, []]]


def test_python_2_7_merges_settings_that_are_not_ascii_into_a_file():
    """Ansible hands a module of Python 2 its parameters as bytes, json.loads gives text."""
    body = """
settings = {"labels": ["\\xe5\\x8c\\xba=\\xe4\\xb8\\x9c"]}
print(json.dumps(daemon.edit(u'{"debug": true}', settings)))
"""
    assert json.loads(run_old(body)) == {"debug": True, "labels": ["区=东"]}


# -- the journal


def test_the_journal_keeps_what_was_done_and_survives_a_cut(tmp_path):
    from ansible.module_utils import pydock_host

    path = str(tmp_path / "pydock/journal.jsonl")
    pydock_host.note("created", path, file="/etc/yum.repos.d/区.repo")
    assert Path(path).stat().st_mode & 0o777 == 0o600
    with Path(path).open("a") as sink:
        sink.write('{"action": "repl')
    pydock_host.note("installed", path, packages=["gcc-8.5.0-1.el8.x86_64"])
    first, second = pydock_host.journal(path)
    assert (first["action"], first["file"]) == ("created", "/etc/yum.repos.d/区.repo")
    assert (second["action"], second["packages"]) == ("installed", ["gcc-8.5.0-1.el8.x86_64"])
    assert pydock_host.journal(str(tmp_path / "none")) == []
