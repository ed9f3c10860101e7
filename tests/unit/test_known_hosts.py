"""Whether a host's key is known, as the ssh program would have it. No socket is opened."""

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pydock_installer.errors import PydockError
from pydock_installer.model import Host
from pydock_installer.ssh.config import SshOptions, route
from pydock_installer.ssh.known_hosts import HostKey, add, entries, state

modest = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


KEY = HostKey("ssh-ed25519", base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"k" * 32).decode())
OTHER = HostKey("ssh-ed25519", base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"o" * 32).decode())
RSA = HostKey("ssh-rsa", base64.b64encode(b"\0\0\0\x07ssh-rsa" + b"r" * 64).decode())


@pytest.fixture
def known(tmp_path):
    """What a known_hosts file of these lines says of a key."""

    def told(text, name="web", key=KEY):
        file = tmp_path / "known_hosts"
        file.write_text(text)
        return state(key, tuple(entries(name, (file,))))

    return told


def line(names, key=KEY, marker=""):
    return f"{marker}{names} {key.type} {key.base64} a comment\n"


def hashed(name):
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("web", "web"),
        ("db,web,192.0.2.7", "web"),
        ("db,web,192.0.2.7", "192.0.2.7"),
        ("WEB", "web"),
        ("web", "WEB"),
        ("[web]:2222", "[web]:2222"),
        ("[2001:db8::7]:2222", "[2001:db8::7]:2222"),
        ("*.example.com", "web.example.com"),
        ("192.0.2.?", "192.0.2.7"),
        ("[*.example.com]:2222", "[web.example.com]:2222"),
        ("*,!db", "web"),
        (hashed("web"), "web"),
        (hashed("[web]:2222"), "[web]:2222"),
    ],
)
def test_a_host_is_known_by_each_way_to_write_its_name(known, names, name):
    assert known(line(names), name) == "known"


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("web", "web2"),
        ("web", "[web]:2222"),
        ("[web]:2222", "web"),
        ("[web]:2222", "w"),
        ("*.example.com", "example.com"),
        ("*,!web", "web"),
        ("!web", "db"),
        ("w[e]b", "web"),
        ("192.0.2.?", "192.0.2.77"),
        (hashed("web"), "db"),
        ("|1|nonsense", "web"),
        ("|1|é|é", "web"),
        ("|1|a|b|c", "web"),
        ("|2|AAAA|AAAA", "web"),
    ],
)
def test_another_name_is_not_known(known, names, name):
    assert known(line(names), name) == "unknown"


def test_a_hashed_name_is_found_however_it_is_typed(known):
    assert known(line(hashed("web")), "WEB") == "known"


def test_a_changed_key_is_told_from_a_new_one(known):
    assert known(line("web")) == "known"
    assert known("") == "unknown"
    assert known(line("db")) == "unknown"
    assert known(line("web", OTHER)) == "changed"
    assert known(line("web", OTHER) + line("web")) == "known"


def test_a_key_of_another_kind_does_not_make_a_known_host_new(known):
    """Who listens in must not get by with a kind of key that was never seen."""
    assert known(line("web", RSA)) == "changed"


def test_a_revoked_key_is_never_accepted(known):
    assert known(line("web", marker="@revoked ")) == "changed"
    assert known(line("web") + line("*", marker="@revoked ")) == "changed"
    assert known(line("*", OTHER, marker="@revoked ")) == "unknown"


def test_an_authority_for_certificates_vouches_for_no_key(known):
    assert known(line("*", marker="@cert-authority ")) == "unknown"


@pytest.mark.parametrize("marker", ["@revoke ", "@REVOKED "])
def test_a_marker_with_a_slip_does_not_make_a_key_trusted(known, marker):
    assert known(line("web", marker=marker)) != "known"


@pytest.mark.parametrize(
    "text", ["web 1024 35 1347098435\n", "web ssh-ed25519 AAAA\n", "web ssh-ed25519 not-base64\n"]
)
def test_a_line_that_holds_no_key_does_not_make_a_key_changed(known, text):
    """OpenSSH passes such lines over; old known_hosts files have them."""
    assert known(text) == "unknown"


def test_comments_and_half_lines_are_passed_over(known):
    assert known(f"# web {KEY.type} {KEY.base64}\n\n   \nweb\nweb {KEY.type}\n@revoked\n") == "unknown"
    assert known("  " + line("web")) == "known"


def test_the_place_of_an_entry_is_told(tmp_path):
    """The error about a changed key names it."""
    file = tmp_path / "known_hosts"
    file.write_text("# mine\n" + line("web"))
    assert [entry.place for entry in entries("web", (tmp_path / "absent", file))] == [f"{file}:2"]


def test_a_fingerprint_is_written_as_ssh_keygen_writes_it():
    assert HostKey("ssh-ed25519", base64.b64encode(b"x").decode()).fingerprint == (
        "SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE"
    )


@modest
@given(
    text=st.text(alphabet=st.sampled_from("|1@#=*?[]!,: \n\tweb") | st.characters(codec="utf-8"), max_size=120),
    name=st.sampled_from(["web", "[web]:2222", "192.0.2.7"]),
)
def test_no_file_breaks_the_reader(tmp_path, text, name):
    file = tmp_path / "known_hosts"
    file.write_text(text, encoding="utf-8")
    assert state(KEY, tuple(entries(name, (file,)))) in {"known", "unknown", "changed"}


@modest
@given(noise=st.binary(max_size=80))
def test_no_bytes_break_the_reader_nor_hide_the_lines_after_them(tmp_path, noise):
    file = tmp_path / "known_hosts"
    file.write_bytes(noise.replace(b"@", b"") + b"\n" + line("[lone.example]:2222").encode())
    assert KEY in [entry.key for entry in entries("[lone.example]:2222", (file,))]


def test_a_new_file_is_for_its_owner_alone(tmp_path):
    file = tmp_path / "ssh" / "known_hosts"
    assert add("web", (KEY, RSA), file) == file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_text() == f"web {KEY.type} {KEY.base64}\nweb {RSA.type} {RSA.base64}\n"
    assert state(KEY, tuple(entries("web", (file,)))) == "known"


@pytest.mark.parametrize("end", ["\n", ""])
def test_what_stands_in_the_file_is_not_touched(tmp_path, end):
    """Not even bytes that are no text, nor the mode; a last line without its end is not run into."""
    file = tmp_path / "known_hosts"
    before = b"# \xff\xfe mine\r\ndb ssh-rsa AAAA" + end.encode()
    file.write_bytes(before)
    file.chmod(0o644)
    add("[web]:2222", (KEY,), file)
    assert file.read_bytes() == before.rstrip(b"\n") + f"\n[web]:2222 {KEY.type} {KEY.base64}\n".encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_the_mode_of_an_empty_file_is_not_touched(tmp_path):
    """UserKnownHostsFile is often /dev/null: root would take it from everyone else."""
    file = tmp_path / "known_hosts"
    file.touch()
    file.chmod(0o666)
    add("web", (KEY,), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "known_hosts").mkdir()
    with pytest.raises(PydockError, match="cannot be written"):
        add("web", (KEY,), tmp_path / "known_hosts")


def test_a_thousand_hosts_read_the_files_once(tmp_path, monkeypatch):
    """Each has a line of its own there: read for each of them, that would be the square."""
    config, keys = tmp_path / "config", tmp_path / "known_hosts"
    config.write_text(f"UserKnownHostsFile {keys}\nGlobalKnownHostsFile none\n")
    keys.write_text("".join(line(f"h{number}") for number in range(1000)))
    read = []
    text_of = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, **how: read.append(path.name) or text_of(path, **how))
    for number in range(1000):
        found = route(Host(f"h{number}", f"h{number}"), SshOptions(config=config))
        assert len(list(entries(found.known_as, found.known_hosts))) == 1
    assert read == ["config", "known_hosts"]


def test_what_is_written_meanwhile_counts(tmp_path):
    config, keys = tmp_path / "config", tmp_path / "known_hosts"
    for port in (22, 2222):
        config.write_text(f"Port {port}\nUserKnownHostsFile {keys}\n")
        found = route(Host("web", "web"), SshOptions(config=config))
        assert found.port == port
        assert list(entries(found.known_as, (keys,))) == []
        add(found.known_as, (KEY,), keys)
        assert len(list(entries(found.known_as, (keys,)))) == 1
