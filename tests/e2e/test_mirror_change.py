"""Registry mirrors changed on hosts whose engine runs: without harm, or not at all."""

import json
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import Pydock
from tests.lab.engine import GATEWAY
from tests.lab.registries import mirror

FILE = "/etc/docker/daemon.json"
DIRECTORY = "/etc/systemd/system/docker.service.d"
DROP_IN = f"{DIRECTORY}/flag.conf"
OWN = f"{DIRECTORY}/pydock-proxy.conf"
DEAD = "http://docker.1ms.run:1"
#: Python 2.7 on the one, 3 on the other.
RELEASES = {"mc7": 7, "mc9": 9}


@pytest.fixture(scope="module")
def hosts(lab, tmp_path_factory):
    """Two hosts with an engine, each with a container that nobody starts again and one that comes back by itself."""
    made = dict(zip(RELEASES, lab.hosts(list(RELEASES.items())), strict=True))
    directory = tmp_path_factory.mktemp("work")
    settings = {"repository_key": lab.key_fingerprint, "ssh": {"config": str(lab.ssh_config)}}
    Pydock(directory, settings, directory / "state")("install", "--yes", "--no-compilers", *RELEASES, check=0)
    for host in made.values():
        host.run("tar -chC / bin/sleep lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 | docker import - keep")
        host.run("docker run -d --name web keep /bin/sleep 100000")
        host.run("docker run -d --name db --restart always keep /bin/sleep 100000")
    yield made
    for host in made.values():
        host.remove()


@pytest.fixture
def pydock(pydock):
    pydock.settings.pop("registry_mirrors")
    return pydock


@pytest.fixture
def good(lab):
    with mirror("good", GATEWAY) as server:
        yield server.url


def containers(host):
    """Which run, since when, as which process: and the engine's own process."""
    text = host.run("docker inspect --format '{{.Name}} {{.State.StartedAt}} {{.State.Pid}}' $(docker ps -q)").stdout
    return sorted(text.splitlines()), host.run("cat /run/docker.pid").stdout


def in_effect(host):
    text = host.run("docker info --format '{{json .RegistryConfig.Mirrors}}'").stdout
    return [url.rstrip("/") for url in json.loads(text) or []]


def write(host, text):
    host.run(f"cat > {FILE} <<'END'\n{text}END\n")


@contextmanager
def settings_of(host, text):
    """A daemon.json that the engine runs with, for a while."""
    write(host, text)
    host.run("systemctl reload docker")
    yield
    write(host, '{"registry-mirrors": []}\n')
    host.run("systemctl reload docker")


def test_running_containers_do_not_notice_a_change(hosts, pydock, lab, good):
    """The file keeps its other keys, their order, its hand, mode, owner and place; a link stays a link."""
    before = {}
    for name, host in hosts.items():
        host.run(f"rm -f {FILE}; ln -s /etc/docker/real.json {FILE}")
        write(host, '{\n\t"live-restore": false,\n\t"labels": ["a=\\u533a"],\n\t"debug": false\n}\n')
        host.run("chmod 640 /etc/docker/real.json; chown root:docker /etc/docker/real.json; systemctl reload docker")
        before[name] = containers(host)
    done = pydock("mirror", "set", "--json", "--yes", lab.registry_mirror, f"{good}/", *hosts, check=0)
    for name, host in hosts.items():
        entry = done.host(name)
        assert entry["status"] == "ok"
        assert entry["proof"]["registry_mirrors"] == [lab.registry_mirror, good]
        assert '+\t"registry-mirrors": [' in entry["diff"]
        assert in_effect(host) == [lab.registry_mirror, good]
        assert containers(host) == before[name], "not a container was started again, nor the engine"
        assert host.run(f"cat {FILE}").stdout == (
            '{\n\t"live-restore": false,\n\t"labels": ["a=\\u533a"],\n\t"debug": false,\n\t"registry-mirrors": [\n'
            f'\t\t"{lab.registry_mirror}",\n\t\t"{good}"\n\t]\n}}\n'
        )
        assert host.run(f"stat -L -c '%a %U %G' {FILE}; readlink {FILE}").stdout.splitlines() == [
            "640 root docker", "/etc/docker/real.json",
        ]  # fmt: skip
        entries = map(json.loads, host.run("cat /var/lib/pydock/journal.jsonl").stdout.splitlines())
        last = [entry for entry in entries if entry["action"] == "replaced"][-1]
        assert last["file"] == "/etc/docker/real.json"
        assert "registry-mirrors" not in json.loads(host.run(f"cat {last['backup']}").stdout)
    again = pydock("mirror", "set", "--json", lab.registry_mirror, good, *hosts, check=0).document
    assert again["run_directory"] is None, "hosts that have their mirrors cost no Ansible run"
    assert {entry["status"] for entry in again["hosts"]} == {"unchanged"}


def test_mirrors_are_added_at_the_end_and_taken_away_until_none_is_left(hosts, pydock, lab, good):
    host = hosts["mc9"]
    pydock("mirror", "set", "--yes", lab.registry_mirror, "mc9", check=0)
    with mirror("plain", GATEWAY) as other:
        pydock("mirror", "add", "--yes", good, other.url, "mc9", check=0)
        assert in_effect(host) == [lab.registry_mirror, good, other.url]
        pydock("mirror", "remove", "--yes", good, "mc9", check=0)
        assert in_effect(host) == [lab.registry_mirror, other.url]
    shown = pydock("mirror", "remove", "--all", "--dry-run", "mc9", check=0)
    assert any(line.startswith("  -") and lab.registry_mirror in line for line in shown.stdout.splitlines())
    assert in_effect(host) != []
    pydock("mirror", "remove", "--all", "--yes", "mc9", check=0)
    assert in_effect(host) == []
    assert json.loads(host.run(f"cat {FILE}").stdout)["registry-mirrors"] == [], "an engine keeps what is left out"
    assert pydock("mirror", "remove", "--all", "--json", "mc9", check=0).document["run_directory"] is None


def test_a_mirror_that_does_not_serve_is_not_set_where_it_does_not(hosts, pydock, good):
    before = {name: host.run(f"cat {FILE}").stdout for name, host in hosts.items()}
    done = pydock("mirror", "set", "--json", "--yes", good, DEAD, *hosts, check=3)
    for name, host in hosts.items():
        assert done.host(name)["status"] == "blocked"
        assert f"{DEAD} cannot be used from here, it is dead" in done.host(name)["cause"]
        assert host.run(f"cat {FILE}").stdout == before[name]
    hosts["mc7"].run(f"iptables -I OUTPUT -d {GATEWAY} -p tcp --dport {good.rpartition(':')[2]} -j REJECT")
    try:
        done = pydock("mirror", "add", "--json", "--yes", good, *hosts, check=3)
    finally:
        hosts["mc7"].run("iptables -D OUTPUT 1")
    assert {name: done.host(name)["status"] for name in hosts} == {"mc7": "blocked", "mc9": "ok"}
    assert in_effect(hosts["mc9"])[-1] == good
    pydock("mirror", "set", "--force", "--yes", DEAD, "mc9", check=0)
    assert in_effect(hosts["mc9"]) == [DEAD]


def test_the_best_of_the_shipped_list(hosts, pydock, lab):
    """Of its names the lab serves one."""
    done = pydock("mirror", "set", "--best", "1", "--json", "--yes", *hosts, check=0)
    assert {tuple(entry["proof"]["registry_mirrors"]) for entry in done.document["hosts"]} == {(lab.registry_mirror,)}
    with lab.mirror.fault("mirror-403", hosts=[hosts["mc7"]]):
        split = pydock("mirror", "set", "--best", "2", "--per-host", "--json", "--yes", *hosts, check=3)
    assert split.host("mc9")["status"] == "unchanged"
    assert "no mirror of the shipped list serves this host" in split.host("mc7")["cause"]


def test_pydock_yml_that_says_otherwise_is_told_of(hosts, pydock, lab):
    pydock.settings["registry_mirrors"] = ["https://other.example"]
    done = pydock("mirror", "set", "--yes", lab.registry_mirror, "mc9", check=0)
    assert f"registry_mirrors: [{lab.registry_mirror}]" in done.stderr


def test_a_broken_file_is_not_touched(hosts, pydock, lab):
    host = hosts["mc7"]
    broken = '{\n  "debug": false,\n  "icc": tru\n}\n'
    with settings_of(host, broken):
        entry = pydock("mirror", "set", "--json", "--yes", lab.registry_mirror, "mc7", check=3).host("mc7")
        assert "line 3, column 10" in entry["cause"]
        pydock.settings["registry_mirrors"] = [lab.registry_mirror]
        entry = pydock("install", "--json", "--yes", "--no-compilers", "mc7", check=1).host("mc7")
        assert "line 3, column 10: a value is expected" in entry["cause"], "the role says so too, under Python 2.7"
        assert host.run(f"cat {FILE}").stdout == broken


def test_a_flag_that_says_the_same_is_found_before_anything_is_written(hosts, pydock, lab):
    host = hosts["mc9"]
    before = host.run(f"cat {FILE}").stdout
    start = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
    flag = f"{start} --registry-mirror=https://x.example --log-driver json-file"
    host.run(f"mkdir -p {DROP_IN.rpartition('/')[0]}; printf '[Service]\\nExecStart=\\nExecStart={flag}\\n' > {DROP_IN}")
    host.run("systemctl daemon-reload")
    try:
        entry = pydock("mirror", "set", "--json", "--yes", lab.registry_mirror, "mc9", check=3).host("mc9")
        assert "--registry-mirror in" in entry["cause"]
        assert DROP_IN in entry["cause"]
        pydock.settings["daemon"] = {"log-driver": "local"}
        entry = pydock("install", "--json", "--yes", "--restart", "--no-compilers", "mc9", check=1).host("mc9")
        assert f"--log-driver in {DROP_IN}" in entry["cause"], "the role finds it by itself"
        assert entry["code"] == "flag-and-file"
        assert host.run(f"cat {FILE}").stdout == before
    finally:
        host.run(f"rm {DROP_IN}; systemctl daemon-reload")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://m.example.com/hub", "engine 20.10.24"),
    ],
)
def test_what_this_engine_refuses_is_refused_before(hosts, pydock, url, said):
    entry = pydock("mirror", "set", "--force", "--json", "--yes", url, "mc9", check=3).host("mc9")
    assert said in entry["cause"]
    assert entry["code"] == "settings-refused"


def test_a_restart_under_containers_needs_a_word_of_its_own(hosts, pydock):
    """Without it, nothing; with it, who came back and who did not; with live-restore, no word is needed."""
    host = hosts["mc7"]
    before = containers(host)
    pydock.settings["daemon"] = {"log-driver": "local"}
    entry = pydock("install", "--json", "--yes", "--no-compilers", "mc7", check=5).host("mc7")
    assert entry["status"] == "refused"
    assert "db, web would stop" in entry["cause"]
    assert "--restart" in entry["remedy"]
    assert containers(host) == before
    assert "local" not in host.run(f"cat {FILE}").stdout

    entry = pydock("install", "--json", "--yes", "--restart", "--no-compilers", "mc7", check=0).host("mc7")
    service = next(step for step in entry["steps"] if step["name"] == "service")
    assert service["detail"].endswith("without a restart policy to start them again: web")
    assert [line.split()[0] for line in containers(host)[0]] == ["/db"]

    host.run("docker start web")
    pydock.settings["daemon"] = {"live-restore": True}
    pydock("install", "--yes", "--no-compilers", "mc7", check=0)
    running, engine = containers(host)
    pydock.settings["daemon"] = {"log-driver": "json-file"}
    pydock("install", "--yes", "--no-compilers", "mc7", check=0)
    assert containers(host)[0] == running, "the engine restarted, its containers did not"
    assert containers(host)[1] != engine


def test_the_engine_gets_a_proxy_whose_password_nobody_sees(hosts, pydock):
    """Through it comes what has no other way. Nobody else's file is changed, no container stops without a word."""
    host = hosts["mc9"]
    arguments = ["install", "--json", "--yes", "--no-compilers", "mc9"]
    with mirror("plain", GATEWAY) as proxy:
        address = proxy.url.replace("http://", "http://ops:s3cr3t%40word@")
        pydock.settings["engine_proxy"] = {"http_proxy": address, "no_proxy": ["localhost", "127.0.0.1"]}
        pydock.settings["registry_mirrors"] = ["http://only-by-proxy.invalid"]
        host.run(f"mkdir -p {DIRECTORY}; printf '[Service]\nEnvironment=HTTP_PROXY={DEAD}\n' > {DIRECTORY}/http-proxy.conf")
        assert f"{DIRECTORY}/http-proxy.conf already sets HTTP_PROXY" in pydock(*arguments, check=1).host("mc9")["cause"]
        host.run(f"rm {DIRECTORY}/http-proxy.conf")
        assert "web would stop" in pydock(*arguments, check=5).host("mc9")["cause"]
        assert host.run(f"ls {DIRECTORY}").stdout == ""
        host.run("docker kill db web; docker rmi -f hello-world")
        done = pydock(*arguments, check=0)
        assert ("HTTP_PROXY, NO_PROXY", "changed") in [(s["detail"], s["status"]) for s in done.host("mc9")["steps"]]
        assert any(headers.get("Proxy-Authorization") for _, headers in proxy.requests)
        kept = "".join(path.read_text(errors="replace") for path in pydock.state.rglob("*") if path.is_file())
        logged = host.run("journalctl --no-pager").stdout
        assert "s3cr3t" not in done.stdout + done.stderr + kept + logged
        assert host.run(f"stat -c '%a %n' {DIRECTORY}/*").stdout == f"600 {OWN}\n"
        assert pydock("plan", "--json", "--no-compilers", "mc9", check=0).host("mc9")["steps"] == []
    pydock.settings["engine_proxy"] = {}
    pydock.settings["registry_mirrors"] = []
    pydock("mirror", "remove", "--all", "--yes", "mc9", check=0)
    pydock(*arguments, "--restart", check=0)  # db has come back by its policy.
    assert host.run(f"ls {DIRECTORY}; systemctl show docker -p Environment").stdout == "Environment=\n"
    host.run("docker start db web")


def test_settings_that_the_engine_rejects_are_rolled_back_with_its_reason(hosts, pydock):
    host = hosts["mc9"]
    before = host.run(f"cat {FILE}").stdout
    pydock.settings["daemon"] = {"storage-driver": "nonsense"}
    pydock.settings["engine_proxy"] = {"no_proxy": "localhost"}
    entry = pydock("install", "--json", "--yes", "--restart", "--no-compilers", "mc9", check=1).host("mc9")
    assert entry["status"] == "failed"
    assert "driver not supported" in entry["cause"], "the journal's reason"
    assert f"{OWN} (failed to start daemon" in entry["cause"]
    assert "what was there before is back, and the engine runs with that" in entry["cause"]
    assert host.run(f"ls {DIRECTORY}").stdout == ""
    entries = map(json.loads, host.run("tail -n 2 /var/lib/pydock/journal.jsonl").stdout.splitlines())
    assert [entry["action"] for entry in entries] == ["restored", "restored"]
    assert "web ran before and do not run now" in entry["cause"]
    assert host.run(f"cat {FILE}").stdout == before
    assert [line.split()[0] for line in containers(host)[0]] == ["/db"], "it comes back by its policy"
    host.run("docker start web")


def test_a_host_without_an_engine_is_told_how_to_get_one(lab, pydock, hosts):
    host = lab.host("mcn", release=9)
    try:
        done = pydock("mirror", "set", "--json", "--yes", lab.registry_mirror, "mcn", "mc9", check=3)
        assert done.host("mcn")["code"] == "no-engine"
        assert "pydock install" in done.host("mcn")["remedy"]
        assert done.host("mc9")["status"] in ("ok", "unchanged"), "hosts stand for themselves"
        assert host.run("ls /etc/docker 2>&1; true").stdout.strip().endswith("No such file or directory")
    finally:
        host.remove()
