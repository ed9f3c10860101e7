"""The four modules that run on the hosts: what they decide, without a host. Python 2.7 to 3.12 must read them."""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import ansible.module_utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import planner, platforms
from pydock_installer.model import Host, Known, Package
from pydock_installer.repository import KEY_FILE, REPOSITORY_ID, repository
from pydock_installer.settings import DOCKER_KEY, Settings
from tests.unit.facts import converged

ROLES = Path(__file__).resolve().parents[2] / "roles"
FILES = sorted(ROLES.glob("*/*/*.py"))
# Where Ansible finds it once the role is loaded.
LIBRARIES = [str(path) for path in sorted(ROLES.glob("*/module_utils"))]
ansible.module_utils.__path__.extend(LIBRARIES)
modest = settings(max_examples=60, deadline=None)


def load(name):
    """A module by its path, as Ansible finds it: it is in no package."""
    (path,) = ROLES.glob(f"*/library/{name}.py")
    return execute(name, path)


def execute(name, path):
    """A file of Python, read as the module ``name``."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


packages, repositories = load("docker_packages"), load("docker_repository")
daemon, verify = load("docker_daemon"), load("docker_verify")
engine = importlib.import_module("ansible.module_utils.pydock_daemon_engine")


# -- the language


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
def load(path):
    made = types.ModuleType("made")
    exec(compile(io.open(path, "rb").read(), path, "exec"), made.__dict__)
    return made
packages, repositories, daemon, verify = [load(path) for path in sys.argv[1:]]
"""
    names = ("docker_packages", "docker_repository", "docker_daemon", "docker_verify")
    paths = [str(next(ROLES.glob(f"*/library/{name}.py"))) for name in names]
    done = subprocess.run(
        [old_python(), "-B", "-", ":".join(LIBRARIES), *paths], input=(head + body).encode(), capture_output=True, timeout=30
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


def test_python_2_7_merges_settings_that_are_not_ascii_into_a_file():
    """Ansible hands a module of Python 2 its parameters as bytes, json.loads gives text."""
    body = """
settings = {"labels": ["\\xe5\\x8c\\xba=\\xe4\\xb8\\x9c"]}
print(json.dumps(daemon.edit(u'{"debug": true}', settings)))
"""
    assert json.loads(run_old(body)) == {"debug": True, "labels": ["区=东"]}


# -- docker_packages: what rpm and yum said


def test_rpm_says_what_is_installed_and_what_is_not():
    text = (
        "docker-ce\t3\t20.10.24\t3.el7\tx86_64\npackage lvm2 is not installed\n"
        "gcc\t(none)\t4.8.5\t44.el7\tx86_64\ngcc\t(none)\t4.8.5\t39.el7\ti686\n"
    )
    assert packages.installed_packages(text) == {"docker-ce": ("20.10.24", "3.el7"), "gcc": ("4.8.5", "44.el7")}


YUM3 = """Loaded plugins: fastestmirror, ovl
Installed Packages
containerd.io.x86_64               1.6.33-3.1.el7              @docker-ce-stable
Available Packages
docker-ce.x86_64                   3:20.10.9-3.el7             docker-ce-stable
docker-ce.x86_64                   3:20.10.23-3.el7            docker-ce-stable
docker-ce-rootless-extras.x86_64   20.10.23-3.el7              docker-ce-stable
docker-ce-rootless-extras-with-a-name.x86_64
                                   26.1.4-1.el7                docker-ce-stable
docker-ce-cli.x86_64               1:26.1.4-1.el7
                                                               docker-ce-stable
"""
DNF = """Last metadata expiration check: 0:00:12 ago on Tue 05 Mar 2024 10:11:12 AM CST.
Installed Packages
docker-ce.x86_64             3:20.10.24-3.el9        @System
Available Packages
docker-ce.x86_64             3:26.1.4-1.el9          docker-ce-stable
docker-ce.x86_64             3:20.10.24-3.el9        docker-ce-stable
docker-ce.src                3:26.1.4-1.el9          docker-ce-source
"""


def test_a_list_of_yum_3_is_understood_though_it_wraps_its_rows():
    listed = packages.listed_packages(YUM3)
    assert listed["docker-ce"] == [("20.10.9", "3.el7"), ("20.10.23", "3.el7")]
    assert listed["docker-ce-rootless-extras-with-a-name"] == [("26.1.4", "1.el7")]
    assert listed["docker-ce-cli"] == [("26.1.4", "1.el7")]
    assert listed["containerd.io"] == [("1.6.33", "3.1.el7")]
    assert len(listed) == 5


def test_a_list_of_dnf_is_understood():
    """Installed and available in one, each version once, no sources."""
    assert packages.listed_packages(DNF) == {"docker-ce": [("20.10.24", "3.el9"), ("26.1.4", "1.el9")]}


@modest
@given(st.text(alphabet=st.sampled_from("a.x86_4 \n:-~^1é²\t") | st.characters(codec="utf-8"), max_size=200))
def test_no_list_breaks_the_reader(text):
    assert isinstance(packages.listed_packages(text), dict)
    assert isinstance(packages.installed_packages(text.replace(" ", "\t")), dict)


versions = st.tuples(
    st.text("0123456789.abz~_", min_size=1, max_size=8), st.text("0123456789.el", min_size=1, max_size=6)
)


@modest
@given(versions, versions, versions)
def test_versions_are_in_a_total_order(one, two, three):
    left, middle, right = sorted((one, two, three), key=packages.order)
    assert packages.order(left) <= packages.order(middle) <= packages.order(right)
    assert packages.order(left) <= packages.order(right)
    assert packages.order(one) == packages.order(tuple(one))
    assert (packages.order(one) < packages.order(two)) + (packages.order(two) < packages.order(one)) + (
        packages.order(one) == packages.order(two)
    ) == 1


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("20.10.9", "3.el7"), ("20.10.23", "3.el7")),
        (("20.10.23", "3.el7"), ("26.1.4", "1.el7")),
        (("1.6.33", "3.1.el7"), ("1.6.33", "3.2.el7")),
        (("1.2.0", "1.2.beta.2.el7"), ("1.2.0", "3.el7")),
        (("26.1", "1"), ("26.1.0", "1")),
        (("18.06.3.ce", "3.el7"), ("18.09.0", "3.el7")),
    ],
)
def test_numbers_count_as_numbers(older, newer):
    assert packages.order(older) < packages.order(newer)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("26.1.4", "26", True),
        ("26.1.4", "26.1", True),
        ("26.1.4", "26.1.4", True),
        ("26.1.4", "latest", True),
        ("26.1.4", "2", False),
        ("26.10.1", "26.1", False),
        ("26.1", "26.1.4", False),
    ],
)
def test_the_beginning_of_a_version_is_enough(version, wanted, fits):
    assert packages.matches(version, wanted) is fits


number = st.from_regex(r"\d{1,2}(\.\d{1,2}){0,3}", fullmatch=True)


@modest
@given(number, number)
def test_planner_and_module_agree_on_which_version_fits(version, wanted):
    """Otherwise a plan would promise what the run does not do, or be never empty."""
    assert packages.matches(version, wanted) == planner.matches(version, wanted)


@pytest.mark.parametrize(
    ("said", "holder"),
    [
        (
            "Existing lock /var/run/yum.pid: another copy is running as pid 4711.\n"
            "Another app is currently holding the yum lock; exiting as configured by exit_on_lock\n",
            "4711",
        ),
        (
            "Existing lock /var/run/yum.pid: another copy is running as pid 815.\n"
            "Another app is currently holding the yum lock; waiting for it to exit...\n  The other application is: yum",
            "815",
        ),
        ("Another app is currently holding the yum lock; exiting as configured by exit_on_lock", ""),
        ("Error: Failed to obtain the transaction lock (logged in as: root).\nMetadata already locked by 815", "815"),
        ("Waiting for process with pid 42 to finish.\nError: Failed to obtain the metadata lock", "42"),
        ("error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)", ""),
        ("No package docker-ce-19.03.1 available.\nError: Nothing to do", None),
        ("[Errno 12] Timeout on URL: (28, 'Connection timed out after 30001 milliseconds')", None),
        ("", None),
    ],
)
def test_who_holds_the_lock_is_told_by_yum_3_and_dnf_alike(said, holder):
    assert packages.lock_holder(said) == holder
    if "transaction lock on" not in said:
        assert repositories.lock_holder(said) == holder


@pytest.mark.parametrize("module", [packages, repositories], ids=["packages", "repositories"])
def test_a_package_manager_that_does_not_know_the_option_is_not_taken_for_a_locked_one(module):
    """``--setopt`` of an unknown key is no error, but it is talked about with every other failure."""
    said = "Main config did not have a exit_on_lock attr. before setopt\nError: Nothing to do\n"
    assert module.lock_holder(said) is None


def test_what_still_needs_an_old_package_is_named_once():
    said = (
        "error: Failed dependencies:\n"
        "\tdocker is needed by (installed) cockpit-docker-195.6-1.el7.x86_64\n"
        "\tdocker-common = 2:1.13.1 is needed by (installed) cockpit-docker-195.6-1.el7.x86_64\n"
        "\tdocker is needed by atomic-1.22.1-33.el7.x86_64\n"
    )
    assert packages.needed_by(said) == ["atomic-1.22.1-33.el7.x86_64", "cockpit-docker-195.6-1.el7.x86_64"]


# -- docker_packages: what to do

ENGINE = ["docker-ce", "docker-ce-cli", "containerd.io"]
PLUGINS = ["docker-buildx-plugin", "docker-compose-plugin", "docker-ce-rootless-extras"]
LISTED = {
    "docker-ce": [("18.06.3.ce", "3.el7"), ("20.10.23", "3.el7"), ("20.10.24", "3.el7"), ("26.1.4", "1.el7")],
    "docker-ce-cli": [("20.10.23", "3.el7"), ("20.10.24", "3.el7"), ("26.1.3", "1.el7"), ("26.1.4", "1.el7")],
    "containerd.io": [("1.4.4", "3.1.el7"), ("1.6.33", "3.1.el7")],
    "docker-ce-rootless-extras": [("20.10.23", "3.el7"), ("26.1.4", "1.el7")],
    "docker-compose-plugin": [("2.6.0", "3.el7"), ("2.27.1", "1.el7")],
}


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
    assert packages.engine_is_wanted(installed, ENGINE, version) is wanted


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
    assert planned(installed, version) == packages.engine_is_wanted(installed, ENGINE, version)


def test_an_engine_with_the_client_of_another_version_is_in_the_plan():
    """``yum install docker-ce-20.10.23`` of yum 3 brings the newest client: such hosts are common."""
    installed = {**engine_of("20.10.23"), "docker-ce-cli": ("26.1.4", "1.el7")}
    assert planned(installed, "latest") == packages.engine_is_wanted(installed, ENGINE, "latest")


@pytest.mark.parametrize(
    ("version", "number"), [("latest", "26.1.4"), ("26", "26.1.4"), ("20.10", "20.10.24"), ("20.10.23", "20.10.23")]
)
def test_engine_and_client_get_one_version(version, number):
    chosen = packages.choose_versions({}, LISTED, ENGINE, PLUGINS, version)
    assert chosen["docker-ce"][0] == chosen["docker-ce-cli"][0] == number
    assert chosen.get("docker-ce-rootless-extras", (number,))[0] == number
    assert chosen["containerd.io"] == ("1.6.33", "3.1.el7")


def test_plugins_that_the_repository_does_not_have_are_left_out():
    chosen = packages.choose_versions({}, LISTED, ENGINE, PLUGINS, "20.10.24")
    assert set(chosen) == {*ENGINE, "docker-compose-plugin"}


def test_a_version_that_fits_is_kept_and_what_is_missing_comes_in_that_version():
    installed = {"docker-ce": ("20.10.23", "3.el7"), "containerd.io": ("1.4.4", "3.1.el7")}
    chosen = packages.choose_versions(installed, LISTED, ENGINE, [], "20.10")
    assert chosen == engine_of("20.10.23", containerd=("1.4.4", "3.1.el7"))
    assert packages.transaction(installed, [], [], chosen) == ([], ["docker-ce-cli-20.10.23-3.el7"], [])


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
    with pytest.raises(packages.NoSuchVersion, match=said):
        packages.choose_versions({}, LISTED, ENGINE, PLUGINS, version)


def test_a_repository_without_the_engine_is_refused_by_name():
    with pytest.raises(packages.NoSuchVersion, match=r"no containerd\.io"):
        packages.choose_versions({}, {k: v for k, v in LISTED.items() if k != "containerd.io"}, ENGINE, [], "latest")


def test_a_pin_names_version_and_release_but_no_epoch():
    """yum 3 takes an epoch only together with the architecture."""
    _removals, installs, _downgrades = packages.transaction(
        {}, [], ["gcc"], packages.choose_versions({}, LISTED, ENGINE, [], "26")
    )
    assert installs == ["gcc", "containerd.io-1.6.33-3.1.el7", "docker-ce-26.1.4-1.el7", "docker-ce-cli-26.1.4-1.el7"]
    assert not any(":" in name for name in installs)


def test_an_older_version_is_a_downgrade_because_yum_3_would_do_nothing():
    installed = {**engine_of("26.1.4", "1.el7"), "docker": ("1.13.1", "209.el7")}
    chosen = packages.choose_versions(installed, LISTED, ENGINE, [], "20.10.23")
    removals, installs, downgrades = packages.transaction(installed, ["docker", "docker-common"], ["gcc"], chosen)
    assert removals == ["docker"]
    assert installs == ["gcc"]
    assert downgrades == ["docker-ce-20.10.23-3.el7", "docker-ce-cli-20.10.23-3.el7"]


def test_one_script_carries_the_whole_transaction_and_ends_by_itself():
    script = packages.shell_script(["docker"], ["gcc", "docker-ce-26.1.4-1.el7"], ["docker-ce-cli-26.1.4-1.el7"])
    assert script.splitlines() == [
        "remove docker",
        "downgrade docker-ce-cli-26.1.4-1.el7",
        "install gcc docker-ce-26.1.4-1.el7",
        "run",
        "exit",
    ]
    assert packages.shell_script([], ["gcc"], []).splitlines() == ["install gcc", "run", "exit"]


@modest
@given(
    st.dictionaries(
        st.sampled_from([*ENGINE, *PLUGINS]), st.sampled_from([("20.10.23", "3.el7"), ("26.1.4", "1.el7")])
    ),
    st.sampled_from(["latest", "20", "20.10", "20.10.23", "26", "26.1.4"]),
)
def test_a_chosen_set_is_consistent_and_choosing_again_changes_nothing(installed, version):
    chosen = packages.choose_versions(installed, LISTED, ENGINE, PLUGINS, version)
    assert set(ENGINE) <= set(chosen)
    assert chosen["docker-ce"][0] == chosen["docker-ce-cli"][0]
    assert packages.matches(chosen["docker-ce"][0], version)
    after = {**installed, **chosen}
    assert not packages.engine_is_wanted(after, ENGINE, version)
    assert packages.transaction(after, [], [], packages.choose_versions(after, LISTED, ENGINE, PLUGINS, version)) == (
        [],
        [],
        [],
    )


class EndedError(Exception):
    """A module's last word."""


class StandIn:
    """As much of a host as docker_packages asks: rpm's database, and a yum that does what it is told."""

    check_mode = False

    def __init__(self, installed, listed, answers=None, brings=None, **params):
        defaults = {
            "absent": [],
            "compilers": False,
            "tools": [],
            "engine": ENGINE,
            "plugins": [],
            "version": "latest",
        }
        self.params = {**defaults, "repository_id": "docker-ce-stable", "lock_timeout": 0, **params}
        self.installed, self.listed = dict(installed), listed
        self.answers, self.brings, self.transactions = answers or {}, brings or {}, []

    def run_command(self, command, expand_user_and_vars=True, handle_exceptions=True):
        words = [word for word in command[1:] if not word.startswith("-")]
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


# -- docker_repository


@pytest.mark.parametrize("path", ["centos/7", "centos/8", "rhel/9"])
@pytest.mark.parametrize("mirror", [*platforms.mirrors(), "https://repo.example.com/docker"])
def test_the_module_writes_the_file_that_the_planner_expects(mirror, path):
    """Else a second plan would never be empty."""
    wanted = repository(mirror, path)
    assert repositories.render(wanted.baseurl, REPOSITORY_ID, KEY_FILE) == wanted.content
    assert repositories.problem_with(wanted.baseurl, wanted.key_url, REPOSITORY_ID, DOCKER_KEY, KEY_FILE) is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"baseurl": "https://m.example/x\ngpgcheck=0"}, "baseurl"),
        ({"baseurl": "https://m.example/x\n"}, "baseurl"),
        ({"baseurl": "ftp://m.example/x"}, "baseurl"),
        ({"baseurl": "https://m.example/a b"}, "baseurl"),
        ({"baseurl": "/etc"}, "baseurl"),
        ({"key_url": "file:///etc/shadow"}, "key_url"),
        ({"key_url": "-o/etc/passwd"}, "key_url"),
        ({"repository_id": "a]\n[b"}, "repository_id"),
        ({"repository_id": "*"}, "repository_id"),
        ({"repository_id": "--nogpgcheck"}, "repository_id"),
        ({"fingerprint": DOCKER_KEY[-16:]}, "fingerprint"),
        ({"fingerprint": DOCKER_KEY + "\n"}, "fingerprint"),
        ({"local_key": "key"}, "local_key"),
        ({"local_key": "/etc/a\ngpgcheck=0"}, "local_key"),
    ],
)
def test_a_value_that_would_smuggle_an_option_into_the_file_is_refused(changes, named):
    values = {
        "baseurl": "https://m.example/7",
        "key_url": "https://m.example/gpg",
        "repository_id": "docker-ce-stable",
        "fingerprint": DOCKER_KEY,
        "local_key": KEY_FILE,
    }
    assert repositories.problem_with(**values) is None
    assert repositories.problem_with(**{**values, **changes}).startswith(named)


def test_a_fingerprint_is_taken_as_people_write_it():
    assert repositories.normal_fingerprint("060a 61c5 1b55 8a7f 742b  77aa c52f eb6b 621e 9f35") == DOCKER_KEY


GPG_NEW = f"""pub:-:4096:1:C52FEB6B621E9F35:1487788586:::-:::scSC::::::23::0:
fpr:::::::::{DOCKER_KEY}:
uid:-::::1487792064::D4::Docker Release (CE rpm) <docker@docker.com>::::::::::0:
sub:-:4096:1:94B36C0A9D07D3D7:1487788586::::::s::::::23:
fpr:::::::::{"A" * 40}:
"""
GPG_OLD = f"""pub:-:4096:1:C52FEB6B621E9F35:2017-02-22:::-:::
fpr:::::::::{DOCKER_KEY.lower()}:
uid:::::::::Docker Release::
"""


@pytest.mark.parametrize("listing", [GPG_NEW, GPG_OLD], ids=["gpg 2.3", "gpg 2.0"])
def test_the_fingerprint_of_the_primary_key_is_read_not_that_of_a_subkey(listing):
    assert repositories.primary_fingerprints(listing) == [DOCKER_KEY]


def test_a_file_with_two_keys_shows_both():
    """So that a second key beside the pinned one is not trusted with it."""
    two = GPG_NEW + GPG_OLD.replace(DOCKER_KEY.lower(), "B" * 40)
    assert repositories.primary_fingerprints(two) == [DOCKER_KEY, "B" * 40]
    assert repositories.primary_fingerprints("gpg: no valid OpenPGP data found.\n") == []


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("f4a80eb5\n621e9f35\n", True),
        (DOCKER_KEY.lower() + "\n", True),
        ("f4a80eb5\n", False),
        ("package gpg-pubkey is not installed\n", False),
        ("35\n", False),
        ("", False),
    ],
)
def test_a_key_in_rpms_database_is_recognised_by_its_short_and_its_long_name(said, known):
    assert repositories.imported(said, DOCKER_KEY) is known


YUM3_PROGRAM = b"#!/usr/bin/python\nimport sys\nsys.path.insert(0, '/usr/share/yum-cli')\nimport yummain\n"


def test_yum_3_is_told_from_dnf_under_its_name():
    assert repositories.is_yum3("/usr/bin/yum", YUM3_PROGRAM)
    assert not repositories.is_yum3("/usr/bin/dnf-3", b"#!/usr/libexec/platform-python\nfrom dnf.cli import main\n")
    assert not repositories.is_yum3("/usr/bin/yum", b"\x7fELF")


def test_the_word_fast_is_for_yum_3_alone():
    """dnf refuses it; neither gets an option that one of them does not know."""
    old, new = (repositories.makecache_command("docker-ce-stable", yum3) for yum3 in (True, False))
    assert old == [*new, "fast"]
    assert new[-1] == "makecache"
    assert {"--disablerepo=*", "--enablerepo=docker-ce-stable"} <= set(new)
    assert all(option.startswith(("-q", "--setopt=", "--disablerepo=", "--enablerepo=")) for option in new[1:-1])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[main]\ngpgcheck=1\n", ""),
        ("[main]\nproxy=_none_\n", ""),
        ("[main]\n#proxy=http://p:3128\n", ""),
        ("[main]\nproxy =  http://p:3128  \n", 'proxy = "http://p:3128"\n'),
        (
            '[main]\nproxy=http://p:3128\nproxy_username=ops\nproxy_password=a"b\\c\n',
            'proxy = "http://p:3128"\nproxy-user = "ops:a\\"b\\\\c"\n',
        ),
    ],
)
def test_curl_goes_through_the_proxy_that_yum_uses(text, wanted):
    assert repositories.curl_settings(text) == wanted


def test_the_proxy_of_one_repository_is_not_yums_proxy():
    """yum.conf may hold repositories of its own below [main]."""
    text = "[main]\nproxy=http://p:3128\n[internal]\nbaseurl=http://i/\nproxy=_none_\n"
    assert repositories.curl_settings(text) == 'proxy = "http://p:3128"\n'


# -- docker_daemon


def test_an_address_keeps_its_host_and_loses_its_password():
    told = daemon.without_passwords(
        {
            "proxies": {"http-proxy": "http://ops:pa55@p:3128"},
            "registry-mirrors": ["https://u:pa55@m/"],
            "debug": True,
        }
    )
    assert told == {
        "proxies": {"http-proxy": "http://***@p:3128"},
        "registry-mirrors": ["https://***@m/"],
        "debug": True,
    }
    assert "pa55" not in daemon.without_passwords('{"http-proxy": "http://ops:pa55@p:3128", "debug": true}')
    assert daemon.without_passwords("user@example.com https://m/a@b") == "user@example.com https://m/a@b"


SIGNAL = 'level=info msg="Got signal to reload configuration, reloading from: /etc/docker/daemon.json"\n'
TAKEN = 'level=info msg="Reloaded configuration: {}"\n'
REFUSED = 'level=error msg="Error reconfiguring the daemon: invalid mirror"\n'
OLD_TROUBLE = 'level=error msg="Handler for POST /v1.41/images/create returned error: not found"\n'


@pytest.mark.parametrize(
    ("journal", "verdict"),
    [
        (SIGNAL + TAKEN, True),
        (SIGNAL + REFUSED, False),
        (SIGNAL + "level=error msg=\"invalid character '}' looking for beginning of object key string\"\n", False),
        (SIGNAL, None),
        ("", None),
        (OLD_TROUBLE + SIGNAL + TAKEN, True),
        (SIGNAL + REFUSED + SIGNAL + TAKEN, True),
        (SIGNAL + TAKEN + SIGNAL, None),
    ],
)
def test_the_journal_tells_whether_a_reload_was_taken(journal, verdict):
    assert engine.reload_verdict(journal) is verdict


def test_trouble_from_before_the_reload_is_no_verdict_on_it():
    """The journal lags behind the signal, and an engine with log-level warn never logs it."""
    assert engine.reload_verdict(OLD_TROUBLE) is None


# -- docker_verify


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("26.1.4 26.1.4\n", ("26.1.4", "26.1.4")),
        ("26.1.4 \n", ("26.1.4", None)),
        ("26.1.4 <no value>", ("26.1.4", None)),
        ("", (None, None)),
    ],
)
def test_a_silent_server_has_no_version(said, found):
    assert verify.versions(said) == found


def test_an_image_that_was_there_is_not_called_pulled():
    assert verify.was_pulled("Unable to find image 'hello-world:latest' locally\n")
    assert not verify.was_pulled("")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "Unable to find image 'hello-world:latest' locally\n"
            'docker: Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled.\n'
            "See 'docker run --help'.\n",
            'Get "https://registry-1.docker.io/v2/": net/http: request canceled',
        ),
        (
            "docker: Error response from daemon: toomanyrequests.\n\nRun 'docker run --help' for more information\n",
            "toomanyrequests",
        ),
        ("docker: permission denied\n", "permission denied"),
        ("something odd\n", "something odd"),
        ("", "it said nothing"),
    ],
)
def test_the_cause_is_the_line_that_says_most(said, cause):
    assert verify.cause(said) == cause
    assert len(verify.cause(said * 50 + "x" * 1000)) <= 300


def test_the_evidence_is_what_the_engine_complains_about():
    journal = (
        'level=info msg="API listen on /run/docker.sock"\n'
        'level=warning msg="Error getting v2 registry: x509: certificate signed by unknown authority"\n'
        'level=info msg="Attempting next endpoint for pull after error: 403"\n'
        'level=info msg="trying next host" error="timeout"\n'
    )
    assert verify.telling_lines(journal).splitlines() == journal.splitlines()[1:]
    assert len(verify.telling_lines("level=error\n" * 500).splitlines()) == 20


RECORD = {"server": "26.1.4", "client": "26.1.4", "image": "hello-world", "registry_mirrors": [], "time": "now"}


@pytest.mark.parametrize(
    ("old", "differs"),
    [
        (json.dumps({**RECORD, "time": "long ago"}), False),
        (json.dumps({**RECORD, "server": "20.10.24"}), True),
        (json.dumps({**RECORD, "registry_mirrors": ["https://m/"]}), True),
        ("", True),
        ("{", True),
        ("[]", True),
    ],
)
def test_a_record_is_written_only_if_it_says_something_new(old, differs):
    assert verify.record_differs(old, RECORD) is differs


def test_mirrors_are_compared_the_same_way_by_both_modules():
    given_ones = ["https://a", "https://a/", "https://b//"]
    assert verify.normal_mirrors(given_ones) == daemon.normal_mirrors(given_ones) == ["https://a/", "https://b/"]
    assert verify.normal_mirrors(None) == daemon.normal_mirrors(None) == []


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


def test_the_journal_tells_what_a_transaction_did_and_leaves_keys_out():
    before = {"docker-1.13.1-1.el7.x86_64", "bash-4.2-1.el7.x86_64"}
    after = {"bash-4.2-1.el7.x86_64", "docker-ce-26.1.4-1.el7.x86_64", "gpg-pubkey-621e9f35-58adea78.(none)"}
    assert packages.difference(before, after) == (
        ["docker-ce-26.1.4-1.el7.x86_64"],
        ["docker-1.13.1-1.el7.x86_64"],
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("proxy http://ops:s3cret@proxy.example:3128 refused", "proxy http://***@proxy.example:3128 refused"),
        ("Authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "Authorization: Bearer ***"),
        ("?X-Amz-Credential=AKIA%2F2025&X-Amz-Expires=1200&X-Amz-Signature=a11d9279", "?X-Amz-Credential=***&X-Amz-Expires=1200&X-Amz-Signature=***"),
        ('{"password": "hunter22", "user": "ops"}', '{"password": "***", "user": "ops"}'),
        ('msg="login with \\"token\\": \\"abcdefgh\\""', 'msg="login with \\"token\\": \\"***\\""'),
    ],
)  # fmt: skip
def test_what_a_failure_tells_holds_no_secret(said, shown):
    assert verify.without_secrets(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        'Get "https://registry.example/v2/": unauthorized: authentication required',
        "failed to authorize: failed to fetch anonymous token: unexpected status",
        'Get "https://auth.docker.io/token?scope=repository%3Alibrary%2Fhello-world%3Apull": EOF',
        "Www-Authenticate: Basic realm",
    ],
)
def test_what_is_no_secret_stays_to_be_understood(said):
    assert verify.without_secrets(said) == said


@modest
@given(st.text(alphabet=st.sampled_from("://@ \"'=\\token&\n") | st.characters(codec="utf-8"), max_size=300))
def test_no_text_breaks_what_hides_secrets(text):
    assert "@" not in verify.without_secrets(f"http://u:{''.join(c for c in text if c.isalnum())}@h").replace("***@", "")


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("Unable to find image 'hello-world:latest' locally\ndocker: Error response from daemon: Get x.\n", True),
        ("Unable to find image 'hello-world:latest' locally\nlatest: Pulling from library/hello-world\n", True),
        (
            "Unable to find image 'hello-world:latest' locally\nStatus: Downloaded newer image for hello-world:latest\n"
            "docker: Error response from daemon: OCI runtime create failed.\n",
            False,
        ),
        ("docker: Error response from daemon: OCI runtime create failed.\n", False),
    ],
)
def test_a_pull_that_failed_is_told_from_a_run_that_failed(said, absent):
    assert verify.never_arrived(said) is absent


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("LoadState=loaded\nActiveState=failed\nResult=exit-code\n", "docker.service is failed (exit-code)"),
        ("LoadState=loaded\nActiveState=inactive\nResult=success\n", "docker.service is inactive"),
        ("LoadState=masked\nActiveState=inactive\nResult=success\n", "docker.service is masked"),
        ("LoadState=not-found\nActiveState=inactive\n", "systemd knows no docker.service"),
        ("", "systemd knows no docker.service"),
    ],
)
def test_the_state_of_the_service_is_told(said, told):
    assert verify.unit_state(said) == told


def test_a_service_that_does_not_start_is_told_by_all_but_its_chatter():
    journal = (
        "Starting Docker Application Container Engine...\n"
        'time="x" level=info msg="Starting up"\n'
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: EOF\n"
        "Failed to start Docker Application Container Engine.\n"
    )
    assert verify.telling_lines(journal, chatter=False).splitlines() == journal.splitlines()[2:]
