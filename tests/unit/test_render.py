"""The run tree: complete, repeatable by hand, and without a secret."""

import re

import yaml

from pydock_installer.model import Host, Plan, Secret
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.render import render, to_yaml
from pydock_installer.settings import Settings
from tests.unit.facts import bare, converged
from tests.unit.golden import golden


class Loader(yaml.SafeLoader):
    pass


Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))


def tree(*hosts, settings=None, facts=None):
    settings = settings or Settings(registry_mirrors=["https://docker.m.daocloud.io"])
    made = Plan(tuple(plan_host(h, (facts or {}).get(h.name) or bare("9"), settings, Wishes()) for h in hosts))
    return render(made, settings)


def inventory(made):
    return yaml.load(made.files["inventory/hosts.yml"], Loader)["docker"]["hosts"]


def test_a_fleet_of_three_releases_is_rendered_as_agreed():
    hosts = [Host("web7", "192.0.2.7"), Host("web8", "192.0.2.8", user="ops", port=2222), Host("web9", "192.0.2.9")]
    made = tree(*hosts, facts={"web7": bare("7"), "web8": bare("8"), "web9": bare("9")})
    for name in ("site.yml", "inventory/hosts.yml", "ansible.cfg"):
        golden(f"render/{name.replace('/', '-')}", made.files[name])


def test_hosts_with_nothing_to_do_are_left_out():
    from pydock_installer.repository import repository

    done = converged(repository("official", "centos/7").content)
    made = tree(Host("a", "192.0.2.1"), Host("b", "192.0.2.2"), facts={"a": done, "b": bare("7")})
    assert set(inventory(made)) == {"b"}


def test_only_the_roles_that_are_needed_are_in_the_tree():
    from dataclasses import replace

    from pydock_installer.repository import repository

    facts = replace(converged(repository("official", "centos/7").content), proof_record=None)
    made = tree(Host("a", "192.0.2.1"), facts={"a": facts})
    assert {name.split("/")[1] for name in made.files if name.startswith("roles/")} == {
        "docker_host",
        "docker_verify",
    }


def test_passwords_are_asked_for_and_written_nowhere():
    secret = Secret("pa55-word")
    hosts = [Host(n, f"192.0.2.{i}", password=secret, become_password=secret) for i, n in enumerate("abcde")]
    made = tree(*hosts)
    assert "pa55-word" not in "".join(made.files.values())
    assert [prompt.text for prompt in made.prompts] == ["SSH password for a, b, c and 2 more"]
    assert inventory(made)["a"]["ansible_password"] == "{{ pydock_secret_1 }}"


def test_prompts_are_short_enough_to_be_recognised():
    """ansible-runner looks at the last hundred characters only."""
    hosts = [Host(f"{'x' * 60}{i}", f"192.0.2.{i}", password=Secret(str(i))) for i in range(3)]
    made = tree(*hosts)
    texts = [prompt.text for prompt in made.prompts]
    assert max(map(len, texts)) < 90
    assert len(set(texts)) == 3


def test_braces_in_data_stay_braces():
    """Settings and hosts are data: Ansible must not template them."""
    text = to_yaml({"a": "{{ lookup('pipe', 'id') }}", "b": ["{% x %}"]})
    assert len(re.findall("!unsafe", text)) == 2
    assert yaml.load(text, Loader) == {"a": "{{ lookup('pipe', 'id') }}", "b": ["{% x %}"]}


def test_host_keys_are_strict():
    assert "StrictHostKeyChecking=yes" in tree(Host("a", "192.0.2.1")).files["ansible.cfg"]


def test_connections_are_not_shared_between_ssh_configurations(tmp_path):
    """The same name in two of them may be two hosts; Ansible tells its sockets apart by name alone."""
    files = [None, str(tmp_path / "a"), str(tmp_path / "b")]
    made = [render(Plan(()), Settings(ssh={"config": path})).files["ansible.cfg"] for path in files]
    places = [line for text in made for line in text.splitlines() if line.startswith("control_path_dir")]
    assert len(set(places)) == 3
    assert all(len(place) < 50 for place in places), "the path of a socket is limited"
