#!/usr/bin/python
# -*- coding: utf-8 -*-
"""The proof: client, server, mirrors in effect, and a container that has run."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_verify
short_description: Prove that Docker works on this host
description:
  - Asks client and server for their versions, compares the registry mirrors in effect, runs a container.
  - Leaves a record of the proof on the host.
options:
  image: {description: The image to run., type: str, default: hello-world}
  expect: {description: What its output must contain., type: str, default: "Hello from Docker!"}
  registry_mirrors: {description: Mirrors expected in effect., type: list, elements: str, default: []}
  timeout: {description: Seconds for the run and its pull., type: int, default: 180}
  record: {description: Where the record is kept., type: path, default: /var/lib/pydock/proof.json}
author: [pydock]
"""

EXAMPLES = r"""
- name: Docker works
  docker_verify:
    registry_mirrors: ["https://mirror.example"]
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
proof: {description: What was proven., type: dict, returned: success}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import io
import json
import os
import re
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.pydock_host import make_directory, tail

TELLING = re.compile(
    r"level=(warn|error|fatal)|Attempting next endpoint|trying next host|fetch failed|x509|timeout", re.IGNORECASE
)


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


def telling_lines(journal):
    """The engine's own lines about what went wrong."""
    return "\n".join([line for line in journal.splitlines() if TELLING.search(line)][-20:])


def cause(text):
    """The line of docker's output that says most, without its prefix."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if "Run 'docker run --help'" not in line and not line.startswith("See 'docker run")]
    errors = [line for line in lines if re.match(r"docker: |Error|.*rror response", line)]
    line = (errors or lines or ["it said nothing"])[-1]
    return re.sub(r"^docker: |Error response from daemon: ", "", line)[:300].rstrip(".")


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

    def run(self, *command):
        return self.module.run_command(list(command), expand_user_and_vars=False)

    def step(self, status, detail):
        seconds = round(time.time() - self.began, 2)
        return [{"name": "proof", "status": status, "seconds": seconds, "detail": detail}]

    def fail(self, code, message, *evidence):
        self.module.fail_json(
            msg=message, code=code, evidence=tail(*evidence), steps=self.step("failed", message), changed=False
        )

    def server(self):
        """(client, server, mirrors in effect)"""
        if not self.module.get_bin_path("docker"):
            self.fail("no-client", "This host has no docker command; install the engine's packages first.")
        _code, out, err = self.run("docker", "version", "--format", "{{.Client.Version}} {{.Server.Version}}")
        client, server = versions(out)
        if not server:
            journal = self.run("journalctl", "-u", "docker", "-n", "40", "--no-pager", "-o", "cat")[1]
            self.fail(
                "no-server",
                "The engine does not answer on this host; `systemctl status docker` and its journal say why.",
                telling_lines(journal),
                err,
            )
        _code, out, err = self.run("docker", "info", "--format", "{{json .RegistryConfig.Mirrors}}")
        try:
            mirrors = normal_mirrors(json.loads(out.strip() or "[]"))
        except ValueError:
            self.fail("no-server", "The engine answers, but not about its settings; see the evidence.", out, err)
        return client, server, mirrors

    def hello(self):
        """Run the image; the step's detail is returned."""
        image, name = self.params["image"], "pydock-proof-%d" % os.getpid()
        began = time.strftime("%Y-%m-%d %H:%M:%S")
        command = ["timeout", "-k", "5", str(self.params["timeout"]), "docker", "run", "--rm", "--name", name, image]
        code, out, err = self.run(*command)
        if code == 0 and self.params["expect"] in out:
            return "%s %s" % (image, "pulled and run" if was_pulled(err) else "run")
        self.run("docker", "rm", "-f", name)
        command = ["journalctl", "-u", "docker", "--no-pager", "-o", "cat", "--since", began]
        journal = telling_lines(self.run(*command)[1])
        if code == 0:
            self.fail("wrong-greeting", "The image %s ran, but did not say %r; check which image that name brings."
                      % (image, self.params["expect"]), journal, out, err)  # fmt: skip
        if code in (124, 137):
            self.fail("run-timeout", "The image %s was not pulled and run within %d s; a registry mirror may help."
                      % (image, self.params["timeout"]), journal, out, err)  # fmt: skip
        self.fail("run-failed", "docker run %s failed: %s." % (image, cause(err or out)), journal, out, err)
        return None

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
        client, server, mirrors = self.server()
        wanted = normal_mirrors(self.params["registry_mirrors"])
        missing = [mirror for mirror in wanted if mirror not in mirrors]
        if missing:
            self.fail(
                "mirrors-not-in-effect",
                "The engine uses the registry mirrors %s, but %s is wanted; set it in daemon.json and reload."
                % (" ".join(mirrors) or "(none)", " ".join(missing)),
            )
        detail = self.hello()
        image = self.params["image"]
        proof = {
            "client": client, "server": server, "registry_mirrors": mirrors, "hello_world": True, "image": image,
        }  # fmt: skip
        self.keep(proof)
        self.module.exit_json(
            changed=False, proof=proof, steps=self.step("ok", "%s; client %s, server %s" % (detail, client, server))
        )


def main():
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "str", "default": "hello-world"},
            "expect": {"type": "str", "default": "Hello from Docker!"},
            "registry_mirrors": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 180},
            "record": {"type": "path", "default": "/var/lib/pydock/proof.json"},
        },
        supports_check_mode=True,
    )
    # DOCKER_HOST empty: the engine of this host, whatever root's environment says.
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    proof = Proof(module)
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*\Z", module.params["image"]):
        proof.fail("wrong-settings", "%r is no image name; nothing was run." % module.params["image"])
    proof.ensure()


if __name__ == "__main__":
    main()
