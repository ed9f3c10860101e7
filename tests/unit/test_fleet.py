"""Which hosts a command is about: from arguments, from inventories, or a sentence on why there are none."""

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer.errors import ExitCode, InventoryError
from pydock_installer.fleet import Login, choose, from_arguments, from_inventory
from pydock_installer.model import Host, Secret

NOBODY = Login()
INI = """\
[web]
web1 ansible_host=192.0.2.11 ansible_user=ops ansible_port=2222
web2 ansible_host=192.0.2.12

[db]
db1 ansible_host=192.0.2.21 ansible_ssh_private_key_file=/keys/db

[all:vars]
ansible_python_interpreter=/opt/python
"""


def one(text, login=NOBODY):
    (host,) = from_arguments([text], login)
    return host


def refused(*texts):
    with pytest.raises(InventoryError) as caught:
        from_arguments(texts, NOBODY)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def inventory(directory, text, name="hosts.ini"):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(directory, text, name="hosts.ini", login=NOBODY, pattern="all", limit=None):
    return from_inventory([inventory(directory, text, name)], login, pattern, limit)


def complaint(directory, text, name="hosts.ini", **how):
    """What a user reads, with the file's name shortened."""
    with pytest.raises(InventoryError) as caught:
        read(directory, text, name, **how)
    assert caught.value.hint
    return caught.value.message.replace(f"{directory}/", "")


def names(hosts):
    return [host.name for host in hosts]


# -- hosts named as arguments


@pytest.mark.parametrize(
    ("text", "address", "user", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None, None),
        ("web1.example.com", "web1.example.com", None, None),
        ("root@192.0.2.1", "192.0.2.1", "root", None),
        ("root@192.0.2.1:2222", "192.0.2.1", "root", 2222),
        ("192.0.2.1:22", "192.0.2.1", None, 22),
        ("web1:65535", "web1", None, 65535),
        ("CORP\\ops@web1", "web1", "CORP\\ops", None),
        ("ops@corp.example@web1:22", "web1", "ops@corp.example", 22),
        ("2001:db8::1", "2001:db8::1", None, None),
        ("root@2001:db8::1", "2001:db8::1", "root", None),
        ("[2001:db8::1]", "2001:db8::1", None, None),
        ("root@[2001:db8::1]:2222", "2001:db8::1", "root", 2222),
        ("[fe80::1%eth0]:2222", "fe80::1%eth0", None, 2222),
    ],
)
def test_an_argument_names_address_user_and_port(text, address, user, port):
    host = one(text)
    assert (host.address, host.user, host.port) == (address, user, port)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("root@web1", "web1"),
        ("web1:22", "web1"),
        ("web1:2222", "web1-2222"),
        ("2001:db8::1", "ipv6-2001-db8--1"),
        ("[2001:db8::1]:2222", "ipv6-2001-db8--1-2222"),
    ],
)
def test_a_name_holds_no_colon_which_ansible_takes_for_a_port(text, name):
    assert one(text).name == name


@pytest.mark.parametrize("text", ["web1:0", "web1:65536", "[::1]:0", "web1:99999999999999999999"])
def test_a_port_is_between_1_and_65535(text):
    error = refused(text)
    assert "is not a port" in error.message
    assert error.hint == "Ports are 1 to 65535."


@pytest.mark.parametrize(
    "text", ["", "@web1", "root@", ":22", "web1:", "web1:ssh", "1:2:3", "[::1", "::1]", "[::1]22"]
)
def test_what_names_no_host_is_refused_with_the_form_that_does(text):
    error = refused(text)
    assert error.message == f"{text!r} names no host"
    assert "user@host:port" in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "-oProxyCommand=reboot",
        "--",
        "-lroot@web1",
        "root@-oProxyCommand=reboot",
        pytest.param(
            "root@[-oProxyCommand=reboot]:22",
        ),
        pytest.param("[-oProxyCommand=reboot]"),
    ],
)
def test_an_option_for_ssh_is_no_host(text):
    assert refused(text).message == f"{text!r} names no host"


@pytest.mark.parametrize(
    "text",
    [
        "web\x1b[31m1",
        "web1\n",
        "web1\0",
        "web\u202e1",
        "\u00a0web1",
        "web 1",
        "ro\tot@web1",
        "web1\x7f",
        "\u200bweb1",
    ],
)
def test_control_and_invisible_characters_are_refused_and_not_repeated(text):
    error = refused(text)
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text", ["web*", "inventory/hosts.yml", "ssh://root@web1", "web1,web2", "[]", "$(id)", "{{x}}"]
)
def test_what_can_be_no_host_is_refused_before_it_is_looked_for(text):
    refused(text)


def test_one_bad_argument_stops_all():
    assert "'web2:x' names no host" in refused("web1", "web2:x").message


def test_a_host_that_is_named_twice_is_one_host_in_its_first_place():
    assert names(from_arguments(["web1", "web2", "web1", "web1:22"], NOBODY)) == ["web1", "web2"]
    assert len(from_arguments(["::1", "[::1]"], NOBODY)) == 1


@pytest.mark.parametrize("texts", [["web:2222", "web-2222"], ["root@web1", "ops@web1"]])
def test_no_host_is_lost_because_another_has_its_name(texts):
    with pytest.raises(InventoryError, match="two different hosts"):
        from_arguments(texts, NOBODY)


def test_flags_fill_in_what_an_argument_leaves_open():
    login = Login("ops", Secret("pa55"), Secret("become"))
    host = one("web1", login)
    assert host.user == "ops"
    assert (host.password.reveal(), host.become_password.reveal()) == ("pa55", "become")
    assert one("root@web1", login).user == "root"


@pytest.mark.parametrize("user", ["-oProxyCommand=x", "", "ro ot", "root\x1b[2J"])
def test_a_bad_user_from_a_flag_is_refused(user):
    with pytest.raises(InventoryError, match="is not a user to log in with") as caught:
        from_arguments(["web1"], Login(user))
    assert caught.value.message.isprintable()


@effort(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(st.characters()) | st.text("@:[]-%.a1 ", max_size=12), max_size=4))
@example(texts=["[::1%]"])
@example(texts=["\ud800"])
def test_any_arguments_are_hosts_or_refused(texts):
    try:
        hosts = from_arguments(texts, NOBODY)
    except InventoryError as error:
        assert error.hint
        assert error.message.isprintable()
        return
    assert isinstance(hosts, tuple)
    for host in hosts:
        assert isinstance(host, Host)
        assert host.address.isprintable()
        assert host.port is None or 0 < host.port < 65536
        assert not (host.user or "").startswith("-")
        assert ":" not in host.name
    assert len(set(names(hosts))) == len(hosts)


# -- hosts from inventories


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


# -- what a command is about


def chosen(directory, *arguments, inventories=(), limit=None, standing=None):
    return choose(arguments, inventories, limit, NOBODY, directory, standing)


@pytest.fixture
def fleet(tmp_path):
    """A directory with a standing inventory/."""
    inventory(tmp_path, INI, "inventory/hosts")
    inventory(tmp_path, "[not an inventory", "inventory/README.md")
    return tmp_path


def test_with_nothing_named_and_nothing_here_the_ways_are_told(tmp_path):
    with pytest.raises(InventoryError, match="no host is named, and there is no inventory here") as caught:
        chosen(tmp_path)
    assert "-i FILE" in caught.value.hint


def test_a_directory_of_notes_alone_is_no_standing_inventory(tmp_path):
    inventory(tmp_path, "web1\n", "inventory/hosts.example")
    inventory(tmp_path, "web1\n", "inventory/.hosts.swp")
    with pytest.raises(InventoryError, match="there is no inventory here"):
        chosen(tmp_path)


def test_the_standing_inventory_is_used_when_nothing_is_named(fleet):
    assert names(chosen(fleet)) == ["web1", "web2", "db1"]
    assert names(chosen(fleet, limit="db")) == ["db1"]


def test_an_inventory_of_the_settings_goes_before_the_standing_one(fleet):
    assert names(chosen(fleet, standing=inventory(fleet, "other\n"))) == ["other"]
    with pytest.raises(InventoryError, match="absent does not exist"):
        chosen(fleet, standing=fleet / "absent")


def test_a_name_that_the_standing_inventory_knows_is_that_host(fleet):
    assert [host.address for host in chosen(fleet, "db1", "web1", "db1")] == ["192.0.2.21", "192.0.2.11"]


def test_an_argument_with_a_user_is_a_host_of_its_own(fleet):
    (host,) = chosen(fleet, "root@web1")
    assert (host.address, host.user) == ("web1", "root")


def test_an_unknown_name_does_not_take_the_inventory_from_its_neighbours(fleet):
    try:
        hosts = chosen(fleet, "web1", "wbe2")
    except InventoryError:
        return
    assert hosts[0].address == "192.0.2.11"


def test_with_an_inventory_arguments_are_patterns(fleet):
    source = [str(fleet / "inventory")]
    assert names(chosen(fleet, "web", inventories=source)) == ["web1", "web2"]
    assert names(chosen(fleet, "web", "db1", inventories=source, limit="*1")) == ["web1", "db1"]
    with pytest.raises(InventoryError, match=r"did you mean web1\?"):
        chosen(fleet, "wbe1", inventories=source)


def test_a_limit_without_an_inventory_is_refused(tmp_path):
    with pytest.raises(InventoryError, match="--limit chooses from an inventory, and there is none"):
        chosen(tmp_path, "root@web1", limit="web1")


def test_a_limit_that_leaves_out_the_named_host_is_told_as_such(fleet):
    with pytest.raises(InventoryError) as caught:
        chosen(fleet, "web1", limit="db")
    assert "there is none" not in caught.value.message


@pytest.mark.parametrize("standing", [None, "inventory/hosts"])
def test_a_broken_standing_inventory_is_told_also_when_hosts_are_named(tmp_path, standing):
    path = inventory(tmp_path, "web1 x\n", "inventory/hosts")
    with pytest.raises(InventoryError, match=r"hosts:1: Expected key=value"):
        chosen(tmp_path, "web1", standing=path if standing else None)
