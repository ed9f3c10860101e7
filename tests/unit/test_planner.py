"""A plan is what a host lacks, in order, with reasons: and nothing for a host that lacks nothing."""

import pytest

from pydock_installer.model import Engine, Host, Known, Secret, Service, Unknown
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.platforms.versions import matches
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from tests.unit.facts import bare, converged, installed

MIRROR = "https://docker.m.daocloud.io"
SETTINGS = Settings(registry_mirrors=[MIRROR])
HOST = Host("web", "192.0.2.1")
CONTENT = repository("official", "centos/7").content


def plan(facts, settings=SETTINGS, **wishes):
    return plan_host(HOST, facts, settings, Wishes(**wishes))


def steps(facts, settings=SETTINGS, **wishes):
    return [step.name for step in plan(facts, settings, **wishes).steps]


@pytest.mark.parametrize("major", ["7", "8", "9"])
def test_a_bare_host_gets_everything_in_order(major):
    assert steps(bare(major)) == ["compilers", "tools", "repository", "engine", "settings", "service", "proof"]


def test_a_converged_host_has_nothing_to_do():
    assert steps(converged(CONTENT)) == []


def test_a_converged_host_can_be_proven_again():
    assert steps(converged(CONTENT), verify=True) == ["proof"]


def test_without_settings_for_the_daemon_its_file_is_left_alone():
    assert "settings" not in steps(bare(), Settings())


def test_compilers_can_be_left_out():
    assert "compilers" not in steps(bare(), Settings(compilers=False))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"service": Known(Service("inactive", "enabled")), "engine": None}, ["service", "proof"]),
        ({"service": Known(Service("active", "disabled"))}, ["service", "proof"]),
        ({"daemon_json": None}, ["settings", "proof"]),
        ({"daemon_json": Known('{"debug": true}')}, ["settings", "proof"]),
        ({"daemon_json": Unknown("not permitted")}, ["settings", "proof"]),
        ({"engine": Known(Engine("20.10.24", "20.10.24", ()))}, ["service", "proof"]),
        ({"proof_record": None}, ["proof"]),
        ({"package_keys": Known(("deadbeef",))}, ["repository"]),
        ({"repository_file": Known("[docker-ce-stable]\n")}, ["repository"]),
    ],
)
def test_a_drifted_host_gets_just_what_it_lacks(changes, wanted):
    from dataclasses import replace

    assert steps(replace(converged(CONTENT), **changes)) == wanted


def test_another_version_is_brought_about():
    settings = Settings(registry_mirrors=[MIRROR], docker_version="20.10.23")
    made = plan(converged(CONTENT), settings)
    assert [step.name for step in made.steps] == ["engine", "proof"]
    assert made.steps[0].reason == "docker-ce is 20.10.24"


@pytest.mark.parametrize(
    ("version", "wanted", "same"),
    [("26.1.4", "26", True), ("26.1.4", "26.1", True), ("26.10.1", "26.1", False), ("20.10.23", "20.10.2", False)],
)
def test_a_version_matches_part_by_part(version, wanted, same):
    assert matches(version, wanted) is same


def test_old_docker_is_removed_by_name():
    made = plan(bare(packages=installed("docker", "docker-common")))
    assert made.steps[0].sentence == "remove docker, docker-common"


def test_podman_goes_only_with_a_word_of_its_own():
    facts = bare("9", packages=installed("podman", "runc"))
    blocked = plan(facts)
    assert blocked.steps == ()
    assert [finding.code for finding in blocked.blockers] == ["podman"]
    assert blocked.consent == ("podman", "runc")
    assert plan(facts, replace_podman=True).steps[0].sentence == "remove podman, runc"


def test_podman_without_runc_stays():
    """Only runc is in containerd.io's way."""
    made = plan(bare("9", packages=installed("podman", "buildah")))
    assert not made.blockers
    assert "podman" not in made.variables["docker_packages_absent"]


def test_a_blocked_host_has_no_steps():
    assert plan(bare(privilege=Known("password-needed"))).steps == ()


@pytest.mark.parametrize(
    ("major", "interpreter"),
    [("7", "/usr/bin/python"), ("8", "/usr/libexec/platform-python"), ("9", "/usr/bin/python3")],
)
def test_each_release_is_driven_with_its_own_python(major, interpreter):
    assert plan(bare(major)).host.interpreter == interpreter


def test_an_interpreter_from_the_inventory_wins():
    host = Host("web", "192.0.2.1", interpreter="/opt/python")
    assert plan_host(host, bare(), SETTINGS, Wishes()).host.interpreter == "/opt/python"


def test_roles_are_told_the_literal_release_and_the_pinned_key():
    told = plan(bare("8")).variables
    assert told["docker_repositories_baseurl"].endswith("/centos/8/$basearch/stable")
    assert told["docker_repositories_fingerprint"] == "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
    assert told["docker_daemon_settings"] == {"registry-mirrors": [MIRROR]}


def test_a_plan_prints_no_password():
    host = Host("web", "192.0.2.1", password=Secret("pa55"), become_password=Secret("pa55"))
    assert "pa55" not in repr(plan_host(host, bare(), SETTINGS, Wishes()))
