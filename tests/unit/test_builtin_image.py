"""The image that pydock makes itself: the same bytes everywhere, and in the formats of old and new engines."""

import hashlib
import io
import json
import platform
import shutil
import struct
import subprocess
import sys
import tarfile

import pytest

from tests.unit.modules import library
from tests.unit.test_modules import run_old

maker, verify = library("pydock_builtin_image"), library("pydock_proof")
each = pytest.mark.parametrize("architecture", ["amd64", "arm64"])
#: What an engine says once it has loaded the image: written down, so that a change of a single byte is a decision.
IDS = {
    "amd64": "sha256:684e0c24dcc86d1cba29170936211fa4359409c7a7389d872a98360787f0741e",
    "arm64": "sha256:c7bf3f9161aed450e01f17d3d216cac4b50df71d50bf67672fd8672e2d7cf4dc",
}


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {m.name: opened.extractfile(m).read() if m.isfile() else None for m in opened}, opened.getmembers()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def program(architecture):
    files, _ = members(maker.image(architecture).archive)
    (layer,) = (content for name, content in files.items() if name.endswith("/layer.tar"))
    return members(layer)[0][maker.PROGRAM]


@each
def test_an_engine_s_id_of_the_image_is_known_in_advance(architecture):
    made = maker.image(architecture)
    assert made.image_id == IDS[architecture]
    assert made == maker.image(architecture)
    assert len(made.archive) < 10_000


@each
def test_engines_from_1_10_on_find_manifest_configuration_and_layer(architecture):
    made = maker.image(architecture)
    files, _ = members(made.archive)
    (manifest,) = json.loads(files["manifest.json"])
    configuration = json.loads(files[manifest["Config"]])
    (layer,) = (files[name] for name in manifest["Layers"])
    assert digest(files[manifest["Config"]]) == made.image_id
    assert manifest["RepoTags"] == [made.name]
    assert configuration["rootfs"] == {"type": "layers", "diff_ids": [made.layer]}
    assert digest(layer) == made.layer
    assert (configuration["architecture"], configuration["os"]) == (architecture, "linux")
    assert configuration["config"]["Cmd"] == ["/" + maker.PROGRAM]


@each
def test_engines_up_to_1_9_find_nothing_but_layers_in_directories(architecture):
    """They take each directory for a layer, by its name, and fail at any other."""
    files, _ = members(maker.image(architecture).archive)
    ((name, tags),) = json.loads(files["repositories"]).items()
    (identity,) = tags.values()
    assert {name.partition("/")[0] for name in files if "/" in name} | {n for n, c in files.items() if c is None} == {identity}
    assert f"{name}:{next(iter(tags))}" == maker.image(architecture).name
    assert files[f"{identity}/VERSION"] == b"1.0"
    described = json.loads(files[f"{identity}/json"])
    assert described["id"] == identity
    assert len(identity) == 64
    assert described["config"]["Cmd"] == ["/" + maker.PROGRAM]
    assert described["Size"] == len(files[f"{identity}/layer.tar"])


@each
def test_nothing_of_the_moment_or_of_the_machine_is_in_it(architecture):
    files, infos = members(maker.image(architecture).archive)
    (layer,) = (content for name, content in files.items() if name.endswith("/layer.tar"))
    for info in (*infos, *members(layer)[1]):
        assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "root", "root")
    assert [info.mode for info in members(layer)[1]] == [0o755]


@each
def test_python_2_7_makes_the_same_bytes(architecture):
    made = run_old(f"""
import hashlib
import ansible.module_utils.pydock_builtin_image as maker
made = maker.image("{architecture}")
print(json.dumps([made.name, hashlib.sha256(made.archive).hexdigest(), made.image_id, made.layer, made.greeting]))
""")
    here = maker.image(architecture)
    assert made == [here.name, hashlib.sha256(here.archive).hexdigest(), here.image_id, here.layer, here.greeting]


@each
def test_the_greeting_says_whose_it_is(architecture):
    greeting = maker.image(architecture).greeting
    assert "pydock" in greeting
    assert architecture in greeting
    assert greeting.encode() + b"\n" == program(architecture)[-len(greeting) - 1 :]
    assert "Hello from Docker" not in greeting, "it is not to be taken for hello-world"


@each
def test_the_program_is_a_static_elf_that_linux_maps_and_enters_at_its_code(architecture):
    code = program(architecture)
    (machine,) = struct.unpack_from("<H", code, 18)
    entry, headers = struct.unpack_from("<QQ", code, 24)
    kind, flags, offset, address, _, size, memory, page = struct.unpack_from("<IIQQQQQQ", code, headers)
    assert code[:7] == b"\x7fELF\x02\x01\x01"
    assert machine == {"amd64": 62, "arm64": 183}[architecture]
    assert (kind, flags, offset, size, memory) == (1, 5, 0, len(code), len(code))
    assert address % page == offset % page
    assert entry == address + 64 + 2 * 56
    assert struct.unpack_from("<II", code, headers + 56) == (0x6474E551, 6), "its stack is not to be executed"


@each
def test_readelf_has_nothing_to_complain_about(architecture, tmp_path):
    if not shutil.which("readelf"):
        pytest.skip("there is no readelf here")
    file = tmp_path / "program"
    file.write_bytes(program(architecture))
    told = subprocess.run(["readelf", "-W", "-h", "-l", file], capture_output=True, text=True, check=True)
    assert not told.stderr
    assert {"amd64": "X86-64", "arm64": "AArch64"}[architecture] in told.stdout
    assert "EXEC (Executable file)" in told.stdout


@each
def test_the_program_greets_and_ends_well(architecture, tmp_path):
    """Where the machine is another one, only if qemu-user is there."""
    native = sys.platform == "linux" and {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine()) == architecture
    emulators = [f"qemu-{'x86_64' if architecture == 'amd64' else 'aarch64'}{tail}" for tail in ("", "-static")]
    emulator = next(filter(None, map(shutil.which, emulators)), None)
    if not native and not emulator:
        pytest.skip(f"nothing here runs programs for {architecture}")
    file = tmp_path / "program"
    file.write_bytes(program(architecture))
    file.chmod(0o755)
    done = subprocess.run([*([] if native else [emulator]), file], capture_output=True, text=True, check=True)
    assert done.stdout == maker.image(architecture).greeting + "\n"
    assert not done.stderr


def test_another_architecture_is_refused_by_name():
    with pytest.raises(ValueError, match="no built-in image for s390x, only for amd64, arm64"):
        maker.image("s390x")


def test_the_module_on_the_host_uses_the_same_source():
    assert verify.builtin_image("amd64") == maker.image("amd64")
