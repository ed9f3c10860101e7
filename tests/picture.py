"""``make picture``: docs/install.svg, what `pydock install` shows on a terminal, from a real run on fresh demo hosts."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.demo import HOSTS, wrapper
from tests.lab import Lab

TOP = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 132, 40
COMMAND = ["install", "-i", "inventory", "--yes"]


def main() -> int:
    """Run it, keep what stays on the screen, draw that."""
    lab = Lab.up("demo")
    lab.hosts(HOSTS, fresh=True)
    screen = typed([str(wrapper(lab.directory)), *COMMAND], lab.directory)
    # Home directories are nobody's business; the live picture wipes itself away.
    shown = screen.replace(str(Path.home()), "~")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ pydock {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(title="pydock")
    # No fonts from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (TOP / "docs/install.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    return 0


def typed(command: list[str], directory: Path) -> str:
    """What is left on a terminal when the command has ended."""
    session = f"pydock-picture-{os.getpid()}"
    tmux = ["tmux", "-L", session]
    size = ("-x", str(COLUMNS), "-y", str(ROWS))
    subprocess.run([*tmux, "new-session", "-d", *size, "-s", session, "-c", str(directory), "sh"], check=True)
    try:
        subprocess.run([*tmux, "send-keys", "-t", session, f"clear; {' '.join(command)}; echo THE-$((40+2))-END", "Enter"], check=True)
        for _ in range(3000):
            time.sleep(0.1)
            text = subprocess.run([*tmux, "capture-pane", "-p", "-e", "-S", "-200", "-t", session], check=True, capture_output=True, text=True).stdout
            if "THE-42-END" in text:
                body = text.partition("THE-42-END")[0]
                return body[body.index("\n") + 1 :] if "clear;" in body.partition("\n")[0] else body
        raise SystemExit("it did not end")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


if __name__ == "__main__":
    sys.exit(main())
