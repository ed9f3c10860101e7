"""``pydock init``: a newcomer's first files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydock_installer import content
from pydock_installer.errors import PydockError, UsageError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console

FILES = ("pydock.yml", "inventory/hosts.yml")


def init(directory: Path, talk: Console) -> int:
    """Write the files; none if one of them is there. Raises UsageError then."""
    if there := [name for name in FILES if (directory / name).exists()]:
        raise UsageError(
            f"{', '.join(there)} is here already", "Nothing was written; use an empty directory."
        )
    try:
        for name in FILES:
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            text = (content.root() / "templates" / "init" / name).read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PydockError(f"{directory} cannot be written to: {error.strerror}") from error
    if talk.json:
        talk.document({"command": "init", "exit_code": 0, "files": list(FILES)})
    else:
        talk.out(f"Written: {', '.join(FILES)}. Name your hosts in the second, then: pydock plan")
    return 0
