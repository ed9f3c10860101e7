"""What the documentation says is so: commands, settings, keys, platforms, examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from pydock_installer import diagnosis
from pydock_installer.cli.app import app
from pydock_installer.cli.options import SETTINGS
from pydock_installer.fleet import Login, from_inventory
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.platforms.page import page
from pydock_installer.render import ROLE_OF_STEP
from pydock_installer.report import to_json
from pydock_installer.settings import Settings, parts
from pydock_installer.workflows.plan import planned
from tests.unit.facts import bare

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted([TOP / "README.md", TOP / "inventory/README.md", *(TOP / "docs").rglob("*.md"), *TOP.glob("roles/*/README.md")])


def commands():
    """Every ``pydock ...`` in code, in the pages and in the remedies."""
    texts = {str(page.relative_to(TOP)): page.read_text(encoding="utf-8") for page in PAGES}
    texts["causes.yml"] = "\n".join(f"`{r}`" if "`" not in r else r for r in (row.remedy for row in diagnosis.rows()))
    for name, text in texts.items():
        spans = re.findall(r"`(pydock [^`]*)`", text) + re.findall(r"^    (pydock .*)$", text, re.MULTILINE)
        for span in spans:
            yield pytest.param(span.partition("#")[0].strip(), id=f"{name}: {span[:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_a_documented_command_exists_with_its_flags(line: str) -> None:
    words = shlex.split(line.replace("[", "").replace("]", ""))[1:]
    command: click.Command = app
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, line


def test_every_setting_is_documented_with_its_flag():
    text = (TOP / "docs/settings.md").read_text(encoding="utf-8")
    names = [name for name in Settings.model_fields if name not in parts()]
    names += [f"{part}.{name}" for part, model in parts().items() for name in model.model_fields]
    rows = {row[0].strip("` "): row for row in (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `"))}
    assert sorted(rows) == sorted(names)
    for option, setting in ((option, path) for option, paths in SETTINGS.items() for path in paths.split()):
        assert f"--{option.replace('_', '-')}" in rows[setting][1] or "-f" in rows[setting][1]


def test_every_key_of_the_json_document_is_documented():
    text = (TOP / "docs/json.md").read_text(encoding="utf-8")
    document = to_json(planned(_plan(), "plan"))
    keys = {*document, *document["hosts"][0], *document["hosts"][0]["facts"], *document["hosts"][0]["steps"][0]}
    keys |= set(document["hosts"][0]["findings"][0])
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    assert [name for name in ROLE_OF_STEP if f"`{name}`" not in text] == []


def test_every_key_of_the_document_on_mirrors_is_documented():
    from pydock_installer.cli.mirror_tables import document
    from pydock_installer.model.mirror import MirrorAnswer, MirrorState
    from pydock_installer.registries.configured import mirror_settings
    from pydock_installer.workflows.mirror_test import HostMirrors

    facts = bare("9")
    seen = HostMirrors(mirror_settings(facts), (MirrorAnswer("https://docker.1ms.run", MirrorState.DEAD),), facts)
    made = document("mirror test", {"h": seen}, 1)
    (host,) = made["hosts"]
    (entry,) = host["mirrors"]
    text = (TOP / "docs/json.md").read_text(encoding="utf-8")
    assert [key for key in (*made, *host, *entry, *entry["known"]) if f"`{key}`" not in text] == []
    assert [state.value for state in MirrorState if f"`{state.value}`" not in text] == []


def _plan():
    from pydock_installer.model import Host, Plan

    return Plan((plan_host(Host("web9", "192.0.2.9"), bare("9"), Settings(), Wishes()),))


def test_the_page_on_platforms_is_made_from_the_data():
    text = (TOP / "docs/platforms.md").read_text(encoding="utf-8")
    assert text == page(), "make it anew: pydock platforms --markdown > docs/platforms.md"


def test_example_inventories_are_the_same_fleet():
    fleets = [from_inventory([TOP / "inventory" / source], Login(), "all", None) for source in ("example", "ini/hosts.ini")]
    assert fleets[0] == fleets[1]
    assert {entry.name: (entry.address, entry.port, entry.user) for entry in fleets[0]} == {
        "web1": ("192.0.2.11", None, "ops"),
        "web2": ("192.0.2.12", 2222, "ops"),
        "db1": ("198.51.100.21", None, "root"),
    }


def test_the_first_files_of_a_newcomer_are_valid():
    from pydock_installer import settings

    directory = TOP / "templates/init"
    assert settings.load(directory / "pydock.yml", {}, {}, directory) == Settings()
    assert [entry.name for entry in from_inventory([directory / "inventory"], Login(), "all", None)] == ["web1", "web2"]
    commented = re.sub(r"^# ?(?=[a-z_]+:|  )", "", (directory / "pydock.yml").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(yaml.safe_load(commented)) <= set(Settings.model_fields)
