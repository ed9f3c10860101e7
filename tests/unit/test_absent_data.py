"""Directories that are emptied for good: which may be, and that nothing beyond them is touched."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.absence import roots as data_roots
from pydock_installer.model.traces import Root
from pydock_installer.traces.parser import parse_mounts
from tests.unit.modules import ROLES, load_utility

PATH = ROLES / "docker_absent/module_utils/pydock_data.py"


data = load_utility("docker_absent", "pydock_data")


def nothing(*_command):
    """There is no btrfs here."""
    return 127, "", "not found"


def empty(path, **more):
    work = data.Emptying(nothing, **more)
    work.empty(str(path))
    return work.problems


# -- which directories


DOCKERS = ["buildkit", "containers", "image", "network", "overlay2", "plugins", "runtimes", "swarm", "tmp", "trust", "volumes"]
CONTAINERDS = ["io.containerd.content.v1.content", "io.containerd.metadata.v1.bolt", "tmpmounts"]


@pytest.mark.parametrize(
    ("kind", "path", "entries"),
    [
        ("docker", "/var/lib/docker", DOCKERS),
        ("docker", "/var/lib/docker", ["tmp"]),
        ("docker", "/data/docker", DOCKERS),
        ("docker", "/data/docker", [*DOCKERS, "lost+found", "engine-id", "100000.100000"]),
        ("docker", "/data/empty", []),
        ("containerd", "/var/lib/containerd", CONTAINERDS),
        ("containerd", "/data/containerd", CONTAINERDS),
    ],
)
def test_a_data_root_is_recognised(kind, path, entries):
    assert data_roots.why_not(kind, path, entries) is None


@pytest.mark.parametrize(
    ("kind", "path", "entries"),
    [
        ("docker", "/", []),
        ("docker", "/home", []),
        ("docker", "/data", DOCKERS),
        ("docker", "/var/lib", ["docker"]),
        ("docker", "/data/docker", [*DOCKERS, "invoices.ods"]),
        ("docker", "/var/lib/docker", [*DOCKERS, "backup.tar.gz"]),
        ("docker", "/data/things", ["tmp", "network"]),
        ("docker", "/data/../home", []),
        ("docker", "relative/docker", []),
        ("docker", "/docker", DOCKERS),
        ("containerd", "/var/lib/containerd", [*CONTAINERDS, "notes"]),
        ("containerd", "/var/lib/kubelet", []),
    ],
)
def test_what_is_not_docker_s_alone_is_refused(kind, path, entries):
    assert data_roots.why_not(kind, path, entries)


NAMES = st.one_of(st.sampled_from([*DOCKERS, *CONTAINERDS, "lost+found", "1.1"]), st.text(max_size=12))
PATHS = st.one_of(
    st.sampled_from(sorted(data_roots.SYSTEM) + ["/var/lib/docker", "/data/docker", "/data//docker", "/data/docker/", "/x"]),
    st.text(max_size=20).map(lambda text: "/" + text),
)


@given(st.sampled_from(["docker", "containerd"]), PATHS, st.lists(NAMES, max_size=6), st.booleans())
def test_the_module_and_the_plan_judge_alike(kind, path, entries, trusted):
    ours, theirs = data_roots.why_not(kind, path, entries, trusted), data.why_not(kind, path, entries, trusted)
    assert (ours is None) == (theirs is None)


@given(st.sampled_from(["docker", "containerd"]), PATHS, st.lists(NAMES, max_size=6), st.text(min_size=1, max_size=8))
def test_a_directory_with_one_strange_name_is_never_accepted(kind, path, entries, strange):
    strange = f"my {strange}"
    assert data_roots.why_not(kind, path, [*entries, strange], True)


@given(st.sampled_from(["docker", "containerd"]), st.sampled_from(sorted(data_roots.SYSTEM)), st.lists(NAMES, max_size=6))
def test_a_directory_of_the_system_is_never_accepted(kind, path, entries):
    assert data_roots.why_not(kind, path, entries, True)


# -- mounts


LINES = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 254:17 / /data rw,relatime - xfs /dev/vdb1 rw
31 22 254:17 /docker /var/lib/docker rw - xfs /dev/vdb1 rw
32 31 254:1 /srv/web /var/lib/docker/volumes/web/_data rw - ext4 /dev/vda1 rw
33 31 0:50 / /var/lib/docker/overlay2/ab/merged rw - overlay overlay rw
34 22 254:17 /docker/volumes/db/_data /srv/db rw - xfs /dev/vdb1 rw
35 22 0:44 / /mnt/with\\040blank rw - tmpfs tmpfs rw
"""


def test_mountinfo_is_read_alike():
    ours = parse_mounts(LINES)
    theirs = data.parse_mounts(LINES.encode())
    assert [(m.device, m.root, m.point, m.kind, m.source) for m in ours] == [tuple(m)[1:] for m in theirs]
    assert ours[-1].point == "/mnt/with blank"


def test_data_that_is_visible_elsewhere_is_seen():
    mounts = data.parse_mounts(LINES.encode())
    assert data.seen_elsewhere(mounts, "/var/lib/docker") == ["/srv/db"]
    root = Root("docker", "/var/lib/docker", "/var/lib/docker", "dir", 1)
    assert data_roots.seen_elsewhere(root, parse_mounts(LINES)) == ["/srv/db"]
    assert data.seen_elsewhere(mounts, "/data/other") == []
    assert data.seen_elsewhere(data.parse_mounts(LINES.encode()[:200]), "/var/lib/docker") == []


# -- emptying


def tree(top):
    """A data root in small."""
    for name in ("volumes/web/_data/sub", "overlay2/ab/diff/etc", "image", "lost+found"):
        (top / name).mkdir(parents=True)
    (top / "volumes/web/_data/file").write_text("x")
    (top / "overlay2/ab/diff/etc/passwd").write_text("x")
    return top


def test_everything_goes_and_the_directory_stays(tmp_path):
    top = tree(tmp_path / "docker")
    assert empty(top, keep=("lost+found",)) == []
    assert os.listdir(top) == ["lost+found"]


def test_no_link_is_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    top = tree(tmp_path / "docker")
    (top / "volumes/link").symlink_to(outside)
    (top / "volumes/web/_data/link").symlink_to(outside / "precious")
    (top / "hard").hardlink_to(outside / "precious")
    assert empty(top) == []
    assert os.listdir(top) == []
    assert (outside / "precious").read_text() == "x"


def test_a_root_that_is_a_link_is_not_entered(tmp_path):
    tree(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError) as failure:
        empty(tmp_path / "link")
    assert failure.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert (tmp_path / "real/volumes/web/_data/file").exists()


def test_any_name_goes(tmp_path):
    top = tmp_path / "docker"
    top.mkdir()
    for name in (b"-rf", b"new\nline", b"\xff\xfe", b" ", b"*", b"\xc3\xa9"):
        os.mkdir(os.path.join(os.fsencode(top), name))
        Path(os.fsdecode(os.path.join(os.fsencode(top), name, name))).write_text("x")
    assert empty(top) == []
    assert os.listdir(top) == []


def test_a_tree_deeper_than_any_path_can_be_goes(tmp_path):
    top = tmp_path / "docker"
    top.mkdir()
    home = os.open(".", os.O_RDONLY)
    os.chdir(top)
    try:
        for _ in range(2500):
            os.mkdir("deep")
            os.chdir("deep")
    finally:
        os.fchdir(home)
        os.close(home)
    assert empty(top) == []
    assert os.listdir(top) == []


def test_the_working_directory_is_as_before(tmp_path):
    before = os.getcwd()
    empty(tree(tmp_path / "docker"))
    assert os.getcwd() == before


def test_a_directory_that_is_moved_away_meanwhile_ends_it(tmp_path):
    """Else `..` would lead out of the data root, and what is there would go."""
    top, outside = tree(tmp_path / "docker"), tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")

    class Moving(data.Emptying):
        def take(self, name, path, device):
            found = data.Emptying.take(self, name, path, device)
            if name == "file":
                os.rename(top / "volumes/web/_data", outside / "moved")
            return found

    work = Moving(nothing)
    with pytest.raises(data.Moved):
        work.empty(str(top))
    assert (outside / "precious").read_text() == "x"


def test_what_cannot_be_removed_is_told(tmp_path, monkeypatch):
    top, unlink = tree(tmp_path / "docker"), os.unlink

    def stubborn(name):
        if name == "file":
            raise OSError(errno.EPERM, "Operation not permitted")
        unlink(name)

    monkeypatch.setattr(data.os, "unlink", stubborn)
    assert empty(top) == [(f"{top}/volumes/web/_data/file", "Operation not permitted")]
    assert (top / "volumes/web/_data/file").exists()
    assert not (top / "overlay2").exists()


def test_subvolumes_of_btrfs_are_deleted_inner_ones_first(tmp_path, monkeypatch):
    """A stand-in for the file system: a subvolume is a device of its own whose inode is 256."""
    top = tmp_path / "docker"
    (top / "btrfs/subvolumes/outer/inner").mkdir(parents=True)
    calls = []

    class Fake:
        def __init__(self, info, device):
            self.st_dev, self.st_ino, self.st_mode = device, 256, info.st_mode

    real = os.fstat
    devices = {"outer": 7001, "inner": 7002}

    def fstat(handle):
        name = os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))
        return Fake(real(handle), devices[name]) if name in devices else real(handle)

    def run(*command):
        name = command[-1][2:]
        calls.append(name)
        if name == "outer" and os.path.exists("outer/inner"):
            return 1, "", "not empty"
        os.rmdir(name)
        return 0, "", ""

    def identity(path):
        name = os.path.basename(os.getcwd())
        return (devices[name], 256) if name in devices else (os.stat(path).st_dev, os.stat(path).st_ino)

    monkeypatch.setattr(data.os, "fstat", fstat)
    monkeypatch.setattr(data, "identity", identity)
    monkeypatch.setattr(data, "holding", lambda *_: data.Mount(1, "0:1", "/", str(top), "btrfs", "x"))
    work = data.Emptying(run)
    work.empty(str(top))
    assert work.problems == []
    assert os.listdir(top) == []
    assert calls == ["outer", "inner", "outer"]


# -- with real mounts, in a mount namespace of their own


def apart(tmp_path, body):
    """Run lines with mounts that nobody else sees; what they print."""
    probe = subprocess.run(["unshare", "-m", "--propagation", "private", "true"], capture_output=True)
    if os.getuid() != 0 or probe.returncode:
        pytest.skip("mounting needs root")
    head = f"""
import importlib.util, os, subprocess, sys
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("pydock_data", {str(PATH)!r})
data = importlib.util.module_from_spec(spec); spec.loader.exec_module(data)
def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr
def sh(text):
    subprocess.run(text, shell=True, check=True, cwd={str(tmp_path)!r})
top = {str(tmp_path / "docker")!r}
sh("mkdir -p docker/volumes/web/_data docker/overlay2/a/merged docker/containers outside; echo x > outside/precious; echo x > docker/volumes/web/file")
def empty(path=top):
    work = data.Emptying(run, keep=("lost+found",)); work.empty(path); return work.problems
"""
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-"],
        input=head + textwrap.dedent(body), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("blind", [False, True], ids=["by number", "by path"])
def test_a_bind_mount_of_the_same_file_system_is_not_entered(tmp_path, blind):
    """Its device is that of the data root: only the mount itself tells. Kernels before 3.15 do not tell its number."""
    told = apart(tmp_path, f"""
        sh("mount --bind outside docker/volumes/web/_data")
        if {blind}:
            data.mount_number = lambda handle: None
        print(empty() == [(top + "/volumes/web/_data", "something is mounted there")])
        print(os.listdir(top + "/volumes/web/_data"), os.listdir(top))
    """)  # fmt: skip
    assert told == "True\n['precious'] ['volumes']"
    assert (tmp_path / "outside/precious").exists()


def test_a_mount_that_comes_while_it_is_emptied_is_not_entered(tmp_path):
    told = apart(tmp_path, """
        class Late(data.Emptying):
            def take(self, name, path, device):
                if name == "web" and not os.path.ismount(top + "/volumes/web/_data"):
                    sh("mount --bind outside docker/volumes/web/_data")
                return data.Emptying.take(self, name, path, device)
        work = Late(run); work.empty(top)
        print(work.problems == [(top + "/volumes/web/_data", "something is mounted there")])
    """)  # fmt: skip
    assert told == "True"
    assert (tmp_path / "outside/precious").exists()


def test_what_is_mounted_below_is_unmounted_and_keeps_its_files(tmp_path):
    told = apart(tmp_path, """
        sh("mount --bind outside docker/volumes/web/_data; mount -t tmpfs none docker/overlay2/a/merged")
        sh("mkdir docker/overlay2/a/merged/deep; mount -t tmpfs none docker/overlay2/a/merged/deep; mount -t tmpfs none docker/overlay2/a/merged/deep")
        print(data.unmount_below(run, top), empty(), os.listdir(top))
    """)  # fmt: skip
    assert told == "None [] []"
    assert (tmp_path / "outside/precious").read_text() == "x\n"


def test_a_busy_mount_is_told_with_the_process_that_holds_it(tmp_path):
    told = apart(tmp_path, """
        sh("mount -t tmpfs none docker/volumes/web/_data")
        holder = subprocess.Popen(["sleep", "60"], cwd=top + "/volumes/web/_data")
        try:
            print(data.unmount_below(run, top).replace(top, "").replace(str(holder.pid), "N"))
            print(os.path.exists(top + "/volumes/web/file"))
        finally:
            holder.kill()
    """)  # fmt: skip
    assert told == "/volumes/web/_data cannot be unmounted: process N (sleep) uses it\nTrue"


def test_a_root_that_is_a_file_system_of_its_own_is_emptied(tmp_path):
    told = apart(tmp_path, """
        sh("mount -t tmpfs none docker; mkdir -p docker/volumes/db/_data docker/lost+found; echo x > docker/volumes/db/_data/file")
        print(empty(), os.listdir(top), os.path.ismount(top))
    """)  # fmt: skip
    assert told == "[] ['lost+found'] True"


def test_another_file_system_below_is_not_entered(tmp_path):
    told = apart(tmp_path, """
        sh("mount -t tmpfs none docker/volumes; echo x > docker/volumes/file")
        data.mount_number = lambda handle: None
        data.read_mounts = lambda: []
        print(empty() == [(top + "/volumes", "it is on another file system")], os.listdir(top + "/volumes"))
    """)  # fmt: skip
    assert told == "True ['file']"


def test_a_file_that_is_mounted_over_another_survives(tmp_path):
    told = apart(tmp_path, """
        sh("touch docker/containers/hosts; mount --bind outside/precious docker/containers/hosts")
        print(len(empty()), open(top + "/containers/hosts").read())
        print(data.remove_tree(run, top), os.path.exists(top))
    """)  # fmt: skip
    assert told == "1 x\n\n[] False"
    assert (tmp_path / "outside/precious").read_text() == "x\n"


def test_a_part_that_is_mounted_elsewhere_is_seen(tmp_path):
    told = apart(tmp_path, """
        sh("mkdir served; mount --bind docker/volumes served")
        print([os.path.basename(point) for point in data.seen_elsewhere(data.read_mounts(), top)])
    """)  # fmt: skip
    assert told == "['served']"
