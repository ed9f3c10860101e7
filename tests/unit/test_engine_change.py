"""What becomes of an engine: told from which version to which, with what stops; and hosts that differ from each other."""

import json
from dataclasses import replace

import pytest

from pydock_installer.drift import differences, sentence
from pydock_installer.engine_change import EngineWish, engine_change
from pydock_installer.model import Engine, Host, Known, Unknown
from pydock_installer.model.groups.engine import EngineState, Running
from pydock_installer.model.groups.network import PackageSet
from pydock_installer.model.groups.packages import VersionLock
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from tests.unit.facts import converged, installed

HAS = {
    "docker-ce": ("20.10.23", "20.10.24", "26.1.3", "26.1.4", "27.0.1"),
    "docker-ce-cli": ("20.10.23", "20.10.24", "26.1.3", "26.1.4"),
    "docker-ce-rootless-extras": ("20.10.23", "26.1.4"),
    "containerd.io": ("1.0", "1.6.33"),
}
CONTENT = repository("official", "centos/7").content


def seen(version="20.10.24", has=HAS, running=0, containers=(), live_restore=False, **changes):
    """A host with an engine, asked what its mirror has and what runs on it."""
    facts = converged(CONTENT, mirrors=(), version=version)
    return replace(
        facts,
        network=replace(facts.network, package_set=Known(PackageSet("official", has)) if has else Unknown("it is dead")),
        engine=Known(Engine(version, version, (), running)),
        engine_facts=replace(
            facts.engine_facts,
            running=Known(Running(live_restore, containers)) if running else None,
            state=Known(EngineState("inactive", live_restore)),
        ),
        **changes,
    )


def change(facts, version="latest", **wish):
    return engine_change(facts, EngineWish(version, **wish))


def plan(facts, settings=None, **wishes):
    return plan_host(Host("h", "h"), facts, settings or Settings(), Wishes(**wishes))


@pytest.mark.parametrize(
    ("present", "wanted", "said"),
    [
        ("20.10.24", "26", "upgrade Docker from 20.10.24 to 26.1.4"),
        ("20.10.24", "26.1.3", "upgrade Docker from 20.10.24 to 26.1.3"),
        ("26.1.4", "20.10", "downgrade Docker from 26.1.4 to 20.10.24"),
        ("20.10.24", "20.10.23", "downgrade Docker from 20.10.24 to 20.10.23"),
    ],
)
def test_the_plan_tells_from_which_version_to_which(present, wanted, said):
    assert change(seen(present), wanted).sentence == said


def test_the_direction_is_told_also_where_the_mirror_is_silent():
    assert change(seen("20.10.24", has=None), "26").sentence == "upgrade Docker from 20.10.24 to 26"
    assert change(seen("26.1.4", has=None), "20.10").sentence == "downgrade Docker from 26.1.4 to 20.10"


def test_a_major_version_down_comes_with_a_warning():
    assert "may not read the images" in change(seen("26.1.4"), "20.10").reason
    assert "may not read" not in change(seen("20.10.24"), "20.10.23").reason


def test_what_fits_stays_unless_an_upgrade_is_asked_for():
    assert change(seen()) is None
    assert change(seen(), upgrade=True).sentence == "upgrade Docker from 20.10.24 to 26.1.4"
    assert change(seen("20.10.23"), "20.10", upgrade=True).sentence == "upgrade Docker from 20.10.23 to 20.10.24"


def test_an_upgrade_of_what_is_newest_is_nothing_and_never_a_step_back():
    assert change(seen("26.1.4"), upgrade=True) is None
    assert change(seen("28.0.0"), upgrade=True) is None, "a mirror that lags behind"


def test_an_upgrade_without_a_list_is_a_step_all_the_same():
    told = change(seen(has=None), upgrade=True)
    assert "if there is a newer one" in told.sentence
    assert "it is dead" in told.reason


def test_the_rest_of_the_set_goes_up_too():
    facts = seen("26.1.4", has={**HAS, "containerd.io": ("1.6.33", "30.1")})
    told = change(facts, upgrade=True)
    assert told.sentence == "upgrade containerd.io from 26.1.4 to 30.1"
    assert told.restarts


def test_a_client_of_another_version_follows_the_engine_which_does_not_restart():
    facts = seen("20.10.23")
    facts = replace(facts, packages=Known({**facts.packages.value, **installed("docker-ce-cli", version="20.10.24").value}))
    told = change(facts)
    assert told.sentence == "bring engine and client to one version, 20.10.23"
    assert not told.restarts


def test_rootless_extras_count():
    facts = seen("26.1.4")
    extras = installed("docker-ce-rootless-extras", version="20.10.23").value
    assert change(replace(facts, packages=Known({**facts.packages.value, **extras}))) is not None


def test_a_versionlock_keeps_an_upgrade_back_and_is_named():
    facts = seen("20.10.23")
    lock = Known((VersionLock("docker-ce", "20.10.*", False, "/etc/yum/pluginconf.d/versionlock.list", 3),))
    facts = replace(facts, package_facts=replace(facts.package_facts, version_locks=lock))
    made = plan(facts, Settings(checks={"skip": ["version-lock"]}), upgrade=True)
    assert made.steps[0].sentence == "upgrade Docker from 20.10.23 to 20.10.24"
    assert [f.message for f in made.findings if not f.group and "versionlock.list, line 3" in f.message]


# -- containers


def test_containers_stop_only_with_a_word_that_names_them():
    facts = seen(running=2, containers=("db", "web"))
    told = plan(facts, Settings(docker_version="26"))
    assert told.stops == "db, web would stop: the engine restarts: upgrade Docker from 20.10.24 to 26.1.4"
    assert told.variables["docker_packages_restart"] is False
    agreed = plan(facts, Settings(docker_version="26"), restart=True)
    assert agreed.stops == ""
    assert [step.name for step in agreed.steps] == ["engine", "proof"]
    assert agreed.variables["docker_packages_restart"] is True


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (seen(running=0), "26"),
        (seen(running=2, containers=("db", "web"), live_restore=True), "20.10.23"),
        (seen(running=2, containers=("db", "web")), "20.10"),
    ],
    ids=["nothing runs", "live restore, a patch release", "nothing changes"],
)
def test_no_word_is_needed_where_nothing_stops(facts, wanted):
    assert not plan(facts, Settings(docker_version=wanted)).stops


def test_live_restore_does_not_carry_over_a_minor_version():
    facts = seen(running=1, containers=("db",), live_restore=True)
    assert plan(facts, Settings(docker_version="26")).stops.startswith("db would stop")


def test_containers_that_are_not_named_are_counted():
    facts = seen(running=2)
    assert plan(facts, Settings(docker_version="26")).stops.startswith("2 containers would stop")


# -- drift


def test_a_fleet_that_is_alike_has_no_drift():
    assert differences({"a": seen(), "b": seen()}) == ()
    assert sentence(()) == ""


def test_what_differs_is_told_once_with_the_hosts():
    fleet = {f"h{n}": seen("26.1.4") for n in range(7)} | {"old": seen("20.10.24")}
    (found,) = differences(fleet)
    assert found.what[:2] == ("docker-ce", "docker-ce-cli")
    assert sentence((found,)).startswith("Hosts differ: docker-ce, docker-ce-cli")
    assert "26.1.4 (7 hosts), 20.10.24 (old)." in sentence((found,))


def test_mirrors_and_keys_of_daemon_json_are_compared_and_no_secret_is_told():
    plain = seen(daemon_json=Known('{"debug": true, "registry-mirrors": ["https://a"]}'))
    other = seen(
        daemon_json=Known('{"log-opts": {"splunk-token": "s3cret"}, "labels": ["http://u:s3cret@h"]}'),
    )
    other = replace(other, engine=Known(Engine("20.10.24", "20.10.24", ("https://m.example/",))))
    third = replace(other, daemon_json=Known('{"log-opts": {"splunk-token": "0ther"}, "labels": ["http://u:s3cret@h"]}'))
    found = {what: one.values for one in differences({"a": plain, "b": other, "c": third}) for what in one.what}
    assert found["registry mirrors"] == (("https://m.example", ("b", "c")), ("none", ("a",)))
    assert found["daemon.json debug"] == (("not set", ("b", "c")), ("true", ("a",)))
    assert found["daemon.json log-opts"] == (("not set", ("a",)), ("splunk-token (1)", ("b",)), ("splunk-token (2)", ("c",)))
    assert "s3cret" not in str(found)
    assert "0ther" not in str(found)


def test_what_could_not_be_seen_is_no_difference():
    hidden = seen(daemon_json=Unknown("not permitted"))
    assert differences({"a": seen(daemon_json=Known('{"debug": true}')), "b": hidden}) == ()


def test_a_sentence_stays_short():
    many = {f"k{n}": True for n in range(9)}
    found = differences({"a": seen(daemon_json=Known(json.dumps({**many, **{f"j{n}": n for n in range(9)}}))), "b": seen()})
    assert len(sentence(found)) < 900
