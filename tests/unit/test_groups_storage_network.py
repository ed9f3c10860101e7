"""Storage and network: hostile answers, networks that overlap, and the questions themselves in every shell."""

import gzip
import os
import shutil
import subprocess
from importlib import resources
from ipaddress import IPv4Network

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import checks, platforms
from pydock_installer.checks.judging import surely_before
from pydock_installer.checks.network import RULES as NETWORK
from pydock_installer.checks.rule import Context
from pydock_installer.checks.storage import RULES as STORAGE
from pydock_installer.model import Known, Severity, Unknown
from pydock_installer.model.groups.network import Forwarding, Route
from pydock_installer.probe import parse
from pydock_installer.probe.answers import split
from pydock_installer.probe.groups.network import routes
from pydock_installer.probe.groups.storage import filesystem
from pydock_installer.probe.script import SECTIONS
from pydock_installer.settings import Settings
from tests.unit.test_rules import BARE, NONCE, RELEASES, findings, output

modest = settings(max_examples=60, deadline=None)
STORAGE_ANSWERS = ("place_data_root", "place_data_root_there", "place_containerd_root", "place_yum_cache", "overlay_module")
NETWORK_ANSWERS = (
    "routes", "neighbours", "forwarding", "firewalld", "iptables", "xt_addrtype", "br_netfilter", "yum_proxy", "names",
    "mirror_answers", "registry_answers", "package_set",
)  # fmt: skip
WISHES = Settings(registry_mirrors=["https://m.example"], docker_version="26", daemon={"icc": False})
words = st.sampled_from(
    [
        "path /var", "blocks ", "inodes ", "mount ", "ftype 1", " xfs ", "/dev/a 9 1 8 1% /", "/dev/a / xfs rw", "- - - - /",
        "default", "via", "10.0.0.1", "172.17.0.0/16", "999.1.1.1", "/33", "dev", "eth0", "nexthop", "blackhole", "Iface",
        "00000000", "0003", "own ", "client ", "now ", "set 0 ", "0", "1", "²", "state active", "backend nftables",
        "iptables v1.8.9 (nf_tables)", "missing", "loaded", "unseen", "http://", "official 200 ", "000", "https://m.example",
        "mirror official", "docker-ce-26.1.4-1.el9.x86_64.rpm", "docker-ce-.rpm", " ", "\n", "\t", "\0", "\x1b[2J", "$(id)",
        "9" * 40, "\\777", "-1",
    ]
)  # fmt: skip


@modest
@given(
    st.sampled_from([*STORAGE_ANSWERS, *NETWORK_ANSWERS]),
    st.lists(words | st.text(max_size=8), max_size=20).map("".join) | st.text(max_size=60),
    st.sampled_from([*RELEASES]),
)
def test_no_answer_breaks_parser_or_rules(name, text, release):
    facts = parse(output({**BARE, **RELEASES[release], name: text}), NONCE)
    context = Context(WISHES, platforms.lookup(facts.release.value))
    told = [rule(facts, context) for rule in (*STORAGE, *NETWORK)]
    # Release 6 has no overlay2 to tell of.
    assert all(told) or release == "6"


@modest
@given(st.sampled_from([*STORAGE_ANSWERS, *NETWORK_ANSWERS]), st.integers(1, 255).filter(lambda status: status != 44))
def test_a_question_that_fails_is_no_pass(name, status):
    facts = parse(output({**BARE, name: status}), NONCE)
    group = facts.storage if name in STORAGE_ANSWERS else facts.network
    field = name.removeprefix("place_")
    assert isinstance(getattr(group, field), Unknown)


@modest
@given(
    st.dictionaries(
        st.sampled_from(["bip", "default-address-pools", "features", "storage-driver", "data-root", "icc", "proxies"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers() | st.just({"base": 1})),
    ),
    st.booleans(),
)
def test_no_daemon_json_breaks_the_rules(values, on_the_host):
    """What it says may be of any type: in the settings, and on the host."""
    answers = {"routes": "10.0.0.0/24 dev eth0\n", "forwarding": "now 1\n", "iptables": "iptables v1.8.9 (nf_tables)"}
    case = {"answers": answers, "expect": {}}
    if on_the_host:
        answers["daemon_json"] = yaml.safe_dump(values, default_flow_style=True, width=10**6)
    else:
        case["settings"] = {"daemon": {key: value for key, value in values.items() if key != "default-address-pools"}}
    assert findings(case)


@pytest.mark.parametrize("pools", ["[{base: .inf, size: .inf}]", "[{base: 10.0.0.0/8, size: .inf}]", "[1]", "1", "{a: 1}"])
def test_pools_that_are_none_are_told_as_such(pools):
    daemon = {"default-address-pools": yaml.safe_load(pools)}
    text = str(daemon).replace("'", '"').replace("inf", "Infinity")
    (found,) = [
        f for f in findings({"answers": {"routes": "", "daemon_json": text}, "expect": {}}) if f.code == "address-pool"
    ]
    assert found.severity is Severity.BLOCKER


networks = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 32)).map(lambda pair: IPv4Network(pair, strict=False))


@modest
@given(networks, networks)
def test_overlapping_is_symmetrical_and_as_ranges_do(one, other):
    there = Route(one, "eth0", True).overlaps(other)
    assert there == Route(other, "eth0", True).overlaps(one)
    assert there == (one[0] <= other[-1] and other[0] <= one[-1])


@pytest.mark.parametrize("network", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"])
def test_a_default_route_overlaps_nothing(network):
    assert not Route(IPv4Network(network), "eth0", False).overlaps(IPv4Network("172.17.0.0/16"))


@modest
@given(networks, st.integers(1, 2**32 - 1) | st.none())
def test_both_tellings_of_a_route_are_the_same(network, gateway):
    """iproute2's, and the kernel's own: hexadecimal, the last byte first."""
    via = IPv4Network((gateway, 32)).network_address if gateway else None
    told = f"{network} {f'via {via} ' if via else ''}dev eth0 metric 100\n"
    numbers = [int(network.network_address), gateway or 0, int(network.netmask)]
    place, gate, mask = (number.to_bytes(4, "little").hex().upper() for number in numbers)
    kernel = f"Iface\tDestination\tGateway\neth0\t{place}\t{gate}\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n"
    assert routes(told) == routes(kernel) == (Route(network, "eth0", via is None, via),)


def test_a_route_with_several_gateways_tells_them_all():
    found = routes("default proto static\n\tnexthop via 10.0.0.1 dev a weight 1\n\tnexthop via 10.0.0.2 dev b weight 1\n")
    assert [str(route.gateway) for route in found[1:]] == ["10.0.0.1", "10.0.0.2"]


def test_what_is_not_told_to_its_end_is_unknown():
    many = {"routes": "10.0.0.0/24 dev eth0\n" * 1001}
    (found,) = [f for f in findings({"answers": many}) if f.code == "address-pool"]
    assert found.severity is Severity.UNKNOWN
    files = "mirror official\n" + "docker-ce-cli-25.0.1-1.el9.x86_64.rpm\n" * 800
    (found,) = [f for f in findings({"answers": {"package_set": files}}) if f.code == "package-set"]
    assert (found.severity, "too long" in found.message) == (Severity.UNKNOWN, True)


@pytest.mark.parametrize(
    ("settings", "decisive"),
    [
        ((), None),
        ((("/etc/sysctl.conf", False), ("/usr/lib/sysctl.d/50-default.conf", True)), ("/etc/sysctl.conf", False)),
        ((("/etc/sysctl.d/10-a.conf", False), ("/usr/lib/sysctl.d/20-b.conf", True)), ("/usr/lib/sysctl.d/20-b.conf", True)),
        ((("/etc/sysctl.d/a.conf", True), ("/usr/lib/sysctl.d/a.conf", False)), ("/etc/sysctl.d/a.conf", True)),
        ((("/etc/sysctl.d/a.conf", True), ("/etc/sysctl.d/a.conf", False)), ("/etc/sysctl.d/a.conf", False)),
    ],
)
def test_the_file_that_counts_is_that_of_sysctl(settings, decisive):
    assert Forwarding(True, settings).decisive == decisive


@pytest.mark.parametrize(
    ("release", "wanted", "packages", "before_29"),
    [
        ("7", "latest", "", True), ("9", "latest", "", False), ("9", "28", "", True), ("9", "29", "", False),
        ("9", "latest", "docker-ce\t3\t20.10.24\t3.el9\tx86_64\n", True),
    ],
)  # fmt: skip
def test_an_engine_is_older_only_where_that_is_sure(release, wanted, packages, before_29):
    facts = parse(output({**BARE, **RELEASES[release], "packages": packages}), NONCE)
    context = Context(Settings(docker_version=wanted), platforms.lookup(facts.release.value))
    assert surely_before(facts, context, 29) is before_29
    assert not surely_before(facts, Context(Settings(docker_version="20"), context.platform), 20, 10)


def test_a_mount_point_with_a_blank_is_found():
    row = "/dev/sdb1 100 50 50 50% /mnt/my disk"
    found = filesystem(f"path /mnt/my disk/docker\nblocks {row}\ninodes {row}\nmount /dev/sdb1 /mnt/my\\040disk ext4 rw\n")
    assert (found.mount_point, found.type, found.free) == ("/mnt/my disk", "ext4", 50 * 1024)


def test_every_rule_of_these_groups_is_explained():
    directory = resources.files("pydock_installer.checks") / "explanations"
    for group in ("storage", "network"):
        told = {entry["code"] for entry in yaml.safe_load((directory / f"{group}.yml").read_text(encoding="utf-8"))}
        case = {"answers": {}, "settings": {"registry_mirrors": ["https://m.example"], "daemon": {"icc": False}}}
        assert {finding.code for finding in findings(case) if finding.group == group} == told
        assert len(told) == len(checks.GROUPS[group])


# -- the questions themselves


SHELLS = [
    [path, *more]
    for name, *more in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"])
    if (path := shutil.which(name))
]
shells = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join([shell[0].rpartition("/")[2], *shell[1:]]))
PRIMARY = gzip.compress(
    b'<metadata packages="4"><package type="rpm"><location href="Packages/docker-ce-26.1.4-1.el9.x86_64.rpm"/></package>'
    b'<package><location xml:base="x" href="docker-ce-cli-26.1.4-1.el9.x86_64.rpm"/></package>\n'
    b'<package>\n  <location href="containerd.io-1.6.33-3.1.el9.x86_64.rpm"/>\n</package>'
    b'<location href="docker-ce-rootless-extras-26.1.4-1.el9.x86_64.rpm"/></metadata>'
)
CURL = r"""#!/bin/sh
echo "$*" >>"$LOG/arguments"
tee -a "$LOG/stdin" | awk -v log_directory="$LOG" '
    function finish(  status, left, said) {
        status = 200
        left = 0
        if (url ~ /aliyun.*repomd/) { status = 403; said = "<html>no" }
        else if (url ~ /ustc|nowhere/) { status = "000"; left = 6 }
        else if (url ~ /repomd/) said = "<data type=\"primary\"><location href=\"repodata/1-primary.xml.gz\"/></data>\n"
        else if (url ~ /primary/) system("cat " log_directory "/primary.xml.gz")
        else if (url ~ /dead.*\/v2/) { status = "000"; left = 28 }
        else if (url ~ /\/v2/) status = 401
        if (said != "" && !quiet) printf "%s", said
        gsub(/\\n/, "\n", out)
        sub(/%{http_code}/, status, out)
        sub(/%{exitcode}/, left, out)
        gsub(/%{[a-z_]*}/, "0.1", out)
        printf "%s", out
        quiet = 0
        out = url = ""
        return left
    }
    /^next/ { finish() }
    /^output/ { quiet = 1 }
    /^write-out = / { out = substr($0, 14, length($0) - 14) }
    /^url = / { url = $0 }
    END { exit finish() }'
"""


def ask(shell, tmp_path, configuration, *arguments, major=9):
    """The answers of all sections but the last, with a curl, a getent and a yum.conf of our own."""
    package = resources.files("pydock_installer.probe")
    names = ("probe.sh", *(f"sections/{name}.sh" for name in SECTIONS if name != "engine"))
    script = "\n".join(package.joinpath(name).read_text(encoding="utf-8") for name in names) + "\nexit 0\n"
    (tmp_path / "yum.conf").write_text(configuration)
    (tmp_path / "primary.xml.gz").write_bytes(PRIMARY)
    tools = {"curl": CURL, "getent": "#!/bin/sh\n"}
    for name, text in tools.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    script = script.replace("/etc/yum.conf", str(tmp_path / "yum.conf"))
    # What asks by the host's release is asked for release 9 anywhere.
    asked = "repository_path=\nfor platform in"
    assert asked in script
    script = script.replace(asked, f"release_id=centos major={major}\n{asked}")
    done = subprocess.run(
        [*shell, "-c", script, "pydock-probe", NONCE, "root", f"platform=centos:{major}:centos/9", *arguments, "--"],
        capture_output=True, timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path), "SSH_CONNECTION": "192.0.2.9 5 192.0.2.1 22"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.mark.parametrize("major", [8, 9], ids=["one by one", "together"])
@shells
def test_the_questions_work_in_every_shell(shell, major, tmp_path):
    said = ask(
        shell, tmp_path, "[main]\nkeepcache=0\n", "data-root=/srv/no such/dir", "preflight=always",
        "mirror=aliyun=https://mirrors.aliyun.com/docker-ce", "mirror=official=https://download.docker.com",
        "registry=https://m.example", "registry=https://dead.example:5000", "registry=http://[2001:db8::1]:5000",
        "mirror=chosen=http://[2001:db8::2]/docker-ce", "mirror=ustc=https://mirrors.ustc.edu.cn/docker-ce", "registry=https://nowhere.example", major=major,
    )  # fmt: skip
    facts = parse(said, NONCE)
    data_root = facts.storage.data_root
    assert isinstance(data_root, Known), split(said, NONCE).sections["place_data_root"]
    assert data_root.value.path == "/srv/no such/dir"
    assert data_root.value.free > 0
    assert isinstance(facts.storage.overlay_module, Known | Unknown)
    network = facts.network
    assert isinstance(network.routes, Known)
    assert any(str(one.address) == "192.0.2.9" and one.role == "client" for one in network.neighbours.value)
    assert network.yum_proxy is None
    assert network.names == Known(
        {"mirrors.aliyun.com": True, "download.docker.com": True, "mirrors.ustc.edu.cn": False, "m.example": True,
         "dead.example": True, "nowhere.example": False}
    )  # fmt: skip
    assert network.mirror_answers == Known({"aliyun": 403, "official": 200, "chosen": 200, "ustc": 0})
    assert {url: (a.status, a.curl) for url, a in network.registry_answers.value.items()} == {
        "https://m.example": (401, 0), "https://dead.example:5000": (0, 28), "http://[2001:db8::1]:5000": (401, 0),
        "https://nowhere.example": (0, 6),
    }  # fmt: skip
    assert network.package_set.value.mirror == "official"
    assert network.package_set.value.versions == {
        "docker-ce": ("26.1.4",), "docker-ce-cli": ("26.1.4",), "containerd.io": ("1.6.33",),
        "docker-ce-rootless-extras": ("26.1.4",),
    }  # fmt: skip
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"yum.conf", "primary.xml.gz", "curl", "getent", "arguments", "stdin", ".rpmdb"}


@shells
def test_the_password_of_yums_proxy_is_in_no_list_of_processes(shell, tmp_path):
    configuration = (
        "[main]\nproxy = http://u:in'line@proxy.example:3128\nproxy_username=some\"one\n"
        "proxy_password=s3\\cr'et$(id)\n[other]\nproxy=http://wrong.example\n"
    )
    said = ask(shell, tmp_path, configuration, "preflight=always", "mirror=official=https://download.docker.com")
    assert parse(said, NONCE).network.yum_proxy == Known("http://proxy.example:3128")
    arguments, stdin = (tmp_path / "arguments").read_text(), (tmp_path / "stdin").read_text()
    assert "cr'et" not in arguments
    assert "in'line" not in arguments
    assert b"cr'et" not in said
    assert b"in'line" not in said
    assert "proxy-user = \"some\\\"one:s3\\\\cr'et$(id)\"" in stdin
    assert "proxy = \"http://u:in'line@proxy.example:3128\"" in stdin
    assert "wrong.example" not in stdin
