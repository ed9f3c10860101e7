# -*- coding: utf-8 -*-
"""Repository files of releases that ended, and where their packages went. Reads, writes nothing."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import io
import os
import re

#: The parts of a release that its archive has under the same path; those of SIGs (SCLo and others) are left alone.
PARTS = (
    "os", "updates", "extras", "centosplus", "contrib", "cr", "fasttrack", "BaseOS", "AppStream", "PowerTools",
    "HighAvailability", "ResilientStorage", "Devel", "RT", "NFV",
)  # fmt: skip
#: Up to the release in an address: mirror.centos.org/centos/7/os/$basearch/ or mirror.centos.org/$contentdir/...
DEAD_BASE = re.compile(r"https?://mirror\.centos\.org/[^/\s,]+/[^/\s,]+/(?=([^/\s,]+)/)")
DEAD_LIST = re.compile(r"https?://mirrorlist\.centos\.org[/?:]\S*", re.IGNORECASE)
OPTION = re.compile(r"([A-Za-z_]+)[ \t]*[=:][ \t]*")
COMMENTED_BASE = re.compile(r"[#;][ \t#;]*(?=baseurl[ \t]*[=:])", re.IGNORECASE)


class Section(object):
    """``[id]`` of a file and its lines, the first of which is the head; before the first one, ``id`` is None."""

    def __init__(self, identifier):
        self.id = identifier
        self.lines = []

    def option(self, name):
        """(number, line) of an option's lines that count, those that go on with it too."""
        inside, found = False, []
        for number, line in enumerate(self.lines):
            match = OPTION.match(line)
            if match:
                inside = match.group(1).lower() == name
            elif not line.strip() or line[0] not in " \t":
                inside = False
            if inside:
                found.append((number, line))
        return found

    def enabled(self):
        values = [line for _number, line in self.option("enabled")]
        value = OPTION.sub("", values[-1], count=1).strip().lower() if values else "1"
        return value not in ("0", "no", "false", "off")

    def addresses(self):
        """What its baseurl names."""
        words = [OPTION.sub("", line, count=1) for _number, line in self.option("baseurl")]
        return [word for line in words for word in re.split(r"[\s,]+", line.strip()) if word]


def sections(text):
    """The sections of a file; their lines together are the file."""
    found = [Section(None)]
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if line.startswith("["):
            found.append(Section(line[1:].partition("]")[0].strip()))
        found[-1].lines.append(line)
    return found


def repaired(text, root, flat):
    """(the file as it is to be, its sections that changed): dead lists commented, addresses those below ``root``.

    ``flat``: whether a part's packages lie right below its architecture, as up to release 7. All else stays as it is,
    byte for byte, and so does a file that names no server that was switched off.
    """
    found = sections(text)
    changed = [section for section in found if section.id not in (None, "main") and _repair(section, root, flat)]
    return "".join(line for section in found for line in section.lines), changed


def _repair(section, root, flat):
    """Whether the section had to change."""
    lists, bases = section.option("mirrorlist"), section.option("baseurl")
    # With what goes on below it: a line of that alone would belong to the option above.
    dead_lists = [number for number, _line in lists] if any(DEAD_LIST.search(line) for _number, line in lists) else []
    dead = [DEAD_BASE.search(line).group(1) for _number, line in bases if DEAD_BASE.search(line)]
    if not dead_lists and not dead:
        return False
    commented = [
        (number, DEAD_BASE.search(line)) for number, line in enumerate(section.lines) if COMMENTED_BASE.match(line)
    ]
    commented = [(number, match) for number, match in commented if match]
    named = [re.search(r"[?&]repo=([A-Za-z]+)(?=[&\s]|\Z)", section.lines[number]) for number in dead_lists]
    parts = dead + [match.group(1) for _number, match in commented] + [match.group(1) for match in named if match]
    if not parts or parts[0] not in PARTS:
        return False
    root = root.rstrip("/") + "/"
    for number, line in bases:
        section.lines[number] = DEAD_BASE.sub(lambda _match: root, line)
    for number in dead_lists:
        section.lines[number] = "#" + section.lines[number]
    if not bases and commented:
        number = commented[0][0]
        line = COMMENTED_BASE.sub("", section.lines[number], count=1)
        section.lines[number] = DEAD_BASE.sub(lambda _match: root, line)
    elif not bases:
        number = dead_lists[-1]
        path = "%s/$basearch/%s" % (parts[0], "" if flat else "os/")
        ending = re.search(r"\r?\n?\Z", section.lines[number]).group(0)
        section.lines[number] += "%sbaseurl=%s%s%s" % ("" if ending else "\n", root, path, ending)
    return True


def filled(address, known):
    """An address with its variables; what is not known stays."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found.group(1), found.group(0)), address)


def changes_for(texts, root, known):
    """({path: new text}, addresses of metadata that must answer) for the address of a release in an archive."""
    flat = re.match(r"[67]\.", root.rstrip("/").rpartition("/")[2]) is not None
    changes, asked = {}, set()
    for path, text in texts.items():
        new, changed = repaired(text, root, flat)
        if new != text:
            changes[path] = new
        for section in changed:
            if section.enabled():
                asked.update(filled(one, known).rstrip("/") + "/repodata/repomd.xml" for one in section.addresses())
    return changes, [address for address in sorted(asked) if "$" not in address]


def chosen_archive(texts, archives, unserved):
    """(address, {path: new text}, []) for the first archive that serves; ("", {}, what is wrong with each) for none.

    ``unserved`` tells why an address does not serve this host, or None.
    """
    known, problems = variables(), []
    for root in archives:
        changes, asked = changes_for(texts, root, known)
        problem = next((why for why in map(unserved, asked) if why), None)
        if problem is None:
            return root, changes, []
        problems.append(problem)
    return "", {}, problems


def repository_files(directory="/etc/yum.repos.d"):
    """The files by path, every byte as one letter."""
    found = {}
    for path in glob.glob(os.path.join(directory, "*.repo")):
        if os.path.isfile(path):
            with io.open(path, encoding="latin-1", newline="") as source:
                found[path] = source.read()
    return found


def variables(directories=("/etc/yum/vars", "/etc/dnf/vars")):
    """yum's variables: those of the machine and of its files."""
    known = {"basearch": os.uname()[4], "arch": os.uname()[4]}
    for path in (path for directory in directories for path in glob.glob(directory + "/*")):
        if os.path.isfile(path):
            with io.open(path, encoding="utf-8", errors="replace") as source:
                known[os.path.basename(path)] = source.readline().strip()
    return known
