"""What the module docker_absent reads of an engine and of what it leaves, without a host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.absence.things import is_dockers_shim, packages_brought
from tests.unit.modules import load_utility

engine, leavings = load_utility("docker_absent", "pydock_engine"), load_utility("docker_absent", "pydock_leavings")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"data-root": "/data/docker"}', "/data/docker"),
        ('{"graph": "/old/docker", "debug": true}', "/old/docker"),
        ('\ufeff{"data-root": "/data/docker"}', "/data/docker"),
        ('{"data-root": "/data/docker",', "/data/docker"),
        ("{}", None), ("", None), ("[]", None), ('{"data-root": 7}', None),
    ],
)  # fmt: skip
def test_the_data_root_is_read_from_settings_also_from_broken_ones(text, path):
    assert engine.root_in_settings(text) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ExecStart=/usr/bin/dockerd -H fd:// --data-root /data/docker", "/data/docker"),
        ("ExecStart=/usr/bin/dockerd --data-root=/data/docker -H fd://", "/data/docker"),
        ('OPTIONS="--selinux-enabled -g /old/docker"', "/old/docker"),
        ("ExecStart=/usr/bin/dockerd --graph=/a\nExecStart=/usr/bin/dockerd --graph=/b", "/b"),
        ("ExecStart=/usr/bin/dockerd --log-opt x", None),
    ],
)
def test_the_data_root_is_read_from_flags(text, path):
    assert engine.root_in_flags(text) == path


def test_containerd_s_root_is_that_of_the_top_of_its_file():
    assert engine.root_in_toml('version = 2\nroot = "/data/containerd"\n[plugins]\n  root = "/x"\n') == "/data/containerd"
    assert engine.root_in_toml('disabled_plugins = ["cri"]\n#root = "/var/lib/containerd"\n[plugins]\nroot = "/x"\n') is None


def test_bridges_are_those_that_docker_made_itself():
    book = b'\x00x{"BridgeIfaceCreator":1,"BridgeName":"docker0"}\xff{"BridgeIfaceCreator":2,"BridgeName":"lan0"}{"BridgeIfaceCreator":1,"BridgeName":"br-1"}'
    assert engine.own_bridges(book) == ["br-1", "docker0"]


@given(st.binary())
def test_any_book_is_read(book):
    engine.own_bridges(book)


@pytest.mark.parametrize(
    ("spaces", "kubelet", "told"),
    [
        ({}, False, ""),
        ({"moby": 3, "default": 0}, False, ""),
        ({"moby": 3, "k8s.io": 4}, True, "Kubernetes (kubelet) and the namespace k8s.io"),
        ({"buildkit": None}, False, "the namespace buildkit"),
    ],
)
def test_who_else_uses_containerd(spaces, kubelet, told):
    assert engine.sharers(spaces, kubelet) == told


@pytest.mark.parametrize(
    ("name", "arguments", "own"),
    [
        ("containerd-shim", "/usr/bin/containerd-shim-runc-v2 -namespace moby -id ab", True),
        ("containerd-shim", "containerd-shim -namespace plugins.moby -workdir /x", True),
        ("containerd-shim", "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id moby", False),
        ("docker-containe", "docker-containerd-shim ab", True),
        ("containerd", "/usr/bin/containerd -namespace moby", False),
        ("conmon", "conmon -namespace moby", False),
    ],
)
def test_shims_of_others_are_left_alone(name, arguments, own):
    assert engine.is_dockers_shim(name, arguments.split()) is own
    assert is_dockers_shim(name, arguments) is own


ENTRIES = st.lists(
    st.fixed_dictionaries({
        "action": st.sampled_from(["installed", "removed", "created"]),
        "packages": st.one_of(st.none(), st.lists(st.sampled_from(["gcc-1-2.x", "gcc-2-2.x", "a-b-c-1-1.x", "nonsense", "x-1"]), max_size=3)),
    }),
    max_size=5,
)  # fmt: skip


@given(ENTRIES)
def test_the_module_and_the_plan_know_the_same_packages_of_pydock_s(entries):
    assert leavings.brought(entries) == packages_brought(entries)


def test_what_rpm_says_is_needed():
    said = (
        "error: Failed dependencies:\n\tcpp = 12.2.0 is needed by (installed) gcc-12.2.0-3.el9.x86_64\n"
        "\t/usr/bin/runc is needed by (installed) podman-4.6.1-1.x86_64\n\trpmlib(X) <= 1 is needed by (installed) y-1-1.x\n"
    )
    assert leavings.still_needed(said) == ["/usr/bin/runc", "cpp"]
    assert leavings.needed_by(said) == ["gcc-12.2.0-3.el9.x86_64", "podman-4.6.1-1.x86_64", "y-1-1.x"]


class Rpm:
    """Packages that need one another, as rpm tells of them."""

    def __init__(self, needs):
        self.needs = needs

    def __call__(self, *command):
        if command[:3] == ("rpm", "-e", "--test"):
            going = set(command[3:])
            told = [f"\t{need} is needed by (installed) {name}-1-1.x" for name, needs in self.needs.items() if name not in going for need in needs if need in going]
            return (1, "", "error: Failed dependencies:\n" + "\n".join(told)) if told else (0, "", "")
        return 0, "\n".join(command[5:]), ""


def test_dependencies_go_as_far_as_nothing_needs_them_that_stays():
    rpm = leavings.Packages(Rpm({"docker-ce": ["selinux", "slirp"], "gcc": ["cpp"], "cpp": ["isl"], "podman": ["slirp"]}))
    assert rpm.closed(["docker-ce"], ["selinux", "slirp", "cpp", "isl"]) == ["docker-ce", "selinux"]
    assert rpm.closed(["docker-ce"], ["selinux", "gcc", "cpp", "isl"]) == ["cpp", "docker-ce", "gcc", "isl", "selinux"]
    assert rpm.refusal(["slirp"]) == ["docker-ce-1-1.x", "podman-1-1.x"]


def test_the_key_is_docker_s_or_one_that_pydock_imported():
    installed = ["gpg-pubkey-621e9f35-58adea78", "gpg-pubkey-8483c65d-5ccc5b19", "gpg-pubkey-0a0b0c0d-1"]
    assert leavings.keys_to_go(installed, []) == ["gpg-pubkey-621e9f35-58adea78"]
    imported = [{"action": "imported", "key": "FFFF0000FFFF0000FFFF0000FFFF00000A0B0C0D"}]
    assert leavings.keys_to_go(installed, imported) == ["gpg-pubkey-0a0b0c0d-1", "gpg-pubkey-621e9f35-58adea78"]


def test_version_holds_of_others_stay():
    text = "# docker-ce is held\n3:docker-ce-26.1.4-1.el9.*\nkernel-5.14*\n!1:docker-ce-cli-26.*\ncontainerd.io-1.6*\n"
    assert leavings.without_holds(text) == "# docker-ce is held\nkernel-5.14*\n"


def test_the_journal_stays_while_something_can_be_put_back():
    base, daemon = "/etc/yum.repos.d/CentOS-Base.repo", "/etc/docker/daemon.json"
    entries = [
        {"action": "replaced", "file": base, "backup": f"{base}.bak", "sha256": "new"},
        {"action": "replaced", "file": daemon, "backup": f"{daemon}.bak", "sha256": "new"},
        {"action": "created", "file": "/etc/yum.repos.d/docker-ce.repo", "sha256": "new"},
        {"action": "removed", "packages": ["docker-1.13.1-1.x86_64", "libfoo-1-1.x"]},
        {"action": "installed", "packages": ["libfoo-2-1.x"]},
    ]
    sums = {base: "new", f"{base}.bak": "old", daemon: "new", f"{daemon}.bak": "old", "/etc/yum.repos.d/docker-ce.repo": "new"}
    assert leavings.worth_keeping(entries, sums, []) == [base, "docker"]
    assert leavings.worth_keeping(entries, sums, ["docker"]) == [base], "somebody has installed it since"
    restored = [*entries, {"action": "restored", "file": base, "backup": f"{base}.bak", "sha256": "old"}]
    restored.append({"action": "restored", "packages": ["docker-1.13.1-1.x86_64"]})
    assert leavings.worth_keeping(restored, {**sums, base: "old"}, []) == []
    assert leavings.worth_keeping(entries[:3], {base: "new"}, []) == [], "the backups are gone"
