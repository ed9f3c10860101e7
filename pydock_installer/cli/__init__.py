"""The command line: argv in, text out, exit code. Nothing else in the package prints or exits."""

from pydock_installer.cli.app import main

__all__ = ["main"]
