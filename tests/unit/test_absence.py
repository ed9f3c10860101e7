"""What of Docker goes, what stays, and what speaks against it: decided from traces, without a host."""

from dataclasses import replace

import pytest

from pydock_installer.absence import Consents, companions, plan_absence, remains, unknown_before
from pydock_installer.absence.things import things
from pydock_installer.model import EngineFacts, Host, Known, Severity, Unknown
from pydock_installer.model.groups.engine import Copy, EngineState, Kubernetes
from pydock_installer.model.traces import Filter, Firewall, Group, Mount, Namespace, Process, Volume
from tests.unit.facts import bare, installed
from tests.unit.traces import ROOT, root, running, seen

NONE = Consents()
ALL = Consents(purge_data=True, purge_config=True)
DOCKER = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin")
UNITS = running("docker.service", "docker.socket", "containerd.service")
CHAINS = Known(Firewall((Filter("iptables", ("filter DOCKER", "nat DOCKER"), ("filter -A FORWARD -j DOCKER",), (), "DROP"),)))
FILES = Known(
    {
        "/etc/docker": "dir", "/etc/docker/daemon.json": "inside", "/etc/containerd": "dir", "/run/docker": "dir",
        "/run/docker.sock": "file", "/run/containerd": "dir", "/etc/yum.repos.d/docker-ce.repo": "file",
        "/etc/dnf/plugins/versionlock.list": "hold", "/var/lib/pydock/proof.json": "file",
    }
)  # fmt: skip


def host_with(**changes):
    """A host with an engine at work: facts and traces."""
    facts = bare("9", packages=installed(*DOCKER), package_keys=Known(("621e9f35", "8483c65d")))
    whole = seen(
        units=UNITS, roots=Known((root(), root("/var/lib/containerd", ("io.containerd.metadata.v1.bolt",), "containerd"))),
        volumes=Known((Volume("web", "/var/lib/docker", 4),)), links=Known({"docker0": (), "virbr0": ()}), firewall=CHAINS,
        group=Known(Group((), ())), files=FILES, namespaces=Known((Namespace("moby", 2),)), own_bridges=Known(("docker0",)),
    )  # fmt: skip
    return facts, replace(whole, **changes)


def plan(facts, traces, consents=NONE):
    return plan_absence(Host("web", "192.0.2.1"), facts, traces, consents)


def names(made):
    return [step.name for step in made.steps]


def codes(made, severity=Severity.BLOCKER):
    return [finding.code for finding in made.findings if finding.severity is severity]


def test_a_host_that_never_had_docker_has_nothing_to_do_and_nothing_left():
    made = plan(bare("9"), seen(), ALL)
    assert (made.steps, made.findings) == ((), ())
    assert remains(bare("9"), seen(), ALL) == ([], [])


def test_data_and_settings_stay_without_a_word():
    made = plan(*host_with())
    assert names(made) == ["stop", "packages", "network", "firewall", "system"]
    told = " ".join(step.sentence for step in made.steps)
    assert "/var/lib/docker" not in told.replace("/var/lib/pydock", "")
    assert "/etc/docker" not in told
    left = {entry.what.partition(" ")[0]: entry.why for entry in remains(*host_with(), Consents())[0]}
    assert "--purge-data" in left["/var/lib/docker"]
    assert "--purge-config" in left["/etc/docker"]


def test_with_everything_nothing_stays():
    made = plan(*host_with(), ALL)
    assert names(made) == ["stop", "packages", "network", "firewall", "data", "system", "config"]
    assert remains(*host_with(), ALL)[0] == []
    data = next(step for step in made.steps if step.name == "data")
    assert "1 volume" in data.sentence
    assert made.variables["docker_absent_data_roots"] == ["/var/lib/docker", "/var/lib/containerd"]


def test_bridges_and_chains_of_others_are_no_concern():
    made = plan(*host_with())
    assert "virbr0" not in " ".join(step.sentence for step in made.steps)


def test_a_bridge_that_nobody_knows_stays_and_is_told():
    facts, traces = host_with(links=Known({"docker0": (), "br-0123456789ab": ()}))
    assert "br-0123456789ab" not in " ".join(step.sentence for step in plan(facts, traces).steps)
    assert "br-0123456789ab" in [entry.what for entry in remains(facts, traces, ALL)[0]]
    facts, traces = host_with(links=Known({"br-0123456789ab": ()}), own_bridges=Known(("br-0123456789ab",)))
    assert "br-0123456789ab" in " ".join(step.sentence for step in plan(facts, traces).steps)


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"namespaces": Known((Namespace("moby", 1), Namespace("k8s.io", 12)))}, "k8s.io"),
        ({"namespaces": Known((Namespace("k8s.io", None),))}, "k8s.io"),
        ({"needed": Known({"all": ("cri-tool-1.0-1.x86_64",), "engine": ()})}, "cri-tool"),
        ({"namespaces": Unknown("no answer in time")}, "unknown"),
    ],
)
def test_containerd_that_others_use_stays_with_all_that_is_its(changes, who):
    facts, traces = host_with(**changes)
    made = plan(facts, traces, ALL)
    assert codes(made, Severity.WARNING) == ["containerd-shared"]
    told = " ".join(step.sentence for step in made.steps)
    for thing in ("containerd.service", "containerd.io", "/var/lib/containerd", "/etc/containerd", "/run/containerd"):
        assert thing not in told, thing
    left = {entry.what.partition(" ")[0]: entry.why for entry in remains(facts, traces, ALL)[0]}
    assert set(left) == {"containerd.service", "containerd.io", "/var/lib/containerd", "/etc/containerd", "/run/containerd"}
    assert all(who in why for why in left.values())
    assert made.variables["docker_absent_data_roots"] == ["/var/lib/docker"]


def test_an_empty_namespace_of_others_does_not_count():
    assert codes(plan(*host_with(namespaces=Known((Namespace("default", 0),))), ALL), Severity.WARNING) == []


def test_kubelet_counts_k3s_with_its_own_containerd_does_not():
    facts, traces = host_with()
    for units, count in (((("kubelet", "inactive"),), 1), ((("k3s", "active"),), 0)):
        facts = replace(facts, engine_facts=EngineFacts(kubernetes=Known(Kubernetes(units))))
        assert len(codes(plan(facts, traces, ALL), Severity.WARNING)) == count


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roots": Known((root("/data/docker", ("volumes", "invoices.ods")),))}, "data-root-foreign"),
        ({"roots": Known((root("/home", ("volumes",)),))}, "data-root-foreign"),
        ({"roots": Known((root(state="link", real="/srv/docker"),))}, "data-root-link"),
        ({"mounts": Known((ROOT, Mount("254:1", "/var/lib/docker/volumes", "/srv/x", "ext4", "/dev/vda1")))}, "data-root-elsewhere"),
        ({"needed": Known({"all": ("x-1-1",), "engine": ("x-1-1",)})}, "still-needed"),
        ({"roots": Unknown("no answer in time")}, "traces-unseen"),
        ({"mounts": Unknown("the answer is cut off")}, "traces-unseen"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_planned(changes, code):
    made = plan(*host_with(**changes), ALL)
    assert (made.steps, codes(made)) == ((), [code])
    assert all(finding.remedy for finding in made.findings)


def test_the_awkward_data_root_is_no_matter_while_data_stays():
    made = plan(*host_with(roots=Known((root("/data/docker", ("volumes", "invoices.ods")),))))
    assert codes(made) == []
    assert names(made)


def test_a_link_is_followed_with_a_word():
    traces = {"roots": Known((root(state="link", real="/srv/docker"),))}
    assert codes(plan(*host_with(**traces), replace(ALL, follow_links=True))) == []
    assert codes(plan(*host_with(roots=Known((root(state="link", real="/srv"),))), replace(ALL, follow_links=True))) == ["data-root-foreign"]


def test_what_was_recognised_before_may_be_finished():
    parts = {"roots": Known((root("/data/docker", ("tmp",)),))}
    assert codes(plan(*host_with(**parts), ALL)) == ["data-root-foreign"]
    parts["journal"] = ({"action": "purging", "root": "/data/docker"},)
    assert codes(plan(*host_with(**parts), ALL)) == []


def test_files_that_are_mounted_into_a_volume_are_told():
    point = Mount("254:9", "/", "/var/lib/docker/volumes/web/_data", "xfs", "/dev/vdb1")
    made = plan(*host_with(mounts=Known((ROOT, point))), ALL)
    (warning,) = [f for f in made.findings if f.code == "data-root-mounts"]
    assert "/dev/vdb1" in warning.message
    assert names(made)


def test_a_mount_point_that_is_empty_is_done():
    own = Mount("0:50", "/", "/var/lib/docker", "xfs", "/dev/vdb1")
    empty = {"roots": Known((root(entries=("lost+found",)),))}
    traces = seen(mounts=Known((ROOT, own)), **empty)
    assert plan(bare("9"), traces, ALL).steps == ()
    assert names(plan(bare("9"), seen(**empty), ALL)) == ["data"]


def test_a_static_archive_or_a_snap_is_not_touched_without_a_word():
    for copy in (Copy("/usr/local/bin/dockerd", "/usr/local/bin/dockerd", None), Copy("/snap/bin/docker", "/snap/x", None)):
        facts = replace(bare("9"), engine_facts=EngineFacts(copies=Known((copy,))))
        assert codes(plan(facts, seen())) == ["foreign-docker"]
        assert names(plan(facts, seen(), Consents(foreign=True))) == ["packages"]


def test_a_swarm_is_warned_about():
    facts, traces = host_with()
    facts = replace(facts, engine_facts=EngineFacts(state=Known(EngineState("active", False))))
    assert codes(plan(facts, traces), Severity.WARNING) == ["swarm"]


def test_without_root_nothing_is_planned():
    facts, traces = host_with()
    assert codes(plan(replace(facts, privilege=Known("not-allowed")), traces)) == ["privilege"]


def test_containers_that_outlive_their_engine_are_stopped():
    shims = Known((
        Process(12, "containerd-shim", "/usr/bin/containerd-shim-runc-v2 -namespace moby -id ab"),
        Process(13, "containerd-shim", "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id moby"),
    ))  # fmt: skip
    made = plan(bare("9"), seen(processes=shims))
    assert "1 running container" in made.steps[0].sentence


@pytest.mark.parametrize(
    ("group", "consents", "goes"),
    [
        (Group((), ()), Consents(), True),
        (Group(("joe",), ()), Consents(), False),
        (Group(("joe",), ()), ALL, True),
        (Group((), ("joe",)), ALL, False),
    ],
)
def test_the_group_goes_if_nobody_needs_it(group, consents, goes):
    traces = seen(group=Known(group))
    assert (names(plan(bare("9"), traces, consents)) == ["system"]) is goes
    assert bool(remains(bare("9"), traces, consents)[0]) is not goes


JOURNAL = (
    {"action": "removed", "packages": ["libfoo-1.0-1.el9.x86_64"]},
    {"action": "installed", "packages": ["docker-ce-26.1.4-1.el9.x86_64", "gcc-11-1.x86_64", "cpp-11-1.x86_64", "container-selinux-2-1.noarch", "libfoo-2.0-1.el9.x86_64"]},
)  # fmt: skip


def test_of_compilers_and_dependencies_only_those_go_that_pydock_brought():
    """libfoo was there before, in an older version: it is not pydock's to remove."""
    facts, traces = host_with(journal=JOURNAL, companions=Known(("docker-ce", "gcc", "cpp", "container-selinux", "libfoo")))
    facts = replace(facts, packages=installed(*DOCKER, "gcc", "lvm2"))
    assert companions(traces) == {"docker-ce", "gcc", "cpp", "container-selinux"}

    def removed(consents):
        (step,) = [step for step in plan(facts, traces, consents).steps if step.name == "packages"]
        return set(step.sentence.removeprefix("remove ").split(", ")) - set(DOCKER)

    assert removed(Consents()) == set()
    assert removed(ALL) == {"cpp", "container-selinux"}
    assert removed(replace(ALL, with_tools=True)) == {"gcc", "cpp", "container-selinux"}
    assert removed(Consents(with_tools=True)) == {"gcc"}


def test_what_stays_is_told_also_when_the_journal_is_gone():
    facts = bare("9", packages=installed("gcc", "cpp"))
    left, wrong = remains(facts, seen(), ALL, frozenset({"gcc", "cpp", "container-selinux"}))
    assert {entry.what: entry.why for entry in left} == {
        "gcc": "it stays without --with-tools",
        "cpp": "something that stays needs it",
    }
    assert wrong == []


def test_what_should_be_gone_and_is_not_is_no_leftover():
    _left, wrong = remains(*host_with(), Consents())
    assert {"docker.service", "docker-ce", "docker0", "/run/docker"} <= set(wrong)


def test_the_policy_goes_back_only_to_what_is_known():
    facts, traces = host_with(journal=({"action": "found", "name": "iptables FORWARD", "value": "ACCEPT"},))
    assert "which was ACCEPT" in " ".join(step.sentence for step in plan(facts, traces).steps)
    assert unknown_before(traces) == []
    facts, traces = host_with(ip_forward=Known(1))
    assert "ACCEPT" not in " ".join(step.sentence for step in plan(facts, traces).steps)
    assert [entry.what for entry in unknown_before(traces)] == ["the policy DROP of FORWARD (iptables)", "net.ipv4.ip_forward = 1"]


def test_docker_s_key_and_those_that_pydock_imported_go_with_the_settings():
    facts, traces = host_with(journal=({"action": "imported", "key": "0123456789ABCDEF0123456789ABCDEF8483C65D"},))
    (step,) = [step for step in plan(facts, traces, ALL).steps if step.name == "config"]
    assert "621e9f35" in step.sentence
    (step,) = [step for step in plan(*host_with(), ALL).steps if step.name == "config"]
    assert "8483c65d" not in step.sentence


def test_the_journal_stays_beside_a_containerd_that_others_use():
    data = root("/var/lib/containerd", ("io.containerd.metadata.v1.bolt",), "containerd")
    others = Known((Namespace("k8s.io", 1),))
    facts, traces = host_with(namespaces=others, roots=Known((data,)), journal=({"action": "found"},))
    (thing,) = [thing for thing in things(facts, traces, ALL) if thing.what.endswith("journal.jsonl")]
    assert "--purge-data" in thing.along


def test_the_journal_goes_once_nobody_needs_it():
    """Removed packages and replaced files can be brought back by it; data is not found without it."""

    def told(*entries, packages=(), **changes):
        facts, traces = host_with(journal=entries, **changes)
        facts = replace(facts, packages=installed(*packages))
        (thing,) = [thing for thing in things(facts, traces, ALL) if thing.what.endswith("journal.jsonl")]
        return thing.along

    removed = {"action": "removed", "packages": ["podman-4.6.1-1.x86_64"]}
    replaced = {"action": "replaced", "file": "/etc/yum.repos.d/CentOS-Base.repo", "backup": "/x"}
    daemon = {"action": "replaced", "file": "/etc/docker/daemon.json", "backup": "/y"}
    assert told(removed, replaced, daemon) == (
        "`pydock restore` can still bring back /etc/yum.repos.d/CentOS-Base.repo, podman"
    )
    assert told(removed, packages=("podman",)) is None
    assert told(removed, {"action": "restored", "packages": ["podman-4.6.1-1.x86_64"]}) is None
    assert told(replaced, {"action": "restored", "file": replaced["file"], "backup": "/x"}, daemon) is None
