"""A script on every host at once, over the ssh program: what a floor is made of."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tests.lab import Host, Lab


def everywhere(lab: Lab, hosts: Sequence[Host], script: str, command: Sequence[str]) -> None:
    """Give ``script`` to ``command`` on each host; all of them must end well."""
    running = [
        subprocess.Popen(
            ["ssh", "-F", str(lab.ssh_config), host.name, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for host in hosts
    ]
    for process in running:
        assert process.stdin
        process.stdin.write(script.encode())
        process.stdin.close()
    assert [process.wait() for process in running] == [0] * len(hosts)
