"""The groups system and engine: whatever a host answers to their questions, it is a fact, absent, or unknown."""

import dataclasses
import shutil
import subprocess
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import checks, explanations
from pydock_installer.checks import engine, system
from pydock_installer.checks.rule import Context
from pydock_installer.model import NOT_ASKED, Known, Unknown
from pydock_installer.probe import groups, parse
from pydock_installer.probe.answers import Answers, Section, split
from pydock_installer.settings import Settings

NONCE = "pydock-0123456789abcdef"
ANSWERS = ("product_uuid", "tmp_mounts", "kernel_config", "cgroups", "init", "clock",
           "docker_copies", "docker_unit", "engine_state", "kubernetes", "selinux", "proxy_lines", "proxy_own")
WISHES = Settings.model_validate(
    {
        "registry_mirrors": ["https://m.example"],
        "daemon": {"log-driver": "local"},
        "engine_proxy": {"https_proxy": "http://p:3128"},
    }
)
CODES = {
    "system": {"clock", "init", "kernel-config", "cgroups", "tmp-noexec"},
    "engine": {"docker-origin", "unit-masked", "daemon-json", "engine-proxy", "containers", "swarm", "kubernetes", "selinux",
               "legacy-options"},
}

#: Pieces of true answers, so that chance gets behind the first check of a parser.
pieces = st.sampled_from(
    ["\n", "\n\n", "\t", " ", "=", "unit\t", "options\t", "file\t", "running\t", "/etc/systemd/system/docker.service",
     "/usr/bin/dockerd", "ExecStart=", "Environment=", "EnvironmentFile=", "HTTP_PROXY=", "$OPTIONS", "${OPTIONS}", "OPTIONS=", "'", '"', "\\\n", "-",
     "--registry-mirror", "-H", "?", "Id=kubelet.service", "LoadState=loaded", "ActiveState=active", "Joined=yes",
     "Runtime=unix:///run/containerd/containerd.sock", "CONFIG_64BIT=y", "CONFIG_", "type ", "63677270", "unified ",
     "mounted ", "cpu,memory", "name ", "systemd", "container ", "root other", "/tmp ", "noexec", "active true", "1",
     "9" * 13, "off", "\0", "\x1b[2J", "²", "é"]
)  # fmt: skip
texts = st.lists(pieces, max_size=12).map("".join) | st.text(max_size=60)


def facts_of(group):
    return [getattr(group, field.name) for field in dataclasses.fields(group)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ANSWERS), texts, st.sampled_from([0, 0, 0, 0, 1, 44, 77, 124, 137, None]))
def test_whatever_a_host_answers_is_known_absent_or_unknown(name, text, status):
    answers = Answers({"preflight": Section(0, "yes"), name: Section(status, text)})
    for group in (groups.system(answers), groups.engine(answers)):
        assert all(fact is None or isinstance(fact, Known | Unknown) for fact in facts_of(group))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from((*ANSWERS, "daemon_json", "engine", "service", "kernel")), texts, max_size=6))
def test_a_rule_has_an_answer_to_whatever_a_host_is(answers):
    said = {"preflight": "yes", **answers}
    output = "".join(f"\n{NONCE} {name}\n{text}\n{NONCE}/ 0\n" for name, text in said.items()).encode()
    facts = dataclasses.replace(parse(output, NONCE), seen_at=1_755_000_000.0)
    for rule in (*system.RULES, *engine.RULES):
        finding = rule(facts, Context(WISHES))
        assert finding is None or (finding.message and "\x1b" not in finding.message)


@pytest.mark.parametrize("group", sorted(CODES))
def test_every_code_is_explained(group):
    told = {entry.code: entry for entry in explanations.explanations() if entry.group == group}
    assert set(told) >= CODES[group]
    assert all(told[code].why and told[code].source and told[code].remedy for code in CODES[group])
    assert len(checks.GROUPS[group]) == len(CODES[group])


def unit(text):
    answers = Answers({"preflight": Section(0, "yes"), "docker_unit": Section(0, text)})
    fact = groups.engine(answers).unit_files
    assert isinstance(fact, Known), fact
    return [(file.path, file.start and [(word.text, word.path) for word in file.start]) for file in fact.value]


def test_unit_files_count_in_the_order_of_systemd():
    """A file in /etc stands for one of its name in /usr; drop-ins are sorted by name, wherever they are."""
    base, etc = "/usr/lib/systemd/system/docker.service", "/etc/systemd/system/docker.service"
    assert unit(
        f"unit\t{base}\nExecStart=/usr/bin/dockerd\nunit\t{base}.d/20-b.conf\nunit\t{base}.d/10-a.conf\n"
        f"unit\t{etc}\nExecStart=-/bin/d -D\nunit\t{etc}.d/20-b.conf\nExecStart=\n"
    ) == [
        (etc, [("-/bin/d", etc), ("-D", etc)]),
        (f"{base}.d/10-a.conf", None),
        (f"{etc}.d/20-b.conf", ()),
    ]


def test_variables_become_words_and_keep_the_file_that_they_are_from():
    path, options = "/etc/systemd/system/docker.service", "/etc/sysconfig/docker"
    text = (
        f"unit\t{path}\nEnvironment=A=-D 'B=--mtu 9'\nExecStart=/bin/d \\\n  $A ${{B}} $C\n"
        f"options\t{options}\nA=\"--icc --ipv6\"\n"
    )
    words = [("/bin/d", path), ("--icc", options), ("--ipv6", options), ("--mtu", path), ("9", path)]
    assert unit(text) == [(path, words)]


SHELLS = [
    [path, *more]
    for name, *more in (["dash"], ["bash", "--posix"], ["busybox", "sh"])
    if (path := shutil.which(name))
]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join([shell[0].rpartition("/")[2], *shell[1:]]))
def test_the_sections_answer_every_question_in_every_shell(shell, tmp_path):
    package = resources.files("pydock_installer.probe")
    names = ("probe.sh", "sections/system.sh", "sections/unit.sh", "sections/engine.sh")
    script = "\n".join(package.joinpath(name).read_text(encoding="utf-8") for name in names)
    done = subprocess.run(
        [*shell, "-c", script, "pydock-probe", NONCE, "root", "preflight=always", "--"],
        capture_output=True, timeout=90, cwd=tmp_path, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stderr == b""
    answers = split(done.stdout, NONCE)
    assert set(answers.sections) >= set(ANSWERS)
    facts = groups.system(answers)
    assert NOT_ASKED not in facts_of(facts)
    assert isinstance(facts.clock, Known)
    assert list(tmp_path.iterdir()) == []
