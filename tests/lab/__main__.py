"""``python -m tests.lab up|down|status``."""

from __future__ import annotations

import argparse
import sys

from tests.lab.lab import Lab, every
from tests.lab.tools import LabError, say


def main() -> int:
    """The lab's own small command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring hosts up, and all they need")
    up.add_argument("hosts", nargs="*", metavar="NAME=RELEASE", default=["web7=7", "web8=8", "web9=9"])
    up.add_argument("--name", default="demo")
    up.add_argument("--fresh", action="store_true", help="make the hosts anew")
    up.add_argument("--base", choices=("dead",), default="", help="repository files whose servers were switched off")
    down = commands.add_parser("down", help="take a lab down")
    down.add_argument("--name", default="demo")
    down.add_argument("--all", action="store_true")
    commands.add_parser("status", help="the labs and hosts there are")
    arguments = parser.parse_args()
    try:
        return {"up": _up, "down": _down, "status": _status}[arguments.command](arguments)
    except LabError as error:
        say(str(error))
        return 1


def _up(arguments: argparse.Namespace) -> int:
    wanted = [(name, int(release)) for name, _, release in (entry.partition("=") for entry in arguments.hosts)]
    lab = Lab.up(arguments.name)
    for host in lab.hosts(wanted, fresh=arguments.fresh, base=arguments.base):
        say(f"{host.name}: release {host.release}, ssh -F {lab.ssh_config} {host.name}")
    print(f"lab: {lab.directory}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    for lab in every() if arguments.all else [Lab(arguments.name)]:
        lab.down()
        say(f"{lab.name} is down")
    return 0


def _status(_: argparse.Namespace) -> int:
    for lab in every():
        print(f"{lab.name}: {lab.directory}")
        for host in lab.known():
            print(f"  {host.name}  release {host.release}  {host.address}:{host.port}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
