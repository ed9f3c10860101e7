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
  secrets:
    description: Further options, likewise by the name of the role, of which nothing is logged or told.
    type: dict
    default: {}
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
    module = HostModule(
        argument_spec={
            "parts": {"type": "dict", "required": True},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    # Ansible repeats the parameters in its result, and these may hold passwords.
    module.params["parts"] = sorted(told["parts"])
    strange = sorted(set(told["parts"]) - set(role for role, _worker in PARTS))
    if strange:
        module.fail_json(msg="Nothing was changed: %s is no part of an installation." % ", ".join(strange))
    results, diffs, stop = [], [], None
    for role, worker in PARTS:
        if role not in told["parts"]:
            continue
        stop = module.turn.stop()
        if stop:
            break
        options = dict(told["parts"][role], **told.get("secrets", {}).get(role, {}))
        result = do(role, worker, options, told, module.turn)
        diff = result.pop("diff", [])
        diffs += diff if isinstance(diff, list) else [diff]
        results.append(result)
        if result["failed"]:
            break
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
