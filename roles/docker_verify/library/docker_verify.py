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
  - Leaves a record of the proof on the host, and of the built-in image nothing.
  - A failure names the stage at which the proof ended; what it then tells is bounded, and free of passwords.
options:
  image: {description: The image to run; builtin is made here and needs no registry., type: str, default: hello-world}
  expect: {description: What its output must contain if it is not builtin., type: str, default: "Hello from Docker!"}
  registry_mirrors: {description: Mirrors expected in effect., type: list, elements: str, default: []}
  timeout: {description: Seconds for the run and its pull., type: int, default: 180}
  record: {description: Where the record is kept., type: path, default: /var/lib/pydock/proof.json}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: Docker works
  docker_verify:
    registry_mirrors: ["https://mirror.example"]
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
proof:
  description: What was proven; of a failure, what was known by then, and failed, the stage at which it ended
    (client, service, mirrors, load, pull, run or greeting).
  type: dict
  returned: always but in check mode
engine: {description: Of a failure, architecture and proxy of the engine., type: dict, returned: failure}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The client's own words., type: str, returned: failure}
journal: {description: The engine's own words., type: str, returned: failure}
"""

from ansible.module_utils.pydock_proof import ARGUMENTS, work
from ansible.module_utils.pydock_turn import HostModule


def main():
    work(HostModule(argument_spec=ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
