# -*- coding: utf-8 -*-
"""A container image that needs no download and no compiler: one static program of a few instructions that greets.

Pure: no file is read or written, nothing but the architecture goes in, and the same bytes come out under every
Python from 2.6 on, so the image's ID is known before an engine has seen it. The module docker_verify uses it on the
host; whoever has to send the archive to a host without Python loads this very file and calls image().
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import hashlib
import json
import struct

NAME = "pydock/builtin"
PROGRAM = "pydock-proof"
#: Where the program is mapped: a usual place, and a multiple of the largest page (64 KiB on aarch64 of EL7 and 8).
BASE, PAGE = 0x400000, 0x10000
ELF_HEADER, PROGRAM_HEADER, BLOCK = 64, 56, 512

#: name: NAME:TAG; archive: what docker load takes, bytes; image_id: the engine's ID of it (sha256:...), but for engines
#: with containerd's image store, which number manifests; layer: digest of its one layer, in every engine from 1.10 on;
#: greeting: the line that it prints.
Image = collections.namedtuple("Image", "name archive image_id layer greeting")


def image(architecture):
    """The image for ``amd64`` or ``arm64``, as engines call them. Raises ValueError for any other."""
    if architecture not in MACHINES:
        raise ValueError("there is no built-in image for %s, only for %s" % (architecture, ", ".join(sorted(MACHINES))))
    greeting = "Docker works: so says the image that pydock itself has made (builtin, %s)." % architecture
    layer = tar([(PROGRAM, 0o755, program(architecture, greeting + "\n"))])
    name = "%s:%s" % (NAME, hashlib.sha256(layer).hexdigest()[:12])
    digest, archive = packed(architecture, layer, name)
    return Image(name, archive, "sha256:" + digest, "sha256:" + hashlib.sha256(layer).hexdigest(), greeting)


# -- the program


def code_amd64(length):
    """write(1, message, length); exit(0). The message follows the last instruction."""
    return b"".join((
        b"\xb8" + struct.pack("<I", 1),        # mov  eax, 1         write
        b"\xbf" + struct.pack("<I", 1),        # mov  edi, 1         standard output
        b"\x48\x8d\x35" + struct.pack("<i", 16),  # lea  rsi, [rip + 16]  what follows the code, 16 bytes on
        b"\xba" + struct.pack("<I", length),   # mov  edx, length
        b"\x0f\x05",                           # syscall
        b"\xb8" + struct.pack("<I", 60),       # mov  eax, 60        exit
        b"\x31\xff",                           # xor  edi, edi       0
        b"\x0f\x05",                           # syscall
    ))  # fmt: skip


def code_arm64(length):
    """write(1, message, length); exit(0). The message follows the last instruction."""

    def mov(register, value):
        return 0xD2800000 | value << 5 | register

    def adr(register, distance):
        """The address of this instruction plus a multiple of 4."""
        return 0x10000000 | distance // 4 << 5 | register

    service = 0xD4000001
    return struct.pack(
        "<8I",
        mov(0, 1),        # mov  x0, 1       standard output
        adr(1, 7 * 4),    # adr  x1, message
        mov(2, length),   # mov  x2, length
        mov(8, 64),       # mov  x8, 64      write
        service,          # svc  0
        mov(0, 0),        # mov  x0, 0
        mov(8, 93),       # mov  x8, 93      exit
        service,          # svc  0
    )  # fmt: skip


#: Architecture: ELF's number for the machine (e_machine), and its code.
MACHINES = {"amd64": (62, code_amd64), "arm64": (183, code_arm64)}


def program(architecture, message):
    """A static ELF64 executable that prints ``message`` (ASCII) and ends (System V ABI, chapters 4 and 5)."""
    machine, code = MACHINES[architecture]
    start = ELF_HEADER + 2 * PROGRAM_HEADER
    text = code(len(message)) + message.encode("ascii")
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF" + bytes(bytearray((2, 1, 1))),  # 64 bits, little-endian, version 1; padded with zeros
        2, machine, 1,                # an executable, for this machine, version 1
        BASE + start, ELF_HEADER, 0,  # entry point, program headers, no section headers
        0, ELF_HEADER,                # no flags
        PROGRAM_HEADER, 2, 0, 0, 0,   # two program headers, no sections
    )  # fmt: skip
    size = start + len(text)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, PAGE)  # the whole file, to read and execute
    stack = struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)  # a stack that is not to be executed
    return header + load + stack + text


# -- the archive


def packed(architecture, layer, name):
    """(ID of the image, archive for docker load): in the format of engines up to 1.9 and of those from 1.10 on, in one.

    Old engines take every directory for a layer of theirs and do not look at other files, new ones begin at
    manifest.json, and so does containerd. An OCI layout would want a directory of its own, which old engines refuse.
    """
    created, settings = "1970-01-01T00:00:00Z", {"Cmd": ["/" + PROGRAM]}
    common = {"architecture": architecture, "os": "linux", "created": created, "config": settings}
    config = as_json(dict(
        common,
        rootfs={"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        history=[{"created": created, "created_by": "pydock"}],
    ))  # fmt: skip
    digest = hashlib.sha256(config).hexdigest()
    repository, tag = name.split(":")
    manifest = [{"Config": digest + ".json", "RepoTags": [name], "Layers": [digest + "/layer.tar"]}]
    files = [
        (digest + "/", 0o755, b""),
        (digest + "/VERSION", 0o644, b"1.0"),
        (digest + "/json", 0o644, as_json(dict(common, id=digest, container_config=settings, Size=len(layer)))),
        (digest + "/layer.tar", 0o644, layer),
        (digest + ".json", 0o644, config),
        ("manifest.json", 0o644, as_json(manifest)),
        ("repositories", 0o644, as_json({repository: {tag: digest}})),
    ]
    return digest, tar(files)


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def tar(files):
    """Files of (name, mode, content) as a POSIX ustar archive, root's, from 1970; a name that ends in / is a directory.

    Python's own tarfile writes the same file in different bytes from one version to the next.
    """
    parts = []
    for name, mode, content in files:
        kind = b"5" if name.endswith("/") else b"0"
        before = struct.pack("100s8s8s8s12s12s", name.encode("ascii"), octal(mode, 8), octal(0, 8), octal(0, 8),
                             octal(len(content), 12), octal(0, 12))  # fmt: skip
        after = struct.pack("1s100s6s2s32s32s8s8s155s12s", kind, b"", b"ustar", b"00", b"root", b"root",
                            octal(0, 8), octal(0, 8), b"", b"")  # fmt: skip
        # The checksum is taken with blanks in its own place.
        checksum = sum(bytearray(before + b" " * 8 + after))
        padding = b"\0" * (-len(content) % BLOCK)
        parts += [before, ("%06o" % checksum).encode("ascii") + b"\0 ", after, content, padding]
    return b"".join(parts) + b"\0" * (2 * BLOCK)


def octal(number, width):
    return ("%0*o" % (width - 1, number)).encode("ascii") + b"\0"
