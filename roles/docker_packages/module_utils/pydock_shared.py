# -*- coding: utf-8 -*-
"""Packages that the controller fetched: yum is led to them for one transaction, and the host keeps nothing of it."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import atexit
import binascii
import glob
import hashlib
import hmac
import io
import json
import os
import shutil
import tempfile
import time

from ansible.module_utils.pydock_archive import OPTION, sections

try:
    from http.client import HTTPConnection, HTTPException
except ImportError:
    from httplib import HTTPConnection, HTTPException

#: Where yum and dnf look by themselves.
DIRECTORIES = ("/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d")
MAIN = ("/etc/yum.conf", "/etc/dnf/dnf.conf")
#: Where packages come down anyway.
PLACE = "/var/cache"
#: What of a repository's section is about the way to it.
WAY = ("baseurl", "mirrorlist", "metalink", "proxy", "proxy_username", "proxy_password", "timeout", "retries")
#: A way that takes credentials is the host's alone.
PRIVATE = ("username", "password", "sslclientcert")
#: The controller answers once it has the whole file, and its line may be thin: seconds.
PATIENCE = 1800


# -- decisions


def source_of(section, sources):
    """(number, what follows its address) of the source that a section of a repository file names, or None.

    ``sources`` has numbers by addresses as they are written; those that end in ``/`` stand for all below them.
    """
    for name in ("baseurl", "metalink", "mirrorlist"):
        words = [OPTION.sub("", line, count=1) for _number, line in section.option(name)]
        for word in (word for line in words for word in line.replace(",", " ").split()):
            if word.rstrip("/") in sources:
                return sources[word.rstrip("/")], ""
            for written in sources:
                if written.endswith("/") and word.startswith(written):
                    return sources[written], word[len(written) :]
    return None


def is_on(section, name, default):
    """The value of an option that is yes or no."""
    values = [OPTION.sub("", line, count=1).strip().lower() for _number, line in section.option(name)]
    return values[-1] in ("1", "yes", "true", "on") if values else default


def redirected(text, sources, address, checked):
    """(a repository file whose shared sections lead to the controller, the IDs of those).

    A section whose packages' signatures are not checked stays as it is: the signature alone says whose a package is.
    ``checked``: whether they are where a section says nothing.
    """
    found, shared = sections(text), []
    for section in found:
        source = source_of(section, sources) if section.id not in (None, "main") else None
        if source is None or not is_on(section, "gpgcheck", checked) or any(section.option(one) for one in PRIVATE):
            continue
        way = set(number for name in WAY for number, _line in section.option(name))
        lines = [line for number, line in enumerate(section.lines) if number not in way]
        place = "%s/%d/%s" % (address, source[0], source[1])
        own = "baseurl=%s\nproxy=_none_\ntimeout=%d\nretries=2\n" % (place, PATIENCE)
        section.lines = [lines[0].rstrip("\r\n") + "\n", own] + lines[1:]
        shared.append(section.id)
    return "".join(line for section in found for line in section.lines), shared


# -- effects


class Shared(object):
    """The controller's packages, as this host reaches them: at a port of its own, which its SSH connection forwards."""

    def __init__(self, port, secret, sources):
        self.port, self.secret = int(port), str(secret)
        self.sources = dict((str(written), int(number)) for written, number in sources.items())
        self.word = self.sign("path")[:40]
        self.address = "http://127.0.0.1:%d/%s" % (self.port, self.word)

    def sign(self, text):
        return hmac.new(self.secret.encode("ascii"), text.encode("ascii"), hashlib.sha256).hexdigest()

    def get(self, path):
        """(status, text); 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(1 << 20).decode("utf-8", "replace")
        except (EnvironmentError, HTTPException):
            return 0, ""
        finally:
            connection.close()

    def answers(self):
        """Whether it is the controller that answers: somebody else on this host may have taken the port."""
        nonce = binascii.hexlify(os.urandom(32)).decode("ascii")
        status, text = self.get("/hello/" + nonce)
        return status == 200 and text == self.sign("hello " + nonce)

    def options(self):
        """What yum must be told to take packages from there; None if none of this host's repositories is shared."""
        main = [one for path in MAIN if os.path.isfile(path) for one in sections(text_of(path)) if one.id == "main"]
        if any(one.option("reposdir") for one in main):
            return None
        checked = bool(main) and all(is_on(one, "gpgcheck", False) for one in main)
        clear_up()
        place = tempfile.mkdtemp(prefix="pydock-shared-%d-" % os.getpid(), dir=PLACE)
        atexit.register(shutil.rmtree, place, True)
        os.mkdir(os.path.join(place, "repos"))
        found = []
        for path in (path for directory in DIRECTORIES for path in sorted(glob.glob(directory + "/*.repo"))):
            text, shared = redirected(text_of(path), self.sources, self.address, checked)
            target = os.path.join(place, "repos", os.path.basename(path))
            if not os.path.exists(target):
                with io.open(target, "wb") as sink:
                    sink.write(text.encode("latin-1"))
                found += shared
        if not found:
            return None
        return ["--setopt=reposdir=%s/repos" % place, "--setopt=cachedir=%s/cache" % place]

    def problems(self):
        """Why the controller could not hand out what was asked for."""
        status, text = self.get("/%s/problems" % self.word)
        try:
            told = json.loads(text) if status == 200 else []
            mine = set(self.sources.values())
            return [reason for number, _path, reason in told if number in mine]
        except (ValueError, TypeError):
            return []

    def readable(self, text):
        """yum's words with the addresses that people know."""
        for written, number in self.sources.items():
            text = text.replace("%s/%d/" % (self.address, number), written.rstrip("/") + "/")
        return text.replace(self.word, "...")


def clear_up(now=None):
    """Take away what is left of a run that was killed long ago; yum may have outlived its own for a while."""
    for left in glob.glob(PLACE + "/pydock-shared-*-*"):
        alive = os.path.exists("/proc/" + os.path.basename(left).split("-")[2])
        if not alive and (now or time.time()) - os.path.getmtime(left) > 86400:
            shutil.rmtree(left, True)


def without_proxy(environment):
    """What the environment of yum must say so that no proxy stands before this host's own ports."""
    names = ("no_proxy", "NO_PROXY")
    return dict((name, ",".join(filter(None, (environment.get(name), "127.0.0.1")))) for name in names)


def text_of(path):
    """A file, every byte as one letter."""
    with io.open(path, encoding="latin-1", newline="") as source:
        return source.read()
