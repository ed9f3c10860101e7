"""Hosts from inventories: read as Ansible reads them, mistakes named where they stand, passwords kept secret."""

import pytest

from pydock_installer.errors import InventoryError
from pydock_installer.fleet import Login, from_inventory
from pydock_installer.model import Secret
from tests.unit.inventories import INI, NOBODY, complaint, inventory, names, read


def test_an_ini_inventory_gives_hosts_and_their_connection_variables(tmp_path):
    web1, web2, db1 = read(tmp_path, INI)
    assert (web1.name, web1.address, web1.user, web1.port) == ("web1", "192.0.2.11", "ops", 2222)
    assert (web2.name, web2.address, web2.user, web2.port) == ("web2", "192.0.2.12", None, None)
    assert (db1.identity_file, db1.interpreter) == ("/keys/db", "/opt/python")


def test_a_yaml_inventory_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ops")
    text = """\
all:
  vars: {ansible_user: ops, ansible_python_interpreter: auto_silent}
  children:
    web:
      hosts:
        web[1:2]: {ansible_ssh_common_args: "-o ProxyJump='a b'", ansible_ssh_extra_args: -4}
        six: {ansible_host: "2001:db8::1", ansible_ssh_host: 192.0.2.9, ansible_private_key_file: ~/key}
"""
    web1, web2, six = read(tmp_path, text, "hosts.yml")
    assert [web1.name, web2.name] == ["web1", "web2"]
    assert web1.ssh_arguments == ("-o", "ProxyJump=a b", "-4")
    assert (six.address, six.identity_file, six.user) == ("2001:db8::1", "/home/ops/key", "ops")
    assert six.interpreter is None, "auto is left to the release of the host"


def test_a_directory_brings_group_vars_and_host_vars(tmp_path):
    inventory(tmp_path, "[web]\nweb1\nweb2\n", "fleet/hosts")
    inventory(tmp_path, "ansible_user: ops\nansible_port: 2200\n", "fleet/group_vars/web.yml")
    inventory(tmp_path, "ansible_port: '{{ 2000 + 22 }}'\n", "fleet/host_vars/web2.yml")
    web1, web2 = from_inventory([tmp_path / "fleet"], NOBODY, "all", None)
    assert (web1.user, web1.port) == ("ops", 2200)
    assert (web2.user, web2.port) == ("ops", 2022)


def test_several_inventories_add_up(tmp_path):
    first, second = (
        inventory(tmp_path, "web1\n", "a.ini"),
        inventory(tmp_path, "web2\nweb1 ansible_port=23\n", "b.ini"),
    )
    hosts = from_inventory([first, second], NOBODY, "all", None)
    assert [(host.name, host.port) for host in hosts] == [("web1", 23), ("web2", None)]


def test_a_list_with_a_comma_is_an_inventory_of_its_own():
    assert names(from_inventory(["web1,web2"], NOBODY, "all", None)) == ["web1", "web2"]


def test_localhost_is_not_part_of_a_fleet_unless_it_is_named(tmp_path):
    text = "localhost ansible_host=192.0.2.5\nweb1\n"
    assert names(read(tmp_path, text)) == ["web1"]
    assert names(read(tmp_path, text, pattern="localhost")) == ["localhost"]


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("web", ["web1", "web2"]),
        ("web2", ["web2"]),
        ("web1,db", ["web1", "db1"]),
        ("all:!web1", ["web2", "db1"]),
        ("*1:&web", ["web1"]),
        ("~(web|db)1", ["web1", "db1"]),
    ],
)
def test_a_limit_chooses_as_in_ansible(tmp_path, limit, wanted):
    assert names(read(tmp_path, INI, limit=limit)) == wanted


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("wbe1", "no host matches wbe1 among the 3 of hosts.ini; did you mean web1?"),
        ("wbe", "no host matches wbe among the 3 of hosts.ini; did you mean web?"),
        ("zzz", "no host matches zzz among the 3 of hosts.ini"),
    ],
)
def test_no_match_is_told_with_the_nearest_name(tmp_path, limit, wanted):
    assert complaint(tmp_path, INI, limit=limit) == wanted
    assert complaint(tmp_path, INI, pattern=limit) == wanted


def test_a_name_that_is_known_is_not_offered_instead_of_itself(tmp_path):
    assert "did you mean db?" not in complaint(tmp_path, INI, pattern="web1", limit="db")


def test_a_missing_file_of_a_limit_is_not_blamed_on_the_inventory(tmp_path):
    assert "is no inventory" not in complaint(tmp_path, INI, limit="@/absent/retry")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "[web]\nweb1 ansible_port\n",
            "hosts.ini:2: Expected key=value host variable assignment, got: ansible_port",
        ),
        ("[web]\nweb1\n[web:vars]\nansible_user\n", "hosts.ini:4: Expected key=value, got: ansible_user"),
        ("[web:wars]\n", "hosts.ini:1: Section [web:wars] has unknown type: wars"),
        ("[web:children]\ndb\n", "hosts.ini:2: Section [web:children] includes undefined group: db"),
        pytest.param(
            "web1\n[db\ndb1\n",
            "hosts.ini:2",
        ),
    ],
)
def test_a_mistake_in_an_ini_inventory_is_named_with_its_line(tmp_path, text, wanted):
    said = complaint(tmp_path, text)
    assert said.startswith(wanted)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("all:\n  hosts:\n    web1: {a: b: c}\n", "hosts.yml:3:16: "),
        ("all:\n  hosts:\n\tweb1:\n", "hosts.yml:3:1: "),
        ("all:\n  hosts: {web1:\n", "hosts.yml:3:1: "),
        ("all:\n  hosts: [web1]\n", "hosts.yml is no inventory: "),
    ],
)
def test_a_mistake_in_a_yaml_inventory_is_named_with_its_place(tmp_path, text, place):
    said = complaint(tmp_path, text, "hosts.yml")
    assert said.startswith(place)
    assert "\n" not in said


def test_a_mistake_beside_an_inventory_is_named_where_it_is(tmp_path):
    inventory(tmp_path, "web1\n", "fleet/hosts")
    inventory(tmp_path, "ansible_user: [\n", "fleet/group_vars/all.yml")
    with pytest.raises(InventoryError, match=r"/group_vars/all\.yml:2:1: "):
        from_inventory([tmp_path / "fleet"], NOBODY, "all", None)


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "hosts.ini"), ("# none\n", "hosts.ini"), ("[web]\n", "hosts.ini"), ("all: {}\n", "hosts.yml")],
)
def test_an_empty_inventory_is_told_so(tmp_path, text, name):
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, text, name)
    assert "among the 0 of" in caught.value.message
    assert caught.value.hint == "The inventory is empty."


def test_a_missing_inventory_is_told_so(tmp_path):
    with pytest.raises(InventoryError, match=r"the inventory .*/absent does not exist"):
        from_inventory([tmp_path / "absent"], NOBODY, "all", None)


@pytest.mark.parametrize("connection", ["local", "docker", "winrm"])
def test_hosts_that_are_not_reached_over_ssh_are_refused(tmp_path, connection):
    said = complaint(tmp_path, f"web1\nweb2 ansible_connection={connection}\n")
    assert said == f"web2 has ansible_connection {connection}: pydock works over SSH alone"


@pytest.mark.parametrize("connection", ["ssh", "smart", "paramiko"])
def test_every_name_of_ssh_is_taken(tmp_path, connection):
    assert names(read(tmp_path, f"web1 ansible_connection={connection}\n")) == ["web1"]


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ("ansible_port: ssh", "web1: ansible_port is ssh, which is not a port"),
        ("ansible_port: 0", "web1: ansible_port is 0, which is not a port"),
        ("ansible_port: 70000", "web1: ansible_port is 70000, which is not a port"),
        ("ansible_host: -oProxyCommand=x", "web1: '-oProxyCommand=x' is not a"),
        ('ansible_host: "a\\e[31m"', "web1: 'a\\x1b[31m' is not a"),
        ("ansible_user: -lroot", "web1: '-lroot' is not a user to log in with"),
        ('ansible_user: "{{ nobody }}"', "web1: ansible_user cannot be made out"),
        ('ansible_ssh_common_args: "-o \'x"', "web1: ansible_ssh_common_args cannot be split: "),
        pytest.param(
            'ansible_port: "\u00b2"',
            "web1: ansible_port is ",
        ),
        pytest.param(
            "ansible_user: [ops]",
            "web1: ",
        ),
        pytest.param(
            "ansible_ssh_private_key_file: ~no-such-user-here/key",
            "web1: ",
        ),
        pytest.param(
            'ansible_user: "{{ 1 / 0 }}"',
            "",
        ),
        pytest.param(
            'ansible_password: !vault "$ANSIBLE_VAULT;1.1;AES256\\n6162"',
            "web1: ansible_password cannot be made out (its vault does not open)",
        ),
    ],
)
def test_a_bad_connection_variable_is_refused_with_its_host(tmp_path, variables, wanted):
    said = complaint(tmp_path, f"all: {{hosts: {{web1: {{{variables}}}}}}}\n", "hosts.yml")
    assert said.startswith(wanted)


def test_a_user_may_be_called_by_a_number(tmp_path):
    assert read(tmp_path, "web1 ansible_user=1001\n")[0].user == "1001"


# -- passwords


def test_passwords_of_an_inventory_are_secrets(tmp_path):
    (host,) = read(tmp_path, "web1 ansible_password=pa55-ssh ansible_become_password=pa55-sudo\n")
    assert isinstance(host.password, Secret)
    assert isinstance(host.become_password, Secret)
    assert (host.password.reveal(), host.become_password.reveal()) == ("pa55-ssh", "pa55-sudo")
    assert "pa55" not in repr(host)
    assert "pa55" not in f"{host} {host.password} {host.become_password!r:>30}"


@pytest.mark.parametrize("variable", ["ansible_ssh_pass", "ansible_ssh_password"])
def test_older_names_of_a_password_count_and_numbers_are_text(tmp_path, variable):
    (host,) = read(tmp_path, f"web1 {variable}=12345 ansible_become_pass=678\n")
    assert (host.password.reveal(), host.become_password.reveal()) == ("12345", "678")


def test_flags_go_before_the_inventory(tmp_path):
    text = "web1 ansible_user=root ansible_password=a ansible_become_password=b\n"
    (host,) = read(tmp_path, text, login=Login("ops", Secret("x"), Secret("y")))
    assert (host.user, host.password.reveal(), host.become_password.reveal()) == ("ops", "x", "y")


@pytest.mark.parametrize(
    "text",
    [
        "web1 ansible_password=pa55 ansible_port\n",
        pytest.param(
            "web1 ansible_password='pa55\n",
        ),
        pytest.param(
            "web1 ansible_password='{{ pa55'\n",
        ),
    ],
)
def test_a_complaint_does_not_repeat_a_password(tmp_path, text):
    assert "pa55" not in complaint(tmp_path, text)


def test_a_key_is_found_wherever_ansible_runs(tmp_path, monkeypatch):
    """Its working directory is that of the run."""
    monkeypatch.chdir(tmp_path)
    (host,) = read(tmp_path, "web ansible_host=192.0.2.1 ansible_ssh_private_key_file=keys/id\n")
    assert host.identity_file == str(tmp_path / "keys/id")
