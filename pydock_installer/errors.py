"""Everything that can go wrong on purpose: one small tree, each class with its exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell learns about a command."""

    OK = 0
    HOST_FAILED = 1
    USAGE = 2
    BLOCKED = 3
    UNREACHABLE = 4
    REFUSED = 5
    INTERRUPTED = 130


class PydockError(Exception):
    """One sentence on what went wrong and why, and a hint that says what to do."""

    exit_code = ExitCode.HOST_FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PydockError):
    """The request itself is wrong: nothing was contacted."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """A setting in a file, the environment or a flag is unknown or has a bad value."""


class InventoryError(UsageError):
    """The inventory cannot be read, or names no host."""


class RefusedError(PydockError):
    """A question was answered with no, or could not be asked."""

    exit_code = ExitCode.REFUSED


class UnreachableError(PydockError):
    """One host cannot be talked to; ``code`` names the cause (``auth``, ``unknown-host-key`` ...)."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.code = code
