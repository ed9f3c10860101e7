"""``make demo``: three bare lab hosts, one command, the proof of each. From nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import Lab

TOP = Path(__file__).resolve().parent.parent
HOSTS = [("web7", 7), ("web8", 8), ("web9", 9)]


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def main() -> int:
    """Up, install, what next. The lab stays up for a look around."""
    started = time.monotonic()
    say("1/4  A lab: three bare CentOS hosts, a package mirror and a registry, all on this machine")
    lab = Lab.up("demo")
    hosts = lab.hosts(HOSTS, fresh=True)
    pydock = wrapper(Path(lab.directory))
    print(f"     up after {time.monotonic() - started:.0f} s")

    say("2/4  pydock install")
    command = [str(pydock), "install", "-i", "inventory", "--yes"]
    print(f"     {' '.join(['pydock', *command[1:]])}\n", flush=True)
    done = subprocess.run(command, cwd=lab.directory, check=False)

    say("3/4  The proof, as a person would ask for it")
    for host in hosts:
        asked = ["ssh", "-F", str(lab.ssh_config), host.name, "docker run --rm hello-world"]
        said = subprocess.run(asked, check=False, capture_output=True, text=True)
        print(f"     {host.name}$ docker run --rm hello-world")
        print("".join(f"       {line}\n" for line in (said.stdout + said.stderr).splitlines() if line), end="")

    say("4/4  Look further")
    print(f"""     cd {lab.directory}
     ssh -F ssh_config web7 docker run --rm hello-world
     ./pydock status -i inventory
     ./pydock plan -i inventory            nothing to do
     ./pydock runs show last

     make demo-down                        takes the lab down
     {time.monotonic() - started:.0f} s in all.""")
    return done.returncode


def wrapper(directory: Path) -> Path:
    """A ``pydock`` command for the lab's directory that runs this checkout, compiled once as an installed one is."""
    path = directory / "pydock"
    words = f'unset PYTHONDONTWRITEBYTECODE\nexport PYTHONPATH="{TOP}"\nexec "{sys.executable}" -m pydock_installer "$@"'
    path.write_text(f"#!/bin/sh\n{words}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


if __name__ == "__main__":
    os.chdir(TOP)
    sys.exit(main())
