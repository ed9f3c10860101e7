"""A role's files say the same: specification, defaults, task, module, README, and what a run tree tells it."""

import re

import pytest
import yaml

from pydock_installer.absence import Consents, plan_absence
from pydock_installer.model import Host, HostPlan, Known, Plan, Step
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.render import PARTS, ROLE_OF_STEP, SHARED_ROLE, render
from pydock_installer.settings import Settings
from tests.unit.facts import bare, installed
from tests.unit.modules import ROLES, load
from tests.unit.traces import seen

#: Those of release 6 have no module: tests/unit/test_role_legacy.py and test_role_legacy_absent.py; docker_apply does the
#: work of others: test_role_apply.py.
OTHERS = {"docker_legacy", "docker_legacy_absent", "docker_apply"}
NAMES = sorted({path.parent.parent.name for path in ROLES.glob("*/tasks/main.yml")} - OTHERS)
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
each_role = pytest.mark.parametrize("role", NAMES)


class Loader(yaml.SafeLoader):
    """YAML as Ansible writes it."""


Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))


def read(role, path):
    return yaml.load((ROLES / role / path).read_text(encoding="utf-8"), Loader)


def specification(role):
    return read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def task(role):
    """The role's one task: its module, and the module's options."""
    (only,) = read(role, "tasks/main.yml")
    (module,) = set(only) & {path.stem for path in ROLES.glob("*/library/*.py")}
    options = dict(only[module])
    assert options.pop("turn") == TURN
    return module, options


#: What every module is told of the run that it belongs to.
TURN = "{{ pydock_turn | default({}) }}"


class SeenError(Exception):
    """Where a module would have asked Ansible for its parameters."""


def argument_spec(module):
    """The parameters that a module tells Ansible it takes."""
    loaded, seen = load(module), {}

    def ask(argument_spec, **rest):
        seen.update(rest, argument_spec=argument_spec)
        raise SeenError

    loaded.HostModule = ask
    with pytest.raises(SeenError):
        loaded.main()
    return seen


def told(*hosts, **changes):
    """The variables of a run tree, by host."""
    settings = Settings(**changes)
    plan = Plan(tuple(plan_host(host, facts, settings, Wishes(replace_podman=True)) for host, facts in hosts))
    made = render(plan, settings)
    return {name: flat(entry) for name, entry in variables(made).items()}, made


def variables(made):
    """What the inventory of a run tree says of each host."""
    return yaml.load(made.files["inventory/hosts.yml"], Loader)["docker"]["hosts"]


def flat(variables):
    """What docker_apply is told for the roles whose work it does, as those roles themselves would be told."""
    parts = variables.get("docker_apply_parts", {})
    names = {f"{role}_{name}": value for role, options in parts.items() for name, value in options.items()}
    roles = list(parts) or variables["pydock_roles"]
    others = {name: value for name, value in variables.items() if name != "docker_apply_parts"}
    return {**others, **names, "pydock_roles": roles}


@each_role
def test_the_specification_names_the_variables_that_have_a_default(role):
    defaults, options = read(role, "defaults/main.yml"), specification(role)
    assert set(defaults) == set(options)
    assert all(name.startswith(f"{role}_") for name in options)


@each_role
def test_a_default_has_the_type_that_is_specified(role):
    defaults = read(role, "defaults/main.yml")
    for name, option in specification(role).items():
        assert type(defaults[name]) is TYPES[option["type"]], name
        assert option["description"], name
        if option["type"] == "list":
            assert all(isinstance(entry, TYPES[option["elements"]]) for entry in defaults[name]), name
        assert "default" not in option or option["default"] == defaults[name]


@each_role
def test_every_variable_reaches_the_module(role):
    _module, options = task(role)
    used = {re.fullmatch(r"\{\{ (\w+) \}\}", text).group(1) for text in options.values()}
    assert used == set(specification(role))
    assert all(value == "{{ " + f"{role}_{key}" + " }}" for key, value in options.items()), (
        "the names are the module's"
    )


@each_role
def test_the_task_gives_the_module_what_it_takes(role):
    module, given = task(role)
    documented = yaml.safe_load(load(module).DOCUMENTATION)["options"]
    assert documented.pop("turn")["type"] == "dict"
    spec = argument_spec(module)["argument_spec"]
    assert set(given) <= set(documented)
    assert set(documented) == set(spec)
    assert {name for name, option in spec.items() if option.get("required")} <= set(given)


@each_role
def test_a_variable_has_the_type_of_the_modules_option(role):
    module, given = task(role)
    spec, options = argument_spec(module)["argument_spec"], specification(role)
    for name in given:
        variable = options[f"{role}_{name}"]
        assert (variable["type"], variable.get("elements")) == (spec[name]["type"], spec[name].get("elements")), name


@each_role
def test_a_module_is_documented_as_it_is(role):
    module, _given = task(role)
    documentation = yaml.safe_load(load(module).DOCUMENTATION)
    assert documentation["module"] == module
    for name, option in argument_spec(module)["argument_spec"].items():
        described = documentation["options"][name]
        for key in ("type", "elements", "default", "required"):
            assert described.get(key) == option.get(key), f"{name}: {key}"


@each_role
def test_a_module_can_be_tried_without_changing_anything(role):
    assert argument_spec(task(role)[0])["supports_check_mode"] is True


@each_role
def test_the_examples_and_the_results_are_yaml(role):
    module = load(task(role)[0])
    (example,) = yaml.safe_load(module.EXAMPLES)
    assert set(example[task(role)[0]]) <= set(yaml.safe_load(module.DOCUMENTATION)["options"])
    assert {"steps", "code", "evidence"} <= set(yaml.safe_load(module.RETURN))


@each_role
def test_the_readme_names_every_variable_with_its_default(role):
    text = (ROLES / role / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", text, re.MULTILINE))
    assert set(rows) == set(specification(role))
    for name, default in read(role, "defaults/main.yml").items():
        assert yaml.safe_load(rows[name]) == default if "{{" not in str(default) else rows[name] == default


@each_role
def test_the_role_says_who_it_is(role):
    meta = read(role, "meta/main.yml")
    assert meta["galaxy_info"]["role_name"] == role
    assert meta["dependencies"] == [{"role": SHARED_ROLE}]
    assert read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["short_description"]


def test_every_step_of_a_plan_has_a_role():
    assert set(ROLE_OF_STEP.values()) == set(NAMES)


HOSTS = [
    (Host("bare", "192.0.2.7"), bare("7")),
    (Host("old", "192.0.2.8"), bare("8", packages=installed("docker", "docker-common", "gcc"))),
    (Host("podman", "192.0.2.9"), bare("9", packages=installed("podman", "runc"), daemon_json=Known("{}"))),
]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"docker_version": "26", "compilers": False, "repository": "aliyun"},
        {
            "registry_mirrors": ["https://m.example"],
            "daemon": {"log-opts": {"max-size": "10m"}},
            "verify": {"image": "a/b"},
        },
    ],
)
def test_what_a_run_tree_tells_a_role_is_in_its_specification(changes):
    """A word that no role knows would be lost without a sound; one of a wrong type would end the run."""
    options = {name: option for role in NAMES for name, option in specification(role).items()}
    hosts, _made = told(*HOSTS, **changes)
    assert set(hosts) == {"bare", "old", "podman"}
    for variables in hosts.values():
        for name, value in variables.items():
            if name == "pydock_roles" or name.startswith("ansible_"):
                continue
            option = options[name]
            assert type(value) is TYPES[option["type"]], name
            if option["type"] == "list":
                assert all(isinstance(entry, str) for entry in value), name
        assert all(any(name.startswith(f"{role}_") for name in variables) for role in variables["pydock_roles"])


def test_a_run_tree_carries_the_whole_role():
    """It works without pydock: task, module, defaults and specification are in it, and nothing else of pydock's."""
    facts = bare("9")
    trees = {"docker_absent": render(Plan((absence(),)), Settings())}
    for step, role in ROLE_OF_STEP.items():
        if role in PARTS:
            entry = HostPlan(Host("a", "192.0.2.1"), facts, (), (Step(step, "", ""),))
            trees[role] = render(Plan((entry,)), Settings())
    for role, made in trees.items():
        held = {name.removeprefix(f"roles/{role}/") for name in made.files if name.startswith(f"roles/{role}/")}
        assert {
            "tasks/main.yml",
            "defaults/main.yml",
            "meta/argument_specs.yml",
            f"library/{task(role)[0]}.py",
        } <= held
        assert not [name for name in held if "__pycache__" in name]


CAUTIOUS = Consents()


def absence(consents=CAUTIOUS):
    """What is planned for a host that is to lose an engine."""
    facts = bare("9", packages=installed("docker-ce", "docker-ce-cli", "containerd.io"))
    return plan_absence(Host("gone", "192.0.2.10"), facts, seen(), consents)


def test_what_an_uninstallation_tells_its_role_is_in_the_specification():
    consents = Consents(purge_data=True, purge_config=True, with_tools=True, foreign=True, follow_links=True)
    options = specification("docker_absent")
    for entry in (absence(), absence(consents)):
        assert set(entry.variables) == set(options) - {"docker_absent_lock_timeout"}
        assert all(type(value) is TYPES[options[name]["type"]] for name, value in entry.variables.items())
    defaults = read("docker_absent", "defaults/main.yml")
    assert {name: defaults[name] for name in absence().variables} == absence().variables


def test_the_defaults_of_the_roles_are_those_of_pydock():
    """So that the roles alone make the same hosts."""
    hosts, _made = told(HOSTS[0], repository="official")
    for role in NAMES:
        for name, default in read(role, "defaults/main.yml").items():
            wanted = default
            if isinstance(default, str):
                wanted = default.replace("{{ ansible_facts['distribution_major_version'] }}", "7")
            # Told is whether a transaction follows, which a role by itself cannot know.
            if name != "docker_repositories_makecache":
                assert hosts["bare"].get(name, wanted) == wanted, name
