"""docker_packages: which versions it chooses, and what it does about them on a stand-in for a host."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer import planner, platforms
from pydock_installer.model import Host, Known, Package
from pydock_installer.platforms.versions import nearest
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from tests.unit.facts import converged
from tests.unit.modules import library, modest

packages, sets = library("pydock_packages"), library("pydock_package_set")

ENGINE = ["docker-ce", "docker-ce-cli", "containerd.io"]
PLUGINS = ["docker-buildx-plugin", "docker-compose-plugin", "docker-ce-rootless-extras"]
LISTED = {
    "docker-ce": [("18.06.3.ce", "3.el7"), ("20.10.23", "3.el7"), ("20.10.24", "3.el7"), ("26.1.4", "1.el7")],
    "docker-ce-cli": [("20.10.23", "3.el7"), ("20.10.24", "3.el7"), ("26.1.3", "1.el7"), ("26.1.4", "1.el7")],
    "containerd.io": [("1.4.4", "3.1.el7"), ("1.6.33", "3.1.el7")],
    "docker-ce-rootless-extras": [("20.10.23", "3.el7"), ("26.1.4", "1.el7")],
    "docker-compose-plugin": [("2.6.0", "3.el7"), ("2.27.1", "1.el7")],
}


def wish(version="latest", plugins=PLUGINS, engine=ENGINE, upgrade=False, pins=None):
    return sets.Wish(engine, plugins, version, upgrade, pins or {})


def engine_of(version, release="3.el7", containerd=("1.6.33", "3.1.el7")):
    return {"docker-ce": (version, release), "docker-ce-cli": (version, release), "containerd.io": containerd}


@pytest.mark.parametrize(
    ("installed", "version", "wanted"),
    [
        ({}, "latest", True),
        (engine_of("20.10.24"), "latest", False),
        (engine_of("20.10.24"), "20.10", False),
        (engine_of("20.10.24"), "20.10.23", True),
        (engine_of("20.10.24"), "26", True),
        ({**engine_of("20.10.24"), "docker-ce-cli": ("26.1.4", "1.el7")}, "latest", True),
        ({"docker-ce": ("20.10.24", "3.el7"), "docker-ce-cli": ("20.10.24", "3.el7")}, "latest", True),
    ],
)
def test_the_engine_is_touched_only_if_it_is_not_as_wanted(installed, version, wanted):
    assert sets.engine_is_wanted(installed, wish(version)) is wanted


def planned(installed, version):
    """Does the planner see something to be done about the engine?"""
    content = repository("official", "centos/7").content
    kinds = {"gcc": ("1", "1"), "gcc-c++": ("1", "1"), **dict.fromkeys(platforms.package_names().tools, ("1", "1"))}
    present = {n: (Package(n, "0", *pair, "x86_64"),) for n, pair in {**kinds, **installed}.items()}
    facts = converged(content, mirrors=(), version=installed.get("docker-ce", ("1",))[0])
    facts = facts.__class__(**{**facts.__dict__, "packages": Known(present)})
    made = planner.plan_host(Host("h", "h"), facts, Settings(docker_version=version), planner.Wishes())
    return "engine" in {step.name for step in made.steps}


@pytest.mark.parametrize("version", ["latest", "20.10", "20.10.23", "26"])
@pytest.mark.parametrize(
    "installed", [{}, engine_of("20.10.24"), engine_of("26.1.4", "1.el7")], ids=["none", "20", "26"]
)
def test_planner_and_module_agree_on_whether_the_engine_changes(installed, version):
    assert planned(installed, version) == sets.engine_is_wanted(installed, wish(version))


def test_an_engine_with_the_client_of_another_version_is_in_the_plan():
    """``yum install docker-ce-20.10.23`` of yum 3 brings the newest client: such hosts are common."""
    installed = {**engine_of("20.10.23"), "docker-ce-cli": ("26.1.4", "1.el7")}
    assert planned(installed, "latest") == sets.engine_is_wanted(installed, wish("latest"))


@pytest.mark.parametrize(
    ("version", "number"), [("latest", "26.1.4"), ("26", "26.1.4"), ("20.10", "20.10.24"), ("20.10.23", "20.10.23")]
)
def test_engine_and_client_get_one_version(version, number):
    chosen = sets.choose_versions({}, LISTED, wish(version))
    assert chosen["docker-ce"][0] == chosen["docker-ce-cli"][0] == number
    assert chosen.get("docker-ce-rootless-extras", (number,))[0] == number
    assert chosen["containerd.io"] == ("1.6.33", "3.1.el7")


def test_plugins_that_the_repository_does_not_have_are_left_out():
    chosen = sets.choose_versions({}, LISTED, wish("20.10.24"))
    assert set(chosen) == {*ENGINE, "docker-compose-plugin"}


def test_a_version_that_fits_is_kept_and_what_is_missing_comes_in_that_version():
    installed = {"docker-ce": ("20.10.23", "3.el7"), "containerd.io": ("1.4.4", "3.1.el7")}
    chosen = sets.choose_versions(installed, LISTED, wish("20.10", []))
    assert chosen == engine_of("20.10.23", containerd=("1.4.4", "3.1.el7"))
    assert sets.transaction(installed, [], [], chosen) == ([], ["docker-ce-cli-20.10.23-3.el7"], [])


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("19.03", "no version 19.03 here; the newest is 26.1.4"),
        ("26.1.3", "no version 26.1.3"),
        ("18.06", "no version 18.06"),
    ],
)
def test_a_version_that_does_not_exist_is_refused_with_what_does(version, said):
    """26.1.3 has a client alone, 18.06 an engine alone: neither is a whole set."""
    with pytest.raises(sets.NoSuchVersion, match=said):
        sets.choose_versions({}, LISTED, wish(version))


def test_a_repository_without_the_engine_is_refused_by_name():
    with pytest.raises(sets.NoSuchVersion, match=r"no containerd\.io"):
        sets.choose_versions({}, {k: v for k, v in LISTED.items() if k != "containerd.io"}, wish())


def test_what_is_refused_names_the_nearest_that_there_are():
    with pytest.raises(sets.NoSuchVersion, match=r"the newest is 26\.1\.4, the nearest: 20\.10\.23, 20\.10\.24"):
        sets.choose_versions({}, LISTED, wish("20.10.99"))


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("20.10.9", ["20.10.7", "20.10.8", "20.10.10"]),
        ("20.10.99", ["20.10.8", "20.10.10"]),
        ("19.03", ["18.09.1", "20.10.7"]),
        ("30", ["20.10.10", "26.1.4"]),
        ("26.2", ["26.1.4"]),
        ("1", ["18.09.1"]),
    ],
)
def test_module_and_planner_name_the_same_nearest_versions(wanted, near):
    there = ["18.09.1", "20.10.7", "20.10.8", "20.10.10", "26.1.4"]
    assert sets.nearest(wanted, there) == near == list(nearest(wanted, there))
    assert sets.nearest(wanted, []) == list(nearest(wanted, [])) == []


def test_a_pin_names_version_and_release_but_no_epoch():
    """yum 3 takes an epoch only together with the architecture."""
    _removals, installs, _downgrades = sets.transaction(
        {}, [], ["gcc"], sets.choose_versions({}, LISTED, wish("26", []))
    )
    assert installs == ["gcc", "containerd.io-1.6.33-3.1.el7", "docker-ce-26.1.4-1.el7", "docker-ce-cli-26.1.4-1.el7"]
    assert not any(":" in name for name in installs)


def test_an_older_version_is_a_downgrade_because_yum_3_would_do_nothing():
    installed = {**engine_of("26.1.4", "1.el7"), "docker": ("1.13.1", "209.el7")}
    chosen = sets.choose_versions(installed, LISTED, wish("20.10.23", []))
    removals, installs, downgrades = sets.transaction(installed, ["docker", "docker-common"], ["gcc"], chosen)
    assert removals == ["docker"]
    assert installs == ["gcc"]
    assert downgrades == ["docker-ce-20.10.23-3.el7", "docker-ce-cli-20.10.23-3.el7"]


def test_one_script_carries_the_whole_transaction_and_ends_by_itself():
    script = sets.shell_script(["docker"], ["gcc", "docker-ce-26.1.4-1.el7"], ["docker-ce-cli-26.1.4-1.el7"])
    assert script.splitlines() == [
        "remove docker",
        "downgrade docker-ce-cli-26.1.4-1.el7",
        "install gcc docker-ce-26.1.4-1.el7",
        "run",
        "exit",
    ]
    assert sets.shell_script([], ["gcc"], []).splitlines() == ["install gcc", "run", "exit"]


@modest
@given(
    st.dictionaries(
        st.sampled_from([*ENGINE, *PLUGINS]), st.sampled_from([("20.10.23", "3.el7"), ("26.1.4", "1.el7")])
    ),
    st.sampled_from(["latest", "20", "20.10", "20.10.23", "26", "26.1.4"]),
)
def test_a_chosen_set_is_consistent_and_choosing_again_changes_nothing(installed, version):
    chosen = sets.choose_versions(installed, LISTED, wish(version))
    assert set(ENGINE) <= set(chosen)
    assert chosen["docker-ce"][0] == chosen["docker-ce-cli"][0]
    assert sets.matches(chosen["docker-ce"][0], version)
    gone = sets.dropped(installed, chosen, wish(version))
    after = {name: pair for name, pair in {**installed, **chosen}.items() if name not in gone}
    assert not sets.engine_is_wanted(after, wish(version))
    assert sets.transaction(after, [], [], sets.choose_versions(after, LISTED, wish(version))) == (
        [],
        [],
        [],
    )


class EndedError(Exception):
    """A module's last word."""


class StandIn:
    """As much of a host as docker_packages asks: rpm's database, and a yum that does what it is told."""

    check_mode = False

    def __init__(self, installed, listed, answers=None, brings=None, containers=(), live_restore=False, **params):
        defaults = {
            "absent": [],
            "compilers": False,
            "tools": [],
            "engine": ENGINE,
            "plugins": [],
            "version": "latest",
            "upgrade": False,
            "versions": {},
            "restart": False,
            "alternatives": [],
            "repository_file": "/none",
        }
        self.params = {**defaults, "repository_id": "docker-ce-stable", "lock_timeout": 0, "shared": {}, **params}
        self.installed, self.listed = dict(installed), listed
        self.answers, self.brings, self.transactions = answers or {}, brings or {}, []
        self.containers, self.live_restore, self.commands = containers, live_restore, []

    def run_command(self, command, expand_user_and_vars=True, handle_exceptions=True):
        words = [word for word in command[1:] if not word.startswith("-")]
        self.commands.append(list(command))
        if command[0] == "systemctl":
            return 0 if self.containers else 3, "", ""
        if command[0] == "docker":
            return 0, "\n".join(self.containers) if words[0] == "ps" else str(self.live_restore).lower(), ""
        if command[0] == "rpm":
            if "--test" in command or "--whatprovides" in command:
                return 0, "", ""
            rows = [f"{n}\t0\t{v}\t{r}\tx86_64" for n, (v, r) in self.installed.items() if n in words]
            return 0, "\n".join(rows), ""
        enabled = "docker" if "--disablerepo=*" in command else "all"
        if words[0] == "list":
            if (enabled, "list") in self.answers:
                return self.answers[enabled, "list"]
            rows = [f"{n}.x86_64 {v}-{r} repo" for n, pairs in self.listed.items() for v, r in pairs if n in words]
            return 0, "\n".join(rows), ""
        script = Path(words[1]).read_text().splitlines() if words[0] == "shell" else [" ".join(words)]
        self.transactions.append(script)
        for line in script:
            verb, *names = line.split()
            if verb == "remove":
                self.installed = {n: pair for n, pair in self.installed.items() if n not in names}
            # yum 3's shell forgets the error of a line, and runs what the others have brought.
            if verb in ("install", "downgrade") and (enabled, "list") not in self.answers:
                for pin in names:
                    name, version, release = pin.rsplit("-", 2)
                    self.installed[name] = (version, release)
                self.installed.update(self.brings)
        return 0, "", ""

    def fail_json(self, **result):
        raise EndedError("failed", result["code"], result["msg"])

    def exit_json(self, **result):
        raise EndedError("done", result["changed"], "")

    def outcome(self):
        with pytest.raises(EndedError) as ended:
            packages.Packages(self).ensure()
        return ended.value.args


def test_an_upgrade_is_one_transaction_and_rpm_is_believed():
    host = StandIn(engine_of("20.10.24"), LISTED, version="26")
    assert host.outcome()[:2] == ("done", True)
    assert host.transactions == [["install docker-ce-26.1.4-1.el7 docker-ce-cli-26.1.4-1.el7"]]


def test_a_host_on_which_all_is_well_is_not_touched():
    host = StandIn(engine_of("20.10.24"), LISTED)
    assert host.outcome()[:2] == ("done", False)
    assert host.transactions == []


def test_an_engine_that_brings_a_newer_containerd_along_is_no_failure():
    """docker-ce 26 needs containerd.io 1.6.24: yum replaces 1.4.4 as a dependency, though nobody asked for it."""
    host = StandIn(
        engine_of("20.10.24", containerd=("1.4.4", "3.1.el7")),
        LISTED,
        brings={"containerd.io": ("1.6.33", "3.1.el7")},
        version="26",
    )
    assert host.outcome()[:2] == ("done", True)


def test_nothing_is_removed_while_a_repository_is_broken():
    """yum 3's shell goes on after a line that failed: the old Docker would go and no new one come."""
    broken = (
        1,
        "",
        "http://mirror.centos.org/...: [Errno 14] HTTP Error 404 - Not Found\nfailure: repodata/repomd.xml from base\n",
    )
    host = StandIn(
        {"docker": ("1.13.1", "209.el7")}, LISTED, answers={("all", "list"): broken}, absent=["docker"], version="26"
    )
    assert host.outcome()[0] == "failed"
    assert "docker" in host.installed


def test_without_upgrade_the_newest_is_not_even_asked_for():
    host = StandIn(engine_of("20.10.23"), LISTED)
    assert host.outcome()[:2] == ("done", False)
    assert not [command for command in host.commands if "list" in command]


@pytest.mark.parametrize(("version", "number", "release"), [("latest", "26.1.4", "1.el7"), ("20.10", "20.10.24", "3.el7")])
def test_an_upgrade_goes_to_the_newest_that_fits_and_takes_all_of_the_set_along(version, number, release):
    before = {**engine_of("20.10.23", containerd=("1.4.4", "3.1.el7")), "docker-compose-plugin": ("2.6.0", "3.el7")}
    host = StandIn(before, LISTED, version=version, upgrade=True, plugins=PLUGINS)
    assert host.outcome()[:2] == ("done", True)
    assert {name: host.installed[name] for name in ENGINE} == engine_of(number, release)
    assert host.installed["docker-compose-plugin"] == ("2.27.1", "1.el7")
    assert StandIn(host.installed, LISTED, version=version, upgrade=True, plugins=PLUGINS).outcome()[:2] == ("done", False)


def test_the_exact_set_is_brought_about_downwards_too_and_plugins_that_it_does_not_name_stay():
    before = {**engine_of("26.1.4", "1.el7"), "docker-buildx-plugin": ("0.14.1", "1.el7")}
    versions = {"docker-ce": "3:20.10.23-3.el7", "docker-ce-cli": "1:20.10.23-3.el7", "containerd.io": "1.4.4-3.1.el7"}
    host = StandIn(before, LISTED, versions=versions, plugins=PLUGINS)
    assert host.outcome()[:2] == ("done", True)
    assert host.transactions == [
        ["downgrade containerd.io-1.4.4-3.1.el7 docker-ce-20.10.23-3.el7 docker-ce-cli-20.10.23-3.el7", "run", "exit"]
    ]
    assert host.installed["docker-buildx-plugin"] == ("0.14.1", "1.el7")
    assert StandIn(host.installed, LISTED, versions=versions, plugins=PLUGINS).outcome()[:2] == ("done", False)


def test_a_set_that_the_repository_does_not_have_any_more_is_refused_before_anything_changes():
    versions = {"docker-ce": "20.10.22-3.el7", "docker-ce-cli": "20.10.22-3.el7", "containerd.io": "1.4.4-3.1.el7"}
    host = StandIn(engine_of("26.1.4", "1.el7"), LISTED, versions=versions)
    kind, code, message = host.outcome()
    assert (kind, code) == ("failed", "no-such-version")
    assert "docker-ce-20.10.22-3.el7; the newest is 26.1.4" in message
    assert host.transactions == []


def test_rootless_extras_of_another_release_are_brought_to_the_engines():
    """`yum update docker-ce docker-ce-cli` leaves them behind where nothing asks for them."""
    before = {**engine_of("26.1.4", "1.el7"), "docker-ce-rootless-extras": ("20.10.23", "3.el7")}
    host = StandIn(before, LISTED, plugins=PLUGINS)
    assert host.outcome()[:2] == ("done", True)
    assert host.installed["docker-ce-rootless-extras"] == ("26.1.4", "1.el7")
    assert host.installed["docker-ce"] == ("26.1.4", "1.el7")


def test_rootless_extras_that_the_older_engine_does_not_have_go_with_the_newer_one():
    """Engines before 20.10 have none; those of a later one would stay in the way of its files."""
    before = {**engine_of("26.1.4", "1.el7"), "docker-ce-rootless-extras": ("26.1.4", "1.el7")}
    host = StandIn(before, LISTED, plugins=PLUGINS, version="20.10.24")
    assert host.outcome()[:2] == ("done", True)
    assert "docker-ce-rootless-extras" not in host.installed


def test_a_held_repository_is_switched_on_for_its_own_transaction():
    host = StandIn(engine_of("20.10.24"), LISTED, version="26")
    host.outcome()
    assert [c for c in host.commands if "install" in c and "--enablerepo=docker-ce-stable" in c]
    host = StandIn({}, LISTED, engine=[], tools=["lvm2-1-1"])
    host.outcome()
    assert not [c for c in host.commands if "--enablerepo=docker-ce-stable" in c], "yum 3 refuses a name that it lacks"


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"version": "20.10.23"}, True),
        ({"version": "26"}, True),
        ({"version": "26", "live_restore": True}, True),
        ({"version": "20.10.23", "live_restore": True}, False),
        ({"version": "26", "restart": True}, False),
        ({"version": "26", "containers": ()}, False),
        ({"version": "20.10", "plugins": PLUGINS}, False),
    ],
)
def test_containers_stop_only_with_a_word(changes, asked):
    """Live restore carries containers over patch releases alone (Docker's documentation)."""
    host = StandIn(engine_of("20.10.24"), LISTED, **{"containers": ("web", "db"), **changes})
    kind, code, message = host.outcome()
    assert (kind == "failed") is asked
    if asked:
        assert code == "restart-needed"
        assert "db, web" in message
        assert "--restart" in message
        assert host.transactions == []


def test_a_client_alone_is_brought_back_without_a_word_because_nothing_stops():
    host = StandIn({**engine_of("20.10.23"), "docker-ce-cli": ("20.10.24", "3.el7")}, LISTED, containers=("web",))
    assert host.outcome()[:2] == ("done", True)
    assert host.transactions == [["downgrade docker-ce-cli-20.10.23-3.el7", "run", "exit"]]


def test_a_step_tells_what_became_of_what():
    said = sets.described(ENGINE, engine_of("20.10.24"), engine_of("20.10.23"))
    assert said == "docker-ce 20.10.24 (was 20.10.23), docker-ce-cli 20.10.24 (was 20.10.23), containerd.io 1.6.33"
