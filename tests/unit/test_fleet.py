"""Which hosts a command is about: from arguments, from the standing inventory, or a sentence on why there are none."""

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer.errors import ExitCode, InventoryError
from pydock_installer.fleet import Login, choose, from_arguments
from pydock_installer.model import Host, Secret
from tests.unit.inventories import INI, NOBODY, inventory, names


def one(text, login=NOBODY):
    (host,) = from_arguments([text], login)
    return host


def refused(*texts):
    with pytest.raises(InventoryError) as caught:
        from_arguments(texts, NOBODY)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


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
