# -*- coding: utf-8 -*-
"""Docker's package repository: its file, its checked key, its metadata."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import re
import shutil
import tempfile
import time

from ansible.module_utils.pydock_archive import chosen_archive, repository_files
from ansible.module_utils.pydock_fetch import fetch, read
from ansible.module_utils.pydock_host import back_up, make_directory, note, note_file, sha256, tail
from ansible.module_utils.pydock_keys import imported, normal_fingerprint, primary_fingerprints
from ansible.module_utils.pydock_yum import Locked, yum

#: What the module takes.
ARGUMENTS = {
    "baseurl": {"type": "str", "required": True},
    "key_url": {"type": "str", "required": True, "no_log": False},
    "fingerprint": {"type": "str", "required": True},
    "path": {"type": "path", "default": "/etc/yum.repos.d/docker-ce.repo"},
    "repository_id": {"type": "str", "default": "docker-ce-stable"},
    "local_key": {"type": "path", "default": "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce", "no_log": False},
    "alternatives": {"type": "list", "elements": "str", "default": []},
    "proxy": {"type": "str", "default": ""},
    "archives": {"type": "list", "elements": "str", "default": []},
    "makecache": {"type": "bool", "default": True},
    "hold": {"type": "bool", "default": False},
}

CONTENT = u"""\
# Managed by pydock. The key below was checked against its pinned fingerprint.
{held}[{repository_id}]
name=Docker CE Stable
baseurl={baseurl}
enabled={enabled}
gpgcheck=1
gpgkey=file://{local_key}
skip_if_unavailable=0
"""
HELD = u"# Held: yum update does not see these packages; yum --enablerepo={repository_id} does.\n"


def render(baseurl, repository_id, local_key, hold=False, proxy=""):
    """The whole repository file. A held repository is switched off: the one way that every yum and dnf knows, and that
    needs no plugin."""
    held = HELD.format(repository_id=repository_id) if hold else u""
    text = CONTENT.format(
        baseurl=baseurl, repository_id=repository_id, local_key=local_key, held=held, enabled=0 if hold else 1
    )
    return text + (u"proxy=%s\n" % proxy if proxy else u"")


def key_beside(baseurl):
    """Where a mirror that is laid out as Docker's has its key."""
    return re.sub(r"(/linux/[^/]+)/.*", r"\1/gpg", baseurl)


def problem_with(addresses, repository_id, fingerprint, local_key, proxy=""):
    """Why these values must not be used, or None: a line break would smuggle options into the file."""
    for name, value in addresses:
        if not re.match(r"https?://[^\s/]+(/\S*)?\Z", value):
            return "%s must be an http or https address without blanks; %r is not" % (name, value)
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z", repository_id):
        return "repository_id may hold letters, digits and . _ : - only; %r does not" % repository_id
    if not re.match(r"[0-9A-F]{40}\Z", fingerprint):
        return "fingerprint must be 40 hexadecimal digits; %r is not" % fingerprint
    if proxy and not re.match(r"https?://[^\s/@]+\Z", proxy):
        return "proxy must be http://HOST:PORT, without user and password, which belong into yum.conf"
    if not re.match(r"/\S+\Z", local_key):
        return "local_key must be an absolute path without blanks; %r is not" % local_key
    return None


def is_yum3(target, head):
    """yum 3 is a small script of its own; elsewhere /usr/bin/yum is a link to dnf."""
    return "dnf" not in os.path.basename(target) and (b"yummain" in head or b"yum-cli" in head)


def makecache_words(repository_id, yum3):
    words = ["-q", "--disablerepo=*", "--enablerepo=" + repository_id, "makecache"]
    return words + ["fast"] if yum3 else words


class NotServed(Exception):
    """A mirror that cannot be used: (code, message, the tool's words)."""


class Repository(object):
    """The repositories of this host: Docker's, and those of an ended release."""

    def __init__(self, module):
        self.module = module
        self.check = module.check_mode
        wanted = module.params
        self.path, self.local_key, self.id = wanted["path"], wanted["local_key"], wanted["repository_id"]
        self.baseurl, self.key_url, self.proxy = wanted["baseurl"], wanted["key_url"], wanted["proxy"]
        self.fingerprint = normal_fingerprint(wanted["fingerprint"])
        self.began = time.time()
        self.steps = []
        self.diffs = []
        self.name = "repository"
        self.done = []
        self.scratch = tempfile.mkdtemp(prefix="pydock-")

    def step(self, status, detail):
        now = time.time()
        entry = {"name": self.name, "status": status, "seconds": round(now - self.began, 2), "detail": detail}
        self.steps.append(entry)
        self.began = now

    def fail(self, code, message, *evidence):
        self.step("failed", message)
        self.end(self.module.fail_json, msg=message, code=code, evidence=tail(*evidence))

    def end(self, tell, **result):
        shutil.rmtree(self.scratch, ignore_errors=True)
        changed = any(step["status"] == "changed" for step in self.steps)
        if self.diffs and self.module._diff:
            result["diff"] = self.diffs
        tell(changed=changed, steps=self.steps, **result)

    def show(self, path, before, after):
        self.diffs.append({"before": before or "", "after": after, "before_header": path, "after_header": path})

    def run(self, command):
        return self.module.run_command(command, expand_user_and_vars=False)

    # -- the key

    def key_in(self, path):
        """The fingerprints of a key file, asked of gpg with a home of its own."""
        gpg = self.module.get_bin_path("gpg") or self.module.get_bin_path("gpg2")
        if not gpg:
            self.fail("no-gpg", "The package key cannot be checked: this host has no gpg; install gnupg2.")
        command = [gpg, "--batch", "--no-tty", "--homedir", self.scratch, "--fixed-list-mode"]
        _code, out, err = self.run(command + ["--with-colons", "--with-fingerprint", path])
        return primary_fingerprints(out), err

    def key_is_known(self):
        _code, out, _err = self.run(["rpm", "-q", "gpg-pubkey", "--qf", "%{VERSION}\\n"])
        return imported(out, self.fingerprint)

    def download(self, url, name, proxy=""):
        """(curl's code, the file, curl's words)"""
        target = os.path.join(self.scratch, name)
        code, err = fetch(self.module, url, target, proxy)
        return code, target, err

    def fetch_key(self, url):
        """The checked key of a mirror; raises NotServed."""
        code, target, err = self.download(url, "key", self.proxy)
        if code:
            message = "The package key could not be fetched from %s; check that this host reaches that address."
            raise NotServed("key-not-fetched", message % url, err)
        found, err = self.key_in(target)
        if found != [self.fingerprint]:
            message = (
                "The key at %s has the fingerprint %s, but %s is pinned: it was not trusted and nothing was changed;"
                " use another mirror, or set repository_key if this key is really yours."
            )
            found = " and ".join(found) or "(none: not a key)"
            raise NotServed("wrong-key", message % (url, found, self.fingerprint), err)
        return target

    def key_state(self):
        """Whether rpm knows the key, and whether its file is kept."""
        kept = os.path.exists(self.local_key) and self.key_in(self.local_key)[0] == [self.fingerprint]
        return self.key_is_known(), kept

    def keep_key(self, known, fetched):
        """Import the key, from the file that was fetched if there is one."""
        if fetched:
            make_directory(os.path.dirname(self.local_key))
            os.chmod(fetched, 0o644)
            self.module.atomic_move(fetched, self.local_key)
            os.chmod(self.local_key, 0o644)
        code, out, err = self.run(["rpm", "--import", self.local_key])
        if code or not self.key_is_known():
            self.fail("key-not-imported", "rpm did not import the package key %s." % self.local_key, out, err)
        if not known:
            note("imported", key=self.fingerprint)

    # -- the file

    def write(self, text):
        target = os.path.join(self.scratch, "repo")
        with io.open(target, "wb") as sink:
            sink.write(text.encode("utf-8"))
        make_directory(os.path.dirname(self.path))
        os.chmod(target, 0o644)
        self.module.atomic_move(target, self.path)
        os.chmod(self.path, 0o644)

    def require_metadata(self, baseurl):
        """Before anything is written: the metadata is where the file will say. Raises NotServed."""
        if "$" in baseurl.replace("$basearch", ""):
            return
        address = baseurl.replace("$basearch", os.uname()[4]).rstrip("/") + "/repodata/repomd.xml"
        code, _target, err = self.download(address, "repomd.xml", self.proxy)
        if code:
            message = "The repository at %s cannot be read, so nothing was written; check that address and the network."
            raise NotServed("no-metadata", message % baseurl, err)

    def choose(self, key_is_kept):
        """Settle for the first mirror that serves metadata and key; the fetched key, None where it is kept already."""
        others = self.module.params["alternatives"]
        mirrors = [(self.baseurl, self.key_url)] + [(url, key_beside(url)) for url in others]
        problems = []
        for baseurl, key_url in mirrors:
            try:
                self.require_metadata(baseurl)
                fetched = None if key_is_kept else self.fetch_key(key_url)
            except NotServed as problem:
                problems.append(problem.args)
                continue
            if problems:
                self.done.append("%s did not serve: %s" % (self.baseurl, problems[0][0]))
            self.baseurl = baseurl
            return fetched
        return self.fail(*problems[0])

    def makecache(self, before, copy):
        """Read the metadata with the new file, or put the old one back."""
        target = os.path.realpath("/usr/bin/yum")
        with io.open(target, "rb") as source:
            yum3 = is_yum3(target, source.read(4096))
        locked = None
        try:
            code, out, err = yum(lambda *command: self.run(list(command)), makecache_words(self.id, yum3))
            if code == 0:
                self.done.append("metadata cached")
                return
        except Locked as problem:
            locked, out, err = problem, "", problem.said
        if before is None:
            os.remove(self.path)
        elif copy:
            self.module.atomic_move(copy, self.path)
        if before is None or copy:  # Else nothing was written, and what was kept of old is still what to go back to.
            note("restored", file=self.path, backup=copy, sha256=sha256(self.path))
        if locked:
            self.fail("locked", "Another package manager (pid %s) kept the lock; wait for it to end and run again."
                      % (locked.pid or "unknown"), out, err)  # fmt: skip
        self.fail(
            "no-metadata",
            "The repository at %s cannot be read, so %s was left as it was before; check that address and the network."
            % (self.baseurl, self.path),
            out,
            err,
        )

    def text(self, baseurl):
        return render(baseurl, self.id, self.local_key, self.module.params["hold"], self.proxy)

    def ensure(self):
        before = read(self.path)
        known, kept = self.key_state()
        # A mirror that an earlier run fell back to stays.
        mirrors = [self.baseurl] + self.module.params["alternatives"]
        texts = dict((self.text(url), url) for url in mirrors)
        self.baseurl = texts.get(before, self.baseurl)
        key_changed, file_changed = not (known and kept), before not in texts
        copy = None
        if not self.check and (file_changed or not kept):
            fetched = self.choose(kept)
            if key_changed:
                self.keep_key(known, fetched)
        elif not self.check and key_changed:
            self.keep_key(known, None)
        text = self.text(self.baseurl)
        file_changed = before != text
        if file_changed:
            self.done.insert(0, "written" if before is None else "replaced, the old file kept as a backup")
            self.show(self.path, before, text)
            if not self.check:
                copy = back_up(self.path) if before is not None else None
                self.write(text)
                note_file(self.path, copy)
        if key_changed:
            self.done.append("key imported")
        if (file_changed or key_changed) and self.module.params["makecache"] and not self.check:
            self.makecache(before, copy)
        self.step("changed" if file_changed or key_changed else "ok", "; ".join(self.done))
        return {"backup": copy} if copy else {}

    # -- the base repositories of an ended release

    def repair(self, archives):
        """Point the release's repository files to the first archive that serves all of them that are on."""
        self.name = "base-repositories"
        texts = dict((path, text) for path, text in repository_files().items() if path != self.path)
        root, changes, problems = chosen_archive(texts, archives, self.unserved)
        if problems:
            message = (
                "No archive of this release serves this host, so its repository files were left as they are: %s; check"
                " the network, or write the address of a mirror into them."
            )
            self.fail("no-archive", message % "; ".join(problems[:3]), *problems)
        for path, text in sorted(changes.items()):
            self.show(path, texts[path], text)
            if not self.check:
                copy = back_up(path)
                target = os.path.join(self.scratch, "base")
                with io.open(target, "wb") as sink:
                    sink.write(text.encode("latin-1"))
                self.module.atomic_move(target, path)  # Takes over owner, mode and label.
                note_file(path, copy)
        names = ", ".join(os.path.basename(path) for path in sorted(changes))
        self.step("changed" if changes else "ok", "%s: %s" % (root, names) if changes else "")

    def unserved(self, address):
        """Why an address does not serve this host, or None."""
        code, _target, err = self.download(address, "repomd.xml")
        return "%s: %s" % (address, err.strip() or "curl's error %d" % code) if code else None


def work(module):
    """Do it; the module ends with the result."""
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    repository = Repository(module)
    addresses = [("baseurl", repository.baseurl), ("key_url", repository.key_url)]
    addresses += [(name, value) for name in ("alternatives", "archives") for value in module.params[name]]
    problem = problem_with(
        addresses, repository.id, repository.fingerprint, repository.local_key, repository.proxy
    )
    if problem:
        repository.fail("wrong-settings", "The package repository was not touched: %s." % problem)
    if module.params["archives"]:
        repository.repair(module.params["archives"])
        repository.name = "repository"
    repository.end(module.exit_json, **repository.ensure())
