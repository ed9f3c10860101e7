"""What a host says of Docker's traces: hostile until each value has its expected shape."""

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.absence import Consents, plan_absence, remains
from pydock_installer.model import Host, Known, Unknown
from pydock_installer.probe import parse
from pydock_installer.traces import parse_traces, question_for
from tests.unit.facts import bare

NONCE = "pydock-0123456789abcdef"


def output(**answers):
    return "".join(f"\n{NONCE} {name}\n{text}\n{NONCE}/ 0\n" for name, text in answers.items()).encode()


def traces(**answers):
    return parse_traces(output(**answers), NONCE)


def test_roots_have_their_entries():
    text = "root\tdocker\t/var/lib/docker\t/data/docker\tlink\t2048\nentry\tvolumes\nentry\twith\ttab\nroot\tcontainerd\t/var/lib/containerd\t/var/lib/containerd\tabsent\t-\n"
    first, second = traces(roots=text).roots.value
    assert (first.path, first.real, first.state, first.kib, first.entries) == ("/var/lib/docker", "/data/docker", "link", 2048, ("volumes", "with\ttab"))
    assert (second.kind, second.state, second.kib) == ("containerd", "absent", None)


def test_a_volume_has_its_size_if_somebody_could_count_it():
    text = "volume\t/a\tweb\nvolume\t/a\tdb\nsize\t12\tdb\nvolume\t/b\tdb\n"
    assert [(v.root, v.name, v.kib) for v in traces(volumes=text).volumes.value] == [("/a", "web", None), ("/a", "db", 12), ("/b", "db", None)]


def test_packet_filters_are_told_apart():
    text = (
        "tool\tiptables\n*filter\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
        "-A DOCKER-USER -s 192.0.2.9/32 -j DROP\n-A DOCKER-USER -j RETURN\n*nat\n:DOCKER - [0:0]\n-A INPUT -i docker0 -j ACCEPT\n"
        "tool\tip6tables\nnft\tip docker-bridges\nfirewalld\t/etc/firewalld/zones/docker.xml\n"
    )
    found = traces(firewall=text).firewall.value
    four, six = found.filters
    assert four.chains == ("filter DOCKER", "filter DOCKER-USER", "nat DOCKER")
    assert four.rules == ("filter -A FORWARD -j DOCKER-USER",)
    assert four.user_rules == ("-A DOCKER-USER -s 192.0.2.9/32 -j DROP",)
    assert (four.forward, six.chains, six.forward) == ("DROP", (), None)
    assert (found.tables, found.firewalld) == (("ip docker-bridges",), ("/etc/firewalld/zones/docker.xml",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("roots", "entry\tlost\n"),
        ("roots", "root\tdocker\trelative\t/x\tdir\t1\n"),
        ("roots", "root\tdocker\t/x\n"),
        ("volumes", "volume\trelative\tx\n"),
        ("group", "docker:x\n"),
        ("namespaces", "$(reboot)\t1\n"),
        ("own_bridges", "../../x\n"),
        ("images", "-1"),
        ("needed", "other\tx\n"),
        ("companions", "--nodeps\n"),
        ("files", "etc/passwd\tfile\n"),
    ],
)
def test_what_makes_no_sense_is_unknown(name, text):
    assert isinstance(getattr(traces(**{name: text}), name), Unknown)


def test_a_file_cannot_pose_as_an_answer():
    found = traces(group=f"docker:x:999:\n{NONCE}x images\n7\n{NONCE[:-1]}/ 0")
    assert found.images == Unknown("the host did not answer")


TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(["root", "entry", "/x", "\t", "\n", "docker", "-", "1", "tool", "*", ":", "-A"])).map("".join))
NAMES = ["roots", "volumes", "containers", "firewall", "group", "files", "namespaces", "processes", "mounts", "units", "journal", "links", "needed"]


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS))
def test_any_answer_is_read_and_judged(answers):
    """No traceback, and a host that makes no sense is left alone."""
    found = traces(**answers)
    made = plan_absence(Host("web", "192.0.2.1"), bare("9"), found, Consents(True, True, True))
    remains(bare("9"), found, Consents(True, True))
    seen = (found.roots, found.volumes, found.mounts, found.containers, found.firewall, found.files)
    assert not made.steps or not any(isinstance(fact, Unknown) for fact in seen)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_the_question_is_a_script_that_shells_can_read(shell):
    words = shell.split()
    if not shutil.which(words[0]):
        pytest.skip(f"there is no {shell} here")
    script = shlex.split(question_for(Host("here", "192.0.2.1")).command)[4]
    used = ("docker_unit", "limit", "answer", "file", "docker_copies", "kubernetes", "companions")
    assert [name for name in used if f"\n{name}() {{" not in script and f"    {name}() {{" not in script] == []
    done = subprocess.run([*words, "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_whole_answer_gives_facts_and_traces():
    said = output(privilege="root", kernel="5.14.0", journal='{"action": "found", "name": "x"}\nnonsense\n[]\n', ip_forward="1")
    assert parse(said, NONCE).privilege == Known("root")
    found = parse_traces(said, NONCE)
    assert (found.journal, found.ip_forward) == (({"action": "found", "name": "x"},), Known(1))
