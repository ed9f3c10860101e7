#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Docker's package repository: its file, its checked key, its metadata."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_repository
short_description: Write Docker's repository file with a key checked against its fingerprint
description:
  - Fetches the key, compares its fingerprint, imports it, writes the repository file and caches its metadata.
  - What was there before is put back when the metadata cannot be read.
options:
  baseurl: {description: Address of the packages with a literal release number., type: str, required: true}
  key_url: {description: Address of the package key., type: str, required: true}
  fingerprint: {description: The only fingerprint that is accepted., type: str, required: true}
  path: {description: The repository file., type: path, default: /etc/yum.repos.d/docker-ce.repo}
  repository_id: {description: Name of the repository., type: str, default: docker-ce-stable}
  local_key: {description: Where the key is kept., type: path, default: /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce}
  makecache: {description: Whether to read the metadata at once., type: bool, default: true}
author: [pydock]
"""

EXAMPLES = r"""
- name: Docker's packages from a mirror
  docker_repository:
    baseurl: https://mirrors.aliyun.com/docker-ce/linux/centos/7/$basearch/stable
    key_url: https://mirrors.aliyun.com/docker-ce/linux/centos/gpg
    fingerprint: 060A61C51B558A7F742B77AAC52FEB6B621E9F35
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import io
import os
import re
import shutil
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.pydock_host import back_up, lock_holder, make_directory, note, note_file, tail

CONTENT = u"""\
# Managed by pydock. The key below was checked against its pinned fingerprint.
[{repository_id}]
name=Docker CE Stable
baseurl={baseurl}
enabled=1
gpgcheck=1
gpgkey=file://{local_key}
skip_if_unavailable=0
"""


def render(baseurl, repository_id, local_key):
    """The whole repository file."""
    return CONTENT.format(baseurl=baseurl, repository_id=repository_id, local_key=local_key)


def problem_with(baseurl, key_url, repository_id, fingerprint, local_key):
    """Why these values must not be used, or None: a line break would smuggle options into the file."""
    for name, value in (("baseurl", baseurl), ("key_url", key_url)):
        if not re.match(r"https?://[^\s/]+(/\S*)?\Z", value):
            return "%s must be an http or https address without blanks; %r is not" % (name, value)
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z", repository_id):
        return "repository_id may hold letters, digits and . _ : - only; %r does not" % repository_id
    if not re.match(r"[0-9A-F]{40}\Z", fingerprint):
        return "fingerprint must be 40 hexadecimal digits; %r is not" % fingerprint
    if not re.match(r"/\S+\Z", local_key):
        return "local_key must be an absolute path without blanks; %r is not" % local_key
    return None


def normal_fingerprint(text):
    return re.sub(r"\s", "", text).upper()


def primary_fingerprints(listing):
    """Fingerprints of the primary keys in gpg's colon listing; newer gpg lists those of subkeys too."""
    found, primary = [], False
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sec"):
            primary = True
        elif fields[0] in ("sub", "ssb"):
            primary = False
        elif fields[0] == "fpr" and primary and len(fields) > 9:
            found.append(fields[9].upper())
            primary = False
    return found


def imported(versions, fingerprint):
    """Is the key in rpm's database? rpm names keys by the last 8 digits, the newest ones by all 40."""
    wanted = fingerprint.lower()
    names = [line.strip().lower() for line in versions.splitlines()]
    return any(len(name) >= 8 and wanted.endswith(name) for name in names)


def is_yum3(target, head):
    """yum 3 is a small script of its own; elsewhere /usr/bin/yum is a link to dnf."""
    return "dnf" not in os.path.basename(target) and (b"yummain" in head or b"yum-cli" in head)


def makecache_command(repository_id, yum3):
    command = [
        "/usr/bin/yum", "-q", "--setopt=timeout=30", "--setopt=retries=3", "--setopt=exit_on_lock=True",
        "--disablerepo=*", "--enablerepo=" + repository_id, "makecache",
    ]  # fmt: skip
    return command + ["fast"] if yum3 else command


def curl_settings(yum_conf):
    """yum's proxy in the words of curl's configuration. Sections after [main] are repositories."""
    yum_conf = re.split(r"^\[(?!main\])", re.sub(r"\A.*?^\[main\]", "", yum_conf, flags=re.DOTALL | re.MULTILINE),
                        maxsplit=1, flags=re.MULTILINE)[0]  # fmt: skip
    found = dict(re.findall(r"^(proxy(?:_username|_password)?)[ \t]*=[ \t]*(\S+)[ \t]*$", yum_conf, re.MULTILINE))
    if found.get("proxy", "_none_") == "_none_":
        return ""
    user = "%s:%s" % (found.get("proxy_username", ""), found.get("proxy_password", ""))
    words = [("proxy", found["proxy"])] + ([("proxy-user", user)] if user != ":" else [])
    return "".join('%s = "%s"\n' % (word, re.sub(r'(["\\])', r"\\\1", value)) for word, value in words)


def read(path):
    """The file's text, or None when it is not there."""
    if not os.path.exists(path):
        return None
    with io.open(path, "rb") as source:
        return source.read().decode("utf-8", "replace")


class Repository(object):
    """One repository on this host."""

    def __init__(self, module):
        self.module = module
        self.check = module.check_mode
        wanted = module.params
        self.path, self.local_key, self.id = wanted["path"], wanted["local_key"], wanted["repository_id"]
        self.baseurl, self.key_url = wanted["baseurl"], wanted["key_url"]
        self.fingerprint = normal_fingerprint(wanted["fingerprint"])
        self.began = time.time()
        self.done = []
        self.scratch = None

    def step(self, status, detail):
        seconds = round(time.time() - self.began, 2)
        return [{"name": "repository", "status": status, "seconds": seconds, "detail": detail}]

    def fail(self, code, message, *evidence):
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.module.fail_json(
            msg=message, code=code, evidence=tail(*evidence), steps=self.step("failed", message), changed=False
        )

    def run(self, command):
        return self.module.run_command(command, expand_user_and_vars=False)

    def run_yum(self, command, limit=300):
        """Run it again while another package manager holds the lock: yum 3 alone would wait for ever."""
        deadline = time.time() + limit
        while True:
            code, out, err = self.run(command)
            holder = lock_holder(out + err) if code else None
            if holder is None:
                return code, out, err
            if time.time() > deadline:
                return code, out, err + "\nthe package manager's lock was held for %d s" % limit
            time.sleep(3)

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

    def download(self, url, name):
        """Fetch an address as yum would: through its proxy. (curl's code, the file, curl's words)"""
        target = os.path.join(self.scratch, name)
        command = ["curl", "-fsSL", "--proto", "=https,http", "--connect-timeout", "10", "--max-time", "60",
                   "-K", "-", "-o", target, url]  # fmt: skip
        settings = curl_settings(read("/etc/yum.conf") or "")  # Over stdin: a password shows in no process list.
        code, _out, err = self.module.run_command(command, data=settings or "\n", expand_user_and_vars=False)
        return code, target, err

    def fetch_key(self):
        code, target, err = self.download(self.key_url, "key")
        if code:
            self.fail(
                "key-not-fetched",
                "The package key could not be fetched from %s; check that this host reaches that address."
                % self.key_url,
                err,
            )
        found, err = self.key_in(target)
        if found != [self.fingerprint]:
            self.fail(
                "wrong-key",
                "The key at %s has the fingerprint %s, but %s is pinned: it was not trusted and nothing was changed;"
                " use another mirror, or set repository_key if this key is really yours."
                % (self.key_url, " and ".join(found) or "(none: not a key)", self.fingerprint),
                err,
            )
        return target

    def ensure_key(self):
        """True if the key file or rpm's database had to change."""
        known = self.key_is_known()
        kept = os.path.exists(self.local_key) and self.key_in(self.local_key)[0] == [self.fingerprint]
        if known and kept:
            return False
        self.done.append("key imported")
        if self.check:
            return True
        if not kept:
            fetched = self.fetch_key()
            make_directory(os.path.dirname(self.local_key))
            os.chmod(fetched, 0o644)
            self.module.atomic_move(fetched, self.local_key)
            os.chmod(self.local_key, 0o644)
        code, out, err = self.run(["rpm", "--import", self.local_key])
        if code or not self.key_is_known():
            self.fail("key-not-imported", "rpm did not import the package key %s." % self.local_key, out, err)
        if not known:
            note("imported", key=self.fingerprint)
        return True

    # -- the file

    def write(self, text):
        target = os.path.join(self.scratch, "repo")
        with io.open(target, "wb") as sink:
            sink.write(text.encode("utf-8"))
        make_directory(os.path.dirname(self.path))
        os.chmod(target, 0o644)
        self.module.atomic_move(target, self.path)
        os.chmod(self.path, 0o644)

    def require_metadata(self):
        """Before anything is written: the metadata is where the file will say."""
        address = self.baseurl.replace("$basearch", os.uname()[4]).rstrip("/") + "/repodata/repomd.xml"
        code, _target, err = self.download(address, "repomd.xml")
        if code:
            self.fail(
                "no-metadata",
                "The repository at %s cannot be read, so nothing was written; check that address and the network."
                % self.baseurl,
                err,
            )

    def makecache(self, before, copy):
        """Read the metadata with the new file, or put the old one back."""
        target = os.path.realpath("/usr/bin/yum")
        with io.open(target, "rb") as source:
            yum3 = is_yum3(target, source.read(4096))
        code, out, err = self.run_yum(makecache_command(self.id, yum3))
        if code == 0:
            self.done.append("metadata cached")
            return
        if before is None:
            os.remove(self.path)
        elif copy:
            self.module.atomic_move(copy, self.path)
        if lock_holder(out + err) is not None:
            message = "Another package manager (pid %s) kept the lock; wait for it to end and run again." % (
                lock_holder(out + err) or "unknown"
            )
            self.fail("locked", message, out, err)
        self.fail(
            "no-metadata",
            "The repository at %s cannot be read, so %s was left as it was before; check that address and the network."
            % (self.baseurl, self.path),
            out,
            err,
        )

    def ensure(self):
        text = render(self.baseurl, self.id, self.local_key)
        self.scratch = tempfile.mkdtemp(prefix="pydock-")
        before = read(self.path)
        key_changed = self.ensure_key()
        file_changed = before != text
        copy = None
        if file_changed:
            self.done.insert(0, "written" if before is None else "replaced, the old file kept as a backup")
            if not self.check:
                if "$" not in self.baseurl.replace("$basearch", ""):
                    self.require_metadata()
                copy = back_up(self.path) if before is not None else None
                self.write(text)
                note_file(self.path, copy)
        if (file_changed or key_changed) and self.module.params["makecache"] and not self.check:
            self.makecache(before, copy)
        shutil.rmtree(self.scratch, ignore_errors=True)
        changed = file_changed or key_changed
        result = {"changed": changed, "steps": self.step("changed" if changed else "ok", "; ".join(self.done))}
        if file_changed and self.module._diff:
            result["diff"] = {
                "before": before or "", "after": text, "before_header": self.path, "after_header": self.path,
            }  # fmt: skip
        if copy:
            result["backup"] = copy
        self.module.exit_json(**result)


def main():
    module = AnsibleModule(
        argument_spec={
            "baseurl": {"type": "str", "required": True},
            "key_url": {"type": "str", "required": True, "no_log": False},
            "fingerprint": {"type": "str", "required": True},
            "path": {"type": "path", "default": "/etc/yum.repos.d/docker-ce.repo"},
            "repository_id": {"type": "str", "default": "docker-ce-stable"},
            "local_key": {"type": "path", "default": "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce", "no_log": False},
            "makecache": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    repository = Repository(module)
    problem = problem_with(
        repository.baseurl, repository.key_url, repository.id, repository.fingerprint, repository.local_key
    )
    if problem:
        repository.fail("wrong-settings", "The package repository was not touched: %s." % problem)
    repository.ensure()


if __name__ == "__main__":
    main()
