"""What a probe starts on a host: at a thousand hosts that is what a check costs. And what it does where things hang."""

import os
import re
import shutil
import subprocess
from importlib import resources

import pytest

from pydock_installer.model import Host, Known, Unknown
from pydock_installer.probe import Questions, parse, probe_for

#: Programs that a host of release 9 has: each is counted, some are made up, so that every question is asked.
REAL = "awk cat date df getconf grep gzip head id ip iptables readlink sed sh sort stat tail test timeout tr uname wc".split()
MADE_UP = {
    "rpm": r"printf 'package %s is not installed\n' docker-ce rpm; exit 2",
    "systemctl": r"printf 'Id=docker.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n'",
    "curl": "cat >/dev/null",
    "getent": "exit 0",
    "modprobe": "exit 1",
    "sudo": "exit 1",
}


@pytest.fixture
def ask(tmp_path):
    """Runs a whole probe with tools that write down what is started; facts, and the names of the programs."""
    tools, started = tmp_path / "bin", tmp_path / "started"
    tools.mkdir()

    def run(**other):
        for name in (*REAL, *MADE_UP):
            path = shutil.which(name)
            body = other.get(name) or MADE_UP.get(name) or (f'exec {path} "$@"' if path else None)
            if body:
                (tools / name).write_text(f"#!{shutil.which('sh')}\necho {name} >>{started}\n{body}\n")
                (tools / name).chmod(0o755)
        questions = Questions(
            ["docker-ce"], {"official": "http://127.0.0.1:9/docker-ce"}, ["http://127.0.0.1:9"], preflight=True
        )
        probe = probe_for(Host("h", "h"), questions)
        done = subprocess.run(
            ["sh", "-c", probe.command], capture_output=True, timeout=80, cwd=tmp_path, stdin=subprocess.DEVNULL,
            env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.stderr == b""
        names = started.read_text().split()
        started.unlink()
        return parse(done.stdout, probe.nonce), names

    return run


def test_a_probe_starts_few_programs(ask):
    facts, names = ask()
    assert isinstance(facts.storage.data_root, Known)
    assert isinstance(facts.network.routes, Known | Unknown)
    # curl comes once for all questions, and once for each that is left open: here it answers none.
    assert len([name for name in names if name not in ("curl", "timeout")]) <= 32, sorted(names)
    # Whose they are is asked once more, where there are docker commands.
    for name, most in {"rpm": 2, "systemctl": 1, "df": 2, "uname": 1, "head": 0, "tr": 0, "stat": 1}.items():
        assert names.count(name) <= most, (name, sorted(names))


@pytest.mark.parametrize(
    ("program", "unknown", "known"),
    [
        ("systemctl", lambda facts: facts.service, lambda facts: facts.storage.data_root),
        ("df", lambda facts: facts.storage.data_root, lambda facts: facts.package_facts.database_errors),
    ],
)
def test_a_program_that_hangs_takes_its_own_facts_alone(ask, program, unknown, known):
    # A limit of seconds would be waited for: it is two here, for the program that hangs alone.
    quick = f'case " $* " in *" {program} "*) shift; set -- 2 "$@";; esac; exec {shutil.which("timeout")} "$@"'
    facts, _ = ask(timeout=quick, **{program: "exec sleep 300"})
    assert unknown(facts) == Unknown("no answer in time")
    assert isinstance(known(facts), Known)
    assert isinstance(facts.engine_facts.copies, Known)


def test_files_come_through_as_they_are(tmp_path):
    """Without an end, long, or of zeros after a power cut: the shell reads what is short, head the rest."""
    probe = resources.files("pydock_installer.probe").joinpath("probe.sh").read_text(encoding="utf-8")
    functions = re.search(r"^text\(\) \{.*?^\}$", probe, re.MULTILINE | re.DOTALL)
    assert functions
    for text in (b"", b"a", b"a\n", b" a\\n\tb \n\nc", b"x" * 9000, b"y\n" * 9000, b"\0" * 50, b"%s%d\n-n\n"):
        (tmp_path / "f").write_bytes(text)
        for limit in (100, 262144):
            script = f"{functions[0]}\ntext {tmp_path}/f {limit}\n"
            said = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
            # Whole lines at the least: a file that is cut is longer than whoever reads it takes.
            assert said == text or (len(text) > limit and len(said) >= limit and text.startswith(said.rstrip(b"\n")))
