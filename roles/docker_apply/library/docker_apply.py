#!/usr/bin/python
# -*- coding: utf-8 -*-
"""A host's whole plan in one task: repository, packages, engine and proof, one after the other in one process."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_apply
short_description: Do what docker_repositories, docker_packages, docker_daemon and docker_verify do, in one task
description:
  - Each further Ansible task costs a host a round trip and the start of a Python, and the controller a process.
  - The parts run in that order, each only when it is named; the first that fails is the last.
options:
  parts:
    description: By the name of the role, the options of its module.
    type: dict
    required: true
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: Packages from a mirror, and their engine
  docker_apply:
    parts:
      docker_packages: {engine: [docker-ce, docker-ce-cli, containerd.io]}
      docker_daemon: {settings: {registry-mirrors: ["https://mirror.example"]}}
"""

RETURN = r"""
parts:
  description: What the module of each part returned, with the role's name, its seconds, and whether it failed.
  type: list
  returned: always
"""

import json
import re
import time
import traceback

from ansible.module_utils import basic, pydock_daemon, pydock_packages, pydock_proof, pydock_repository
from ansible.module_utils.pydock_turn import HostModule

PARTS = (
    ("docker_repositories", pydock_repository),
    ("docker_packages", pydock_packages),
    ("docker_daemon", pydock_daemon),
    ("docker_verify", pydock_proof),
)


#: What a package manager says of a mirror whose packages do not come, or not whole.
MIRROR_FAILS = re.compile(
    r"does not match intended download|checksum|\[Errno (?:12|14|256)\]|Status code: \d+ for|[Cc]url error|"
    r"Interrupted by header callback|No more mirrors to try|Operation too slow"
)


def elsewhere(options, repository, packages):
    """The options of the repository with its next mirror first, if the one that was chosen did not serve the packages
    and there is another; else None."""
    if not packages.get("failed") or not MIRROR_FAILS.search(packages.get("evidence") or ""):
        return None
    mirrors = [options["baseurl"]] + list(options.get("alternatives") or [])
    used = repository.get("baseurl")
    others = mirrors[mirrors.index(used) + 1 :] if used in mirrors else []
    if not others:
        return None
    return dict(options, baseurl=others[0], key_url=pydock_repository.key_beside(others[0]), alternatives=others[1:])


class Ended(SystemExit):
    """The end of a part, where a module by itself would end its process."""

    def __init__(self, result):
        super(Ended, self).__init__(0)
        self.result = result


class Part(HostModule):
    """A module that hands its result on instead of printing it."""

    def exit_json(self, **result):
        self.do_cleanup_files()
        raise Ended(dict(result, failed=False))

    def fail_json(self, msg, **result):
        self.do_cleanup_files()
        raise Ended(dict(result, failed=True, msg=msg))


def arguments(options, told):
    """What Ansible would have told the module of a part: its options, and how to work (check mode, diff, ...)."""
    how = dict((name, value) for name, value in told.items() if name.startswith("_ansible_"))
    return json.dumps({"ANSIBLE_MODULE_ARGS": dict(options, **how)}).encode("utf-8")


def do(role, worker, options, told, turn):
    """The result of a part; whatever it ends with."""
    began = time.time()
    try:
        basic._ANSIBLE_ARGS = arguments(options, told)
        worker.work(Part(argument_spec=worker.ARGUMENTS, turn=turn, supports_check_mode=True))
        result = {"failed": False}
    except Ended as end:
        result = end.result
    except Exception as problem:
        result = {
            "failed": True,
            "msg": "%s broke off: %s: %s" % (role, type(problem).__name__, problem),
            "module_stderr": traceback.format_exc(),
        }
    return dict(result, role=role, seconds=round(time.time() - began, 2))


def main():
    told = json.loads(basic._ANSIBLE_ARGS.decode("utf-8"))["ANSIBLE_MODULE_ARGS"]
    module = HostModule(argument_spec={"parts": {"type": "dict", "required": True}}, supports_check_mode=True)
    # Ansible repeats the parameters in its result, and these may hold passwords.
    module.params["parts"] = sorted(told["parts"])
    strange = sorted(set(told["parts"]) - set(role for role, _worker in PARTS))
    if strange:
        module.fail_json(msg="Nothing was changed: %s is no part of an installation." % ", ".join(strange))
    results, diffs, stop = [], [], None
    tried, poor = {}, []  # Of the repository: its options, and mirrors whose packages did not come whole.
    waiting = [(role, worker, told["parts"][role]) for role, worker in PARTS if role in told["parts"]]
    while waiting:
        stop = module.turn.stop()
        if stop:
            break
        role, worker, options = waiting.pop(0)
        result = do(role, worker, options, told, module.turn)
        diff = result.pop("diff", [])
        diffs += diff if isinstance(diff, list) else [diff]
        before, results = results, results + [result]
        if role == "docker_packages" and before and "baseurl" in before[-1]:
            other = elsewhere(tried, before[-1], result)
            if other:
                poor.append(before[-1]["baseurl"])
                waiting = [PARTS[0] + (other,), (role, worker, options)] + waiting
                results = before
                continue
        if result["failed"]:
            break
        if role == "docker_repositories":
            tried = options
            for step in result["steps"][-1:] if poor else []:
                step["detail"] = "%s did not serve the packages whole; %s" % (", ".join(poor), step["detail"])
    whole = {"parts": results, "changed": any(result.get("changed") for result in results)}
    if diffs:
        whole["diff"] = diffs
    if stop:
        module.end(stop, **whole)
    if results and results[-1]["failed"]:
        module.fail_json(msg=results[-1]["msg"], **whole)
    module.exit_json(**whole)


if __name__ == "__main__":
    main()
