# -*- coding: utf-8 -*-
"""The next package mirror, where one lists packages that it does not hand out whole."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import re
import tempfile

from ansible.module_utils.pydock_fetch import fetch, read
from ansible.module_utils.pydock_host import back_up, note, note_file, sha256

#: How yum 3 and dnf tell of a package that they gave up on, whatever was wrong with each try.
GIVEN_UP = re.compile(r"\[Errno 256\]|Cannot download\b|All mirrors were ")
#: A signature that is not trusted: whoever signed it, another mirror is no answer to that.
UNTRUSTED = re.compile(
    r"Public key for |is not signed|GPG check FAILED|not correct for this package|GPG key retrieval failed"
    r"|Failed to retrieve GPG key"
)
#: Words of the tools for what was wrong, and ours: of the answer's status and of packages.
REASONS = (
    (re.compile(r"(?:HTTPS? Error|Status code:) (?P<status>\d{3})"), "answered {status} for {names}"),
    (re.compile(r"does not match intended download|checksum doesn't match"), "sent {names} damaged"),
    (re.compile(r"curl(?:#| error \(|: \()18\b|Interrupted by header callback", re.IGNORECASE), "cut {names} short"),
)
MANAGED = u"# Managed by pydock."


def not_served(said, names):
    """Those of the packages that a mirror did not hand out; none where the trouble is another, or a signature."""
    if UNTRUSTED.search(said):
        return []
    lines = [line for line in said.splitlines() if GIVEN_UP.search(line)]
    found = [name for name in names if any(re.search(r"(?:^|[\s/:])%s-\d" % re.escape(name), line) for line in lines)]
    return sorted(found)


def reason(said, names):
    """What was wrong, in a few words that follow the mirror's name."""
    for pattern, words in REASONS:
        found = pattern.search(said)
        if found:
            return words.format(names=", ".join(names), **found.groupdict())
    return "did not hand out %s" % ", ".join(names)


def server(baseurl):
    """Its name, for a sentence."""
    return baseurl.partition("://")[2].partition("/")[0] or baseurl


def renamed(text, baseurl):
    """A repository file of pydock's with another address; None for one of somebody else's, which stays as it is."""
    if not text.startswith(MANAGED) or len(re.findall(r"^baseurl=", text, re.MULTILINE)) != 1:
        return None
    return re.sub(r"^baseurl=.*$", lambda _: u"baseurl=" + baseurl, text, flags=re.MULTILINE)


class Mirrors(object):
    """The mirrors that serve this host besides the one that its repository file names."""

    def __init__(self, module, path, addresses):
        self.module, self.path = module, path
        self.known, self.left = list(addresses), list(addresses)
        self.before = self.backup = None
        self.story = []  # (server, what it did)

    def next(self, said, names):
        """Point the repository file to the next mirror; whether there is one, and another mirror is the remedy."""
        lost = not_served(said, names)
        text = read(self.path) if lost and self.known else None
        if not text or renamed(text, "") is None:
            return False
        present = re.search(r"^baseurl=(.*)$", text, re.MULTILINE).group(1).strip()
        proxy = (re.findall(r"^proxy=(\S+)$", text, re.MULTILINE) or [""])[0]
        self.story.append((server(present), reason(said, lost)))
        self.put_back()
        self.left = [address for address in self.left if address != present]
        while self.left:
            address = self.left.pop(0)
            if self._serves(address, proxy):
                self._write(renamed(text, address))
                return True
            self.story.append((server(address), "did not answer"))
        return False

    def told(self):
        """``; from B, because A answered 404 for docker-ce``, or "" where the first mirror served."""
        if self.before is None:
            return ""
        present = re.search(r"^baseurl=(.*)$", read(self.path), re.MULTILINE).group(1)
        return "; from %s, because %s" % (server(present), self.tried())

    def tried(self):
        return "; ".join("%s %s" % pair for pair in self.story)

    def put_back(self):
        """The file as it was before the last mirror."""
        if self.before is not None:
            self._place(self.before)
            note("restored", file=self.path, backup=self.backup, sha256=sha256(self.path))
            os.remove(self.backup)
            self.before = None

    def _serves(self, baseurl, proxy):
        address = baseurl.replace("$basearch", os.uname()[4]).rstrip("/") + "/repodata/repomd.xml"
        return not fetch(self.module, address, os.devnull, proxy)[0]

    def _write(self, text):
        self.before, self.backup = read(self.path), back_up(self.path)
        self._place(text)
        note_file(self.path, self.backup)

    def _place(self, text):
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="repo-")
        os.close(handle)
        with io.open(temporary, "wb") as sink:
            sink.write(text.encode("utf-8"))
        self.module.atomic_move(temporary, self.path)  # Takes over owner, mode and label.
