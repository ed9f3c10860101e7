# -*- coding: utf-8 -*-
"""The proof: client, server, mirrors in effect, and a container that has run."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os
import re
import tempfile
import time

from ansible.module_utils.pydock_builtin_image import image as builtin_image
from ansible.module_utils.pydock_host import make_directory, tail

#: What the module takes.
ARGUMENTS = {
    "image": {"type": "str", "default": "hello-world"},
    "expect": {"type": "str", "default": "Hello from Docker!"},
    "registry_mirrors": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 180},
    "record": {"type": "path", "default": "/var/lib/pydock/proof.json"},
}

BUILTIN = "builtin"
#: Seconds that an engine may take for an answer about itself.
PATIENCE = 60
#: The built-in image needs next to nothing, and gets no more.
LIMITS = ("--memory", "64m", "--cap-drop", "ALL", "--read-only")
TELLING = re.compile(
    r"level=(warn|error|fatal)|Attempting next endpoint|trying next host|fetch failed|x509|timeout", re.IGNORECASE
)
CHATTER = re.compile(r"level=(info|debug)|^(Starting|Stopping|Stopped|Started|Closed|Listening) |^-- ", re.IGNORECASE)
#: User and password in an address; logins of HTTP; what is named so as key=value or "key": "value".
_NAMED = r"(?:password|passwd|secret|token|signature|credential|api_?key|auth|verify)"
SECRETS = (
    (re.compile(r"://[^/\s@\"']{1,200}@"), "://***@"),
    (re.compile(r"\b(Basic|Bearer) {1,3}[\w.~+/=-]{16,4000}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(%s=)[^\s&\"',;\\]{4,4000}" % _NAMED, re.IGNORECASE), r"\1***"),
    (re.compile(r"(%s\\?\": ?\\?\")[^\"\\]{4,4000}" % _NAMED, re.IGNORECASE), r"\1***"),
)
#: How many lines of the engine's journal go into a report, and how much of each.
LINES, WIDTH = 20, 500


def normal_mirrors(mirrors):
    """Addresses as the engine reports them: one trailing slash, no doubles."""
    found = []
    for mirror in mirrors or []:
        address = str(mirror).rstrip("/") + "/"
        if address not in found:
            found.append(address)
    return found


def versions(text):
    """``CLIENT SERVER`` of docker version; a silent server is None."""
    words = text.split()
    words = words if len(words) < 2 or re.match(r"\d", words[1]) else words[:1]
    return tuple(words[:2] + [None] * (2 - len(words[:2])))


def was_pulled(text):
    return "Unable to find image" in text or "Downloaded newer image" in text


def never_arrived(text):
    """Was the image looked for, and not got?"""
    got = r"Status: (Downloaded newer image|Image is up to date)"
    return "Unable to find image" in text and not re.search(got, text)


def without_secrets(text):
    """A text that may be shown: no user and password in an address, no token, no signature."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def telling_lines(journal, chatter=True):
    """The engine's own lines about what went wrong; ``chatter``: among many others that say that all is well."""
    lines = [line[:WIDTH] for line in journal.splitlines() if line.strip()]
    telling = [line for line in lines if (TELLING.search(line) if chatter else not CHATTER.search(line))]
    return "\n".join(telling[-LINES:])


def cause(text):
    """The line of docker's output that says most, without its prefix."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if "Run 'docker run --help'" not in line and not line.startswith("See 'docker run")]
    errors = [line for line in lines if re.match(r"docker: |Error|.*rror response", line)]
    line = (errors or lines or ["it said nothing"])[-1]
    return re.sub(r"^docker: |Error response from daemon: ", "", line)[:300].rstrip(".")


def unit_state(text):
    """What systemctl show tells of the service, for people."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if told.get("LoadState") == "masked":
        return "docker.service is masked"
    if told.get("LoadState") != "loaded":
        return "systemd knows no docker.service"
    result = told.get("Result", "success")
    return "docker.service is %s%s" % (told.get("ActiveState", "?"), "" if result == "success" else " (%s)" % result)


def record_differs(old, new):
    """Is there something new but the time?"""
    try:
        present = json.loads(old)
    except ValueError:
        return True
    if not isinstance(present, dict):
        return True
    return dict(present, time=None) != dict(new, time=None)


class Proof(object):
    """One attempt to prove this host's engine."""

    def __init__(self, module):
        self.module, self.params = module, module.params
        self.began = time.time()
        self.stage = "client"
        self.known = {
            "client": None, "server": None, "registry_mirrors": [], "hello_world": False, "image": self.params["image"],
        }  # fmt: skip
        self.engine = {"architecture": None, "proxy": None}
        self.loaded = None

    def run(self, *command, **options):
        return self.module.run_command(list(command), expand_user_and_vars=False, **options)

    def ask(self, *question):
        """A question that an engine answers at once, if it answers at all."""
        code, out, err = self.run("timeout", "-k", "5", str(PATIENCE), "docker", *question)
        if code in (124, 137):
            self.fail("engine-hangs", "The engine takes connections, but did not answer within %d s." % PATIENCE,
                      err, journal=self.journal("-n", "40"))  # fmt: skip
        return code, out, err

    def journal(self, *which, **options):
        command = ("journalctl", "-u", "docker", "--no-pager", "-o", "cat") + which
        return telling_lines(self.run(*command)[1], **options)

    def step(self, status, detail):
        seconds = round(time.time() - self.began, 2)
        return [{"name": "proof", "status": status, "seconds": seconds, "detail": detail}]

    def fail(self, code, message, *evidence, **more):
        message = without_secrets(message)
        self.module.fail_json(
            msg=message,
            code=code,
            evidence=without_secrets(tail(*evidence)),
            journal=without_secrets(tail(more.get("journal", ""))),
            proof=dict(self.known, failed=self.stage),
            engine=self.engine,
            steps=self.step("failed", message),
            changed=False,
        )

    def server(self):
        """Who answers, and what is in effect."""
        if not self.module.get_bin_path("docker"):
            self.fail("no-client", "This host has no docker command; install the engine's packages first.")
        self.stage = "service"
        _code, out, err = self.ask(
            "version", "--format", "{{.Client.Version}} {{.Server.Version}} {{.Server.Arch}}"
        )
        self.known["client"], self.known["server"] = versions(out)
        if not self.known["server"]:
            told = ("LoadState", "ActiveState", "Result")
            state = unit_state(self.run("systemctl", "show", "docker", "--property", ",".join(told))[1])
            # What was stopped in order has no reason in the journal, only older troubles.
            journal = "" if state.endswith("inactive") else self.journal("-n", "40", chatter=False)
            self.fail("no-server", "The engine does not answer: %s." % state, err, journal=journal)
        self.engine["architecture"] = (out.split() + ["?"])[2]
        _code, out, err = self.ask("info", "--format", "{{json .}}")
        try:
            info = json.loads(out)
            self.known["registry_mirrors"] = normal_mirrors((info.get("RegistryConfig") or {}).get("Mirrors"))
            proxy = info.get("HttpsProxy") or info.get("HttpProxy")
            self.engine["proxy"] = without_secrets(str(proxy))[:200] if proxy else None
        except (ValueError, AttributeError):
            self.fail("no-server", "The engine answers, but not about its settings.", out[:4000], err)

    def mirrors(self):
        self.stage = "mirrors"
        wanted, mirrors = normal_mirrors(self.params["registry_mirrors"]), self.known["registry_mirrors"]
        missing = [mirror for mirror in wanted if mirror not in mirrors]
        if missing:
            self.fail(
                "mirrors-not-in-effect",
                "The engine uses the registry mirrors %s, but %s is wanted; set it in daemon.json and reload."
                % (" ".join(mirrors) or "(none)", " ".join(missing)),
            )

    def load(self):
        """The built-in image in the engine, made just now if it was not there: its ID and its greeting."""
        self.stage = "load"
        try:
            made = builtin_image(self.engine["architecture"])
        except ValueError as error:
            self.fail("no-builtin-image", "%s; name an image that is (docker_verify_image)." % str(error).capitalize())
        present, layers = self.inspect(made.name)
        if not present:
            self.loaded = made.name
            command = ("timeout", "-k", "5", str(PATIENCE), "docker", "load")
            code, out, err = self.run(*command, data=made.archive, binary_data=True)
            if code != 0:
                self.fail("image-not-loaded", "docker load did not take the built-in image: %s." % cause(err or out),
                          out, err, journal=self.journal("-n", "40"))  # fmt: skip
            present, layers = self.inspect(made.name)
        if present != made.image_id and layers != [made.layer]:
            self.fail("image-differs", "The image %s in this engine is not the one that pydock makes; it was not run."
                      % made.name)  # fmt: skip
        return present, made.greeting

    def inspect(self, name):
        """(ID, digests of its layers) of an image, or (None, [])"""
        code, out, _err = self.ask("image", "inspect", "--format", "{{.Id}} {{json .RootFS.Layers}}", name)
        found = re.match(r"(\S+) (\[.*\])\s*\Z", out) if code == 0 else None
        return (found.group(1), json.loads(found.group(2))) if found else (None, [])

    def hello(self):
        """Run the image; the step's detail is returned."""
        image, expect, limits = self.params["image"], self.params["expect"], ()
        what = image
        if image == BUILTIN:
            what, expect = self.load()
            limits = LIMITS
        name, began = "pydock-proof-%d" % os.getpid(), time.strftime("%Y-%m-%d %H:%M:%S")
        self.stage = "run"
        command = ("timeout", "-k", "5", str(self.params["timeout"]), "docker", "run", "--rm", "--name", name)
        code, out, err = self.run(*(command + limits + (what,)))
        if code == 0 and expect in out:
            return "%s %s" % (image, "pulled and run" if was_pulled(err) else "made and run" if self.loaded else "run")
        self.run("docker", "rm", "-f", name)
        self.explain(code, out, err, expect, self.journal("--since", began))
        return None

    def explain(self, code, out, err, expect, journal):
        """Why there was no greeting: the image never came, never ran, never ended, or said something else."""
        image, seconds = self.params["image"], self.params["timeout"]
        late, absent = code in (124, 137), never_arrived(err)
        self.stage = "pull" if absent else "run" if code else "greeting"
        if absent and late:
            self.fail("pull-timeout", "The image %s did not arrive within %d s." % (image, seconds), err,
                      journal=journal)  # fmt: skip
        if absent:
            self.fail("pull-failed", "The image %s could not be pulled: %s." % (image, cause(err)), err,
                      journal=journal)  # fmt: skip
        if late:
            self.fail("run-timeout", "A container of %s did not end within %d s." % (image, seconds), out, err,
                      journal=journal)  # fmt: skip
        if code:
            self.fail("run-failed", "A container of %s did not run (status %d): %s." % (image, code, cause(err or out)),
                      out, err, journal=journal)  # fmt: skip
        self.fail("wrong-greeting", "The image %s ran, but did not say %r; check which image that name brings."
                  % (image, str(expect)), out, err, journal=journal)  # fmt: skip

    def clean_up(self):
        """Of an image that was loaded for the proof nothing stays."""
        if self.loaded and self.inspect(self.loaded)[0]:
            self.run("docker", "rmi", "-f", self.loaded)

    def keep(self, proof):
        """The record, written only when it says something new."""
        path = self.params["record"]
        record = dict((key, proof[key]) for key in ("server", "client", "image", "registry_mirrors"))
        record["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        old = ""
        if os.path.exists(path):
            with io.open(path, encoding="utf-8", errors="replace") as source:
                old = source.read()
        if not record_differs(old, record):
            return
        make_directory(os.path.dirname(path))
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir)
        with os.fdopen(handle, "wb") as sink:
            sink.write((json.dumps(record, indent=2, sort_keys=True, separators=(",", ": ")) + "\n").encode("utf-8"))
        self.module.atomic_move(temporary, path)
        os.chmod(path, 0o644)

    def ensure(self):
        if self.module.check_mode:
            self.module.exit_json(changed=False, steps=self.step("skipped", "a proof runs a container"))
        self.server()
        self.mirrors()
        try:
            detail = self.hello()
        finally:
            self.clean_up()
        self.known["hello_world"] = True
        self.keep(self.known)
        detail += "; client %(client)s, server %(server)s" % self.known
        self.module.exit_json(changed=False, proof=dict(self.known, failed=None), steps=self.step("ok", detail))


def work(module):
    """Do it; the module ends with the result."""
    # DOCKER_HOST empty: the engine of this host, whatever root's environment says.
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    proof = Proof(module)
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*\Z", module.params["image"]):
        proof.fail("wrong-settings", "%r is no image name; nothing was run." % module.params["image"])
    proof.ensure()
