"""pydock.lock: what a fleet runs, written the same each time, refused where hosts differ, followed by a plan."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.errors import RefusedError, SettingsError
from pydock_installer.lock import Lock, of_fleet, read
from pydock_installer.model import Host, Known, Package, Release
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from pydock_installer.workflows import lock as workflow
from tests.unit.facts import bare, converged
from tests.unit.modules import modest

EPOCHS = {"docker-ce": "3", "docker-ce-cli": "1"}
SET = {"docker-ce": "3:26.1.4-1.el7", "docker-ce-cli": "1:26.1.4-1.el7", "containerd.io": "1.6.33-3.1.el7"}


def running(packages=SET, major="7", **changes):
    """A host on which just these of Docker's packages are installed."""
    facts = converged(repository("official", f"centos/{major}").content, mirrors=())
    present = {name: found for name, found in facts.packages.value.items() if not name.startswith(("docker", "containerd"))}
    for name, evr in packages.items():
        version, release = evr.rpartition(":")[2].split("-")
        present[name] = (Package(name, EPOCHS.get(name, "0"), version, release, "x86_64"),)
    return replace(facts, packages=Known(present), release=bare(major).release, **changes)


def write(tmp_path, text):
    path = tmp_path / "pydock.lock"
    path.write_text(text)
    return path


def test_what_a_fleet_runs_is_written_with_epoch_and_release_and_read_back(tmp_path):
    made = Lock("pydock.lock", of_fleet({"a": running(), "b": running()}))
    assert dict(made.platforms) == {"centos/7/x86_64": SET}
    assert read(write(tmp_path, made.text)) == made
    assert read(write(tmp_path, made.text)).text == made.text


@modest
@given(st.lists(st.sampled_from(["centos/7/x86_64", "rhel/9/aarch64", "centos/10/x86_64"]), unique=True, min_size=1))
def test_the_order_of_hosts_does_not_change_the_file(kinds):
    sets = dict.fromkeys(kinds, SET)
    assert Lock("l", sets).text == Lock("l", dict(reversed(sets.items()))).text


def test_hosts_of_one_kind_that_differ_are_named():
    older = {**SET, "docker-ce": "3:20.10.24-3.el7"}
    with pytest.raises(RefusedError) as problem:
        of_fleet({"a": running(), "b": running(older), "c": running()})
    assert "centos/7/x86_64 differ: docker-ce 3:26.1.4-1.el7 (a, c), 3:20.10.24-3.el7 (b)" in problem.value.message
    assert "nothing was written" in problem.value.message


def test_a_plugin_that_one_host_lacks_is_a_difference_too():
    more = {**SET, "docker-compose-plugin": "2.27.1-1.el7"}
    with pytest.raises(RefusedError, match=r"docker-compose-plugin none \(a\), 2\.27\.1-1\.el7 \(b\)"):
        of_fleet({"a": running(), "b": running(more)})


def test_hosts_of_release_6_are_passed_over(tmp_path, monkeypatch):
    """There is one package for them: a fleet that has some of them can be locked all the same."""
    old = replace(running(), release=Known(Release("centos", "6.10", "CentOS release 6.10 (Final)")))
    fleet = {"old": old, "new": running()}
    monkeypatch.setattr(workflow, "look", lambda *_: fleet)
    request, talk = SimpleNamespace(hosts=()), SimpleNamespace(progress=nullcontext, note=print)
    done = workflow.lock(tmp_path / "pydock.lock", request, talk)
    assert (done.hosts, done.changed) == ({"new": "centos/7/x86_64"}, True)
    del fleet["new"]
    with pytest.raises(RefusedError, match="nothing to lock"):
        workflow.lock(tmp_path / "pydock.lock", request, talk)


def test_a_host_without_docker_cannot_be_locked():
    with pytest.raises(RefusedError, match=r"b runs no Docker that could be locked: it lacks docker-ce, containerd\.io"):
        of_fleet({"a": running(), "b": running({"docker-ce-cli": "1:26.1.4-1.el7"})})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "pydock.lock: platforms must hold"),
        ("platform: {}\n", "pydock.lock:1: unknown key platform"),
        ("platforms: [a]\n", "pydock.lock:1: platforms must hold"),
        ("platforms:\n  centos7: {}\n", "pydock.lock:2: centos7 is no release and architecture"),
        ("platforms:\n  centos/7/ppc64le: {}\n", "pydock.lock:2: centos/7/ppc64le is no release"),
        ("platforms:\n  centos/7/x86_64:\n    docker-cee: '1-1'\n", "pydock.lock:3: docker-cee is none of Docker's packages"),
        ("platforms:\n  centos/7/x86_64:\n    docker-ce: latest\n", "pydock.lock:3: docker-ce: latest is no VERSION"),
        ("platforms:\n  centos/7/x86_64:\n    docker-ce: '1-1; reboot'\n", "pydock.lock:3: docker-ce: 1-1; reboot is no"),
        ("platforms:\n  centos/7/x86_64:\n    docker-ce: '1-1'\n", "lacks docker-ce-cli, containerd.io"),
        ("a: b: c\n", "this is not YAML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_line(tmp_path, text, said):
    with pytest.raises(SettingsError) as problem:
        read(write(tmp_path, text))
    assert said in problem.value.message


def plan(facts, lock=None, **changes):
    return plan_host(Host("h", "h"), facts, Settings(**changes), Wishes(lock=lock))


LOCK = Lock("pydock.lock", {"centos/7/x86_64": SET})


def test_a_host_that_runs_what_is_locked_has_nothing_to_do():
    assert plan(running(), LOCK).steps == ()
    assert plan(running(), LOCK, docker_version="20.10.23").steps == (), "the lock counts before the settings"


def test_a_plan_follows_the_lock_down_to_the_release():
    made = plan(running({**SET, "containerd.io": "1.6.33-3.2.el7"}), LOCK)
    assert [step.name for step in made.steps] == ["engine", "proof"]
    assert made.steps[0].sentence == "bring containerd.io from 1.6.33-3.2.el7 to 1.6.33-3.1.el7"
    assert made.steps[0].reason == "pydock.lock has them"
    assert made.variables["docker_packages_versions"]["docker-ce"] == "26.1.4-1.el7"
    assert made.variables["docker_packages_version"] == "26.1.4"


def test_a_release_that_is_not_in_the_lock_follows_the_settings_and_is_told():
    made = plan(running(major="9"), LOCK, docker_version="26.1")
    assert made.steps == ()
    (told,) = [finding for finding in made.findings if finding.code == "lock-file"]
    assert "nothing for" in told.message
    assert "docker_version 26.1 counts" in told.message
