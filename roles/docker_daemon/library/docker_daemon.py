#!/usr/bin/python
# -*- coding: utf-8 -*-
"""daemon.json and the engine's service: merged, validated, in effect, or put back."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_daemon
short_description: Merge settings into daemon.json and see that the engine runs with them
description:
  - Given keys replace those of the file, all others stay. A running engine is reloaded where that is enough.
  - A restart that would stop running containers needs C(restart). Without it nothing is changed.
  - When the engine does not come up with the new file, the old one is put back.
  - With C(undo) the file becomes what it was before pydock, by the host's journal; one that pydock made goes.
options:
  settings: {description: Keys of daemon.json., type: dict, default: {}}
  proxy:
    description:
      - The engine's HTTP proxy, C(http_proxy), C(https_proxy) and C(no_proxy), in a drop-in of its unit.
      - Empty texts alone take the drop-in away; without any the host keeps what it has.
    type: dict
    default: {}
  proxy_secrets: {description: Addresses of O(proxy) that have a password., type: dict, default: {}}
  restart: {description: Whether running containers may be stopped by a restart., type: bool, default: false}
  enable: {description: Whether the engine is to start at boot., type: bool, default: true}
  path: {description: The engine's settings file., type: path, default: /etc/docker/daemon.json}
  start_timeout: {description: Seconds for the engine to answer., type: int, default: 120}
  undo: {description: Whether changes are taken back instead of made., type: bool, default: false}
  force: {description: With undo; also files that somebody else changed since., type: bool, default: false}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: A registry mirror
  docker_daemon:
    settings: {registry-mirrors: ["https://mirror.example"]}
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
registry_mirrors: {description: The mirrors in effect., type: list, returned: success}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

from ansible.module_utils.pydock_daemon import work
from ansible.module_utils.pydock_daemon_former import ARGUMENTS, undo
from ansible.module_utils.pydock_turn import HostModule


def main():
    module = HostModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    (undo if module.params["undo"] else work)(module)


if __name__ == "__main__":
    main()
