"""pydock.yml as a user writes it, with flags and variables: read, or refused."""

import pytest

from pydock_installer import settings
from pydock_installer.cli.options import FLAG_NAMES
from pydock_installer.errors import ExitCode, SettingsError

#: Every setting by its path, as flags and variables name it.
PATHS = [
    "repository", "repository_key", "docker_version", "compilers", "registry_mirrors", "daemon", "verify.image",
    "ssh.host_key_policy", "ssh.timeout", "ssh.config", "inventory", "forks",
]  # fmt: skip
PATHS_TO_FILES = {"ssh.config", "inventory"}


def load(directory, text="", flags=(), environment=()):
    (directory / "pydock.yml").write_text(text, encoding="utf-8")
    return settings.load(None, dict(flags), dict(environment), directory, FLAG_NAMES)


def refusal(directory, text="", flags=(), environment=()):
    """What a user reads, with the file's name shortened."""
    with pytest.raises(SettingsError) as caught:
        load(directory, text, flags, environment)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.hint
    return caught.value.message.replace(f"{directory}/", "")


def variable(path):
    return "PYDOCK_" + path.upper().replace(".", "__")
