"""How a host is reached: as the ssh program would have it. No socket is opened."""

import getpass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pydock_installer.errors import UsageError
from pydock_installer.model import Host
from pydock_installer.ssh.config import SshOptions, arguments, home, hop, route

modest = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def way(tmp_path):
    """The route to a host under an ssh configuration."""

    def routed(text="", *words, address="web", **values):
        file = tmp_path / "config"
        file.write_text(text)
        return route(Host("web", address, ssh_arguments=tuple(words), **values), SshOptions(config=file))

    return routed


# -- the configuration


def test_without_a_configuration_a_host_is_reached_as_ssh_would(way):
    found = way(address="192.0.2.7")
    assert (found.address, found.port, found.user) == ("192.0.2.7", 22, getpass.getuser())
    assert found.identity_files == tuple(home() / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    assert found.known_hosts == (home() / ".ssh" / "known_hosts", Path("/etc/ssh/ssh_known_hosts"))
    assert found.agent
    assert found.jumps == ()
    assert found.proxy_command is None


def test_the_configuration_counts(way, tmp_path):
    found = way(
        f"""
        Host web db
            HostName 192.0.2.7
            Port 2222
            User ops
            IdentityFile {tmp_path}/one
            IdentityFile {tmp_path}/two
            UserKnownHostsFile {tmp_path}/a {tmp_path}/b
            GlobalKnownHostsFile {tmp_path}/c
            ProxyJump ops@bastion:2200, inner
        """
    )
    assert (found.address, found.port, found.user) == ("192.0.2.7", 2222, "ops")
    assert [file.name for file in found.identity_files] == ["one", "two"]
    assert [file.name for file in found.known_hosts] == ["a", "b", "c"]
    assert found.jumps == ("ops@bastion:2200", "inner")
    assert found.known_as == "[192.0.2.7]:2222"


def test_what_the_host_itself_says_goes_before_the_configuration(way):
    found = way("User ops\nPort 2222\nIdentityFile /config\n", user="root", port=22, identity_file="/own")
    assert (found.user, found.port, found.identity_files) == ("root", 22, (Path("/own"),))
    assert found.known_as == "web"


def test_ansibles_arguments_go_before_the_configuration(way):
    text = "User ops\nPort 2222\nIdentityFile /config\nProxyJump old\nUserKnownHostsFile /old\n"
    found = way(text, "-J", "new", "-p", "2200", "-l", "admin", "-i", "/given", "-o", "UserKnownHostsFile=/new")
    assert (found.user, found.port, found.jumps) == ("admin", 2200, ("new",))
    assert found.identity_files == (Path("/given"),)
    assert found.known_hosts[0] == Path("/new")


def test_the_first_value_wins_and_patterns_match(way):
    text = "Host w?b !web2\n  User one\nHost *\n  User two\n  Port 2222\n"
    assert (way(text).user, way(text).port) == ("one", 2222)
    assert way(text, address="web2").user == "two"


def test_a_command_to_connect_with_is_filled_in(way):
    text = "Host web\n  HostName 192.0.2.7\n  Port 2222\n  User ops\n  ProxyCommand ssh -W %h:%p %r@bastion\n"
    assert way(text).proxy_command == "ssh -W 192.0.2.7:2222 ops@bastion"


def test_a_command_to_connect_with_gets_the_port_of_the_inventory(way):
    assert way("ProxyCommand ssh -W %h:%p bastion\n", port=2222).proxy_command == "ssh -W web:2222 bastion"


def test_a_command_in_ansibles_arguments_is_filled_in_too(way):
    """The usual way to a bastion in an inventory."""
    found = way("", "-o", "ProxyCommand=ssh -W %h:%p -q bastion", address="192.0.2.7", port=2222)
    assert found.proxy_command == "ssh -W 192.0.2.7:2222 -q bastion"


def test_a_command_in_ansibles_arguments_goes_before_a_jump_host_of_the_configuration(way):
    found = way("ProxyJump bastion\n", "-o", "ProxyCommand=nc 192.0.2.1 22")
    assert (found.jumps, found.proxy_command) == ((), "nc 192.0.2.1 22")


@pytest.mark.parametrize(
    ("line", "part", "value"),
    [
        ("ProxyJump none", "jumps", ()),
        ("ProxyCommand none", "proxy_command", None),
        ("ProxyCommand NONE", "proxy_command", None),
        ("HostKeyAlias none", "host_key_alias", None),
    ],
)
def test_none_switches_a_default_off(way, line, part, value):
    text = f"Host web\n  {line}\nHost *\n  ProxyJump bastion\n" if "Jump" in line else line + "\n"
    assert getattr(way(text), part) == value


def test_no_identity_means_none_of_the_usual_keys(way):
    assert not any(file.is_absolute() for file in way("IdentityFile none\n").identity_files)


def test_only_the_named_identities_are_tried_if_so_wanted(way):
    assert not way("IdentitiesOnly yes\n").agent
    assert way("IdentitiesOnly no\n").agent


def test_the_agent_is_left_alone_if_so_wanted(way):
    assert not way("IdentityAgent none\n").agent


def test_no_file_of_known_hosts_means_none(way):
    assert home() / ".ssh" / "known_hosts" not in way("UserKnownHostsFile none\n").known_hosts


def test_an_alias_is_the_name_under_which_the_key_is_known(way):
    """OpenSSH takes the alias as it is, whatever the port."""
    assert way("HostKeyAlias web.cluster\nPort 2222\n").known_as == "web.cluster"
    assert way("Port 2222\n", address="2001:db8::7").known_as == "[2001:db8::7]:2222"


def test_places_below_home_are_found(way):
    found = way("UserKnownHostsFile ~/known %d/more\nIdentityFile ~/.ssh/work\n")
    assert found.known_hosts[:2] == (home() / "known", home() / "more")
    assert way("", "-i", "~/work").identity_files == (Path("~/work").expanduser(),)


def test_a_file_of_known_hosts_per_host_is_found(way):
    assert (
        way("UserKnownHostsFile ~/known/%h\n", address="192.0.2.7").known_hosts[0] == home() / "known" / "192.0.2.7"
    )


def test_included_files_count_as_if_they_stood_there(way, tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "10-web").write_text("Host web\n  User ops\n")
    (tmp_path / "conf.d" / "20-all").write_text(f"Include {tmp_path}/deep\n")
    (tmp_path / "deep").write_text("Host *\n  User later\n  Port 2222\n")
    found = way(f"Include {tmp_path}/conf.d/* {tmp_path}/absent\n")
    assert (found.user, found.port) == ("ops", 2222)


def test_a_file_that_includes_itself_ends(way, tmp_path):
    assert way(f"Include {tmp_path}/config\nPort 2222\n").port == 2222


def test_what_follows_an_include_is_not_under_the_hosts_of_the_included_file(way, tmp_path):
    """``Include config.d/*`` stands on the first line of many a ~/.ssh/config."""
    (tmp_path / "others").write_text("Host other\n  User else\n")
    assert way(f"Include {tmp_path}/others\nUser ops\n").user == "ops"


def test_a_directory_among_included_files_is_passed_over(way, tmp_path):
    (tmp_path / "conf.d" / "old").mkdir(parents=True)
    (tmp_path / "conf.d" / "web").write_text("Port 2222\n")
    assert way(f"Include {tmp_path}/conf.d/*\n").port == 2222


def test_what_stands_under_a_condition_counts_for_no_host(way, tmp_path):
    """And a condition's command is not run."""
    text = f'Match exec "touch {tmp_path}/ran"\n  User wrong\nMatch host web\n  User wrong\nHost web\n  User ops\n'
    assert way(text).user == "ops"
    assert not (tmp_path / "ran").exists()
    assert way("Match all\n  Port 2222\n").port == 22


@pytest.mark.parametrize("text", ["nonsense\n", 'Host "web\n'])
def test_a_configuration_that_cannot_be_read_is_an_error_of_use(way, text):
    with pytest.raises(UsageError, match="cannot be read"):
        way(text)


def test_a_configuration_that_is_not_there_is_an_error_of_use(way, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        way("", "-F", str(tmp_path / "absent"))


@pytest.mark.parametrize(("text", "words"), [("Port ssh\n", ()), ("", ("-p", "ssh"))])
def test_a_port_that_is_none_is_an_error_of_use(way, text, words):
    with pytest.raises(UsageError):
        way(text, *words)


def test_canonical_names_without_domains_are_no_obstacle(way):
    assert way("CanonicalizeHostname yes\nPort 2222\n").port == 2222


def test_another_file_can_be_named_in_the_arguments(way, tmp_path):
    (tmp_path / "other").write_text("User other\n")
    assert way("User ops\n", "-F", str(tmp_path / "other")).user == "other"
    assert way("User ops\n", f"-F{tmp_path}/other").user == "other"


# -- Ansible's arguments


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["-o", "ProxyJump=bastion"], {"proxyjump": "bastion"}),
        (["-oProxyJump=bastion"], {"proxyjump": "bastion"}),
        (["-o", "ProxyJump bastion"], {"proxyjump": "bastion"}),
        (["-o", "proxyjump = bastion"], {"proxyjump": "bastion"}),
        (["-J", "one,two"], {"proxyjump": "one,two"}),
        (["-Jone"], {"proxyjump": "one"}),
        (["-p", "2222", "-p2223"], {"port": "2222"}),
        (["-l", "ops"], {"user": "ops"}),
        (["-o", "ProxyCommand=ssh -o A=b -W %h:%p x"], {"proxycommand": "ssh -o A=b -W %h:%p x"}),
        (["-4", "-A", "-C", "-v", "-L", "80:localhost:80"], {}),
        (["-", "--", "", "-o"], {"": ""}),
        ([], {}),
    ],
)
def test_ansibles_arguments_are_read(words, options):
    assert arguments(words).options == options


def test_a_command_after_a_blank_may_hold_an_equals_sign():
    found = arguments(["-o", "ProxyCommand ssh -o Compression=no -W %h:%p bastion"])
    assert found.options == {"proxycommand": "ssh -o Compression=no -W %h:%p bastion"}


def test_files_in_the_arguments_are_read():
    found = arguments(["-F", "/a/config", "-i", "/one", "-i/two"])
    assert (found.config, found.identity_files) == (Path("/a/config"), ["/one", "/two"])


@modest
@given(st.lists(st.text(max_size=8) | st.sampled_from(["-o", "-J", "-F", "-i", "-p", "-l", "-oA=b"]), max_size=8))
def test_no_arguments_break_the_reader(words):
    arguments(words)


# -- jump hosts


@pytest.mark.parametrize(
    ("text", "user", "address", "port"),
    [
        ("bastion", None, "bastion", None),
        ("ops@bastion", "ops", "bastion", None),
        ("ops@bastion:2222", "ops", "bastion", 2222),
        ("ssh://ops@bastion:2222", "ops", "bastion", 2222),
        ("[2001:db8::1]:2222", None, "2001:db8::1", 2222),
        ("[2001:db8::1]", None, "2001:db8::1", None),
        ("ops@corp@bastion", "ops@corp", "bastion", None),
    ],
)
def test_a_jump_host_is_read_as_ssh_reads_it(text, user, address, port):
    made = hop(text)
    assert (made.user, made.address, made.port) == (user, address, port)
