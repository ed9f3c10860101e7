#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Removals, compilers, tools and the engine: one transaction of yum 3 or dnf, and rpm asked afterwards."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_packages
short_description: Bring Docker's packages to a wanted state in one transaction
description:
  - Asks rpm what is there, decides, runs one transaction, and asks rpm again.
  - With O(version=latest) an installed engine is kept as it is, unless O(upgrade) asks for the newest.
  - An engine that containers run on is restarted by its own packages; that takes O(restart).
  - Plugins come along with an engine that is installed or changed, as far as the repository has them.
options:
  absent: {description: Packages to remove., type: list, elements: str, default: []}
  compilers: {description: Whether gcc and gcc-c++ are wanted., type: bool, default: false}
  tools: {description: Packages wanted in any version., type: list, elements: str, default: []}
  engine: {description: The engine's packages., type: list, elements: str, default: []}
  plugins: {description: Packages installed if the repository has them., type: list, elements: str, default: []}
  version: {description: C(latest) or a version or its beginning., type: str, default: latest}
  upgrade: {description: Whether to go to the newest that fits., type: bool, default: false}
  versions: {description: 'The exact set, each name with its VERSION-RELEASE; counts alone.', type: dict, default: {}}
  restart: {description: Whether running containers may stop., type: bool, default: false}
  alternatives:
    description: Addresses like the repository's baseurl, where that lists packages and does not hand them out whole.
    type: list
    elements: str
    default: []
  repository_file:
    description: The file that names it, as docker_repository wrote it.
    type: path
    default: /etc/yum.repos.d/docker-ce.repo
  repository_id: {description: The repository that the engine comes from., type: str, default: docker-ce-stable}
  lock_timeout: {description: Seconds to wait for another package manager., type: int, default: 300}
  shared:
    description:
      - A way to packages that the controller has; pydock tells it while it hands them out.
      - The keys are C(port), C(secret) and C(sources), addresses in this host's repository files with a number each.
      - Where that way is closed, packages come from the repositories themselves.
    type: dict
    default: {}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: A pinned engine
  docker_packages:
    engine: [docker-ce, docker-ce-cli, containerd.io]
    version: "26.1"
"""

RETURN = r"""
steps: {description: What was done; the last changed one has the transaction's time., type: list, returned: always}
compilers: {description: First line of gcc's version., type: str, returned: success}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

from ansible.module_utils.pydock_packages import ARGUMENTS, work
from ansible.module_utils.pydock_turn import HostModule


def main():
    work(HostModule(argument_spec=ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
