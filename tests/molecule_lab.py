"""``make molecule``: bare lab hosts, then every scenario of ``molecule/`` on them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab import Lab

TOP = Path(__file__).resolve().parent.parent
RELEASES = (7, 8, 9)


def main() -> int:
    """0 if every scenario passed. The hosts are gone afterwards."""
    lab = Lab.up("molecule")
    try:
        lab.hosts([(f"release{release}", release) for release in RELEASES], fresh=True)
        scenarios = sorted(path.parent.name for path in (TOP / "molecule").glob("*/molecule.yml"))
        return max(_test(lab, scenario) for scenario in scenarios)
    finally:
        lab.down()


def _test(lab: Lab, scenario: str) -> int:
    with tempfile.TemporaryDirectory(prefix="pydock-molecule-") as scratch:
        environment = {
            **os.environ,
            "MOLECULE_EPHEMERAL_DIRECTORY": scratch,
            "PYDOCK_MOLECULE_SSH_CONFIG": str(lab.ssh_config),
            "PYDOCK_MOLECULE_KEY": lab.key_fingerprint,
            "PYDOCK_MOLECULE_MIRROR": lab.registry_mirror,
            "ANSIBLE_HOME": f"{scratch}/ansible",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{scratch}/cp",
            "LC_ALL": "C.UTF-8",
        }
        command = [str(Path(sys.executable).parent / "molecule"), "test", "-s", scenario]
        return subprocess.run(command, cwd=TOP, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
