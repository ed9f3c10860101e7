"""What restore puts back: the file as it was, unless somebody else changed it since. Rules and module judge alike."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import explanations, restoration
from pydock_installer.model import NOT_ASKED, Host, Journal, Known, Severity, Unknown
from pydock_installer.probe.groups.journal import entries
from pydock_installer.restoration import Restoration, difference, plan_restore, restorable
from pydock_installer.settings import Settings
from tests.unit.facts import bare
from tests.unit.modules import library
from tests.unit.test_rules import facts_of

pydock_host = library("pydock_host")
HOST = Host("web", "192.0.2.1")
BASE = "/etc/yum.repos.d/CentOS-Base.repo"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Machine:
    """A host's files, its journal, and what is done to them."""

    def __init__(self, **files):
        self.files = {BASE: files.get("base")} if "base" in files else {}
        self.log = []

    def write(self, text, path=BASE):
        backup = None
        if path in self.files:
            backup = f"{path}.pydock-{len(self.log)}.bak"
            self.files[backup] = self.files[path]
        self.files[path] = text
        entry = {"action": "replaced", "file": path, "backup": backup} if backup else {"action": "created", "file": path}
        self.log.append({**entry, "sha256": sha(text), "time": "2026-11-25T00:00:00Z"})
        return self

    def edit(self, text, path=BASE):
        self.files[path] = text
        return self

    def remove(self, path=BASE):
        self.files.pop(path, None)
        return self

    @property
    def journal(self):
        sums = {path: sha(text) for path, text in self.files.items()}
        return Journal(entries("\n".join(map(json.dumps, self.log))), sums, dict(self.files))

    def restore(self):
        """As the role does it."""
        for one in restorable(self.journal):
            assert not one.problem
            self.files[one.file] = self.files.pop(one.backup)
            self.log.append({"action": "restored", "file": one.file, "backup": one.backup, "sha256": sha(self.files[one.file])})
        return self


def test_a_file_comes_back_as_it_was_before_the_first_change():
    host = Machine(base="old").write("new").write("newer")
    (one,) = restorable(host.journal)
    assert host.files[one.backup] == "old"
    assert one.problem == ""
    assert "-newer\n+old" in difference(one, host.journal)
    assert host.restore().files[BASE] == "old"
    assert restorable(host.journal) == ()


def test_after_a_restoration_a_new_change_can_be_taken_back():
    host = Machine(base="old").write("new").restore().write("again")
    assert host.restore().files[BASE] == "old"


def test_what_somebody_changed_between_two_runs_is_what_comes_back():
    host = Machine(base="old").write("new").edit("mine").write("newer")
    assert host.restore().files[BASE] == "mine"
    assert restorable(host.journal) == (), "their file is theirs"


def test_a_file_that_pydock_made_is_not_of_those_it_replaced():
    assert restorable(Machine().write("ours").write("ours, newer").journal) == ()


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        (Machine(base="old").write("new").edit("changed"), "it was changed since"),
        (Machine(base="old").write("new").remove(), "it is gone"),
        (Machine(base="old").write("new").remove(f"{BASE}.pydock-0.bak"), f"its backup {BASE}.pydock-0.bak is gone"),
    ],
)
def test_what_stands_in_the_way(host, problem):
    assert [one.problem for one in restorable(host.journal)] == [problem]


def test_what_was_put_back_by_hand_is_done():
    assert restorable(Machine(base="old").write("new").edit("old").journal) == ()


ACTS = st.lists(st.one_of(st.tuples(st.just("write"), st.sampled_from("abc")), st.tuples(st.just("edit"), st.sampled_from("abcd"))), max_size=7)


@given(st.sampled_from(["a", "z"]), ACTS)
@settings(max_examples=120, deadline=None)
def test_no_text_of_anybody_else_is_lost(first, acts):
    """Whatever happened: what comes back is no text that pydock wrote on top of it, and once is enough."""
    host = Machine(base=first)
    for act, text in acts:
        getattr(host, act)(f"{text} of {act}")
    found = restorable(host.journal)
    module = pydock_host.restorable(list(host.journal.entries), dict(host.journal.sums))
    assert [Restoration(one["file"], one["backup"], one["problem"]) for one in module] == list(found)
    if not any(one.problem for one in found):
        host.restore()
        assert host.files[BASE] == first or host.files[BASE].endswith("of edit")
        assert restorable(host.journal) == ()


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", "no json", '{"action": "replaced", "file": 3}', '{"action": "replaced", "file": "/etc/x\\u001b[31m"}',
             '{"action": "replaced", "file": "relative"}', '{"action": 1}', "[" * 90000]
)  # fmt: skip
def test_lines_that_make_no_sense_are_passed_over(line):
    good = json.dumps({"action": "replaced", "file": BASE, "backup": f"{BASE}.bak", "sha256": "0"})
    assert [entry["file"] for entry in entries(f"{line}\n{good}\n{line}")] == [BASE]


def test_files_elsewhere_are_not_put_back_yet():
    host = Machine().edit("{}", "/etc/docker/daemon.json").write("{ }", "/etc/docker/daemon.json")
    assert restorable(host.journal) == ()


def test_what_a_host_tells_of_its_journal():
    sums = {f"sum:{BASE}": f"{'a' * 64}  -\n", f"sum:{BASE}.bak": "sha256sum: no\n"}
    told = {"journal": json.dumps({"action": "created", "file": BASE}) + "\n", f"shown:{BASE}": "[base]\n", **sums}
    found = facts_of({"answers": told}).journal.value
    assert [entry["action"] for entry in found.entries] == ["created"]
    assert (found.sums, found.texts) == ({BASE: "a" * 64}, {BASE: "[base]\n"})
    assert facts_of({"answers": {"journal": 44}}).journal is None
    assert facts_of({"answers": {"journal": 77}}).journal == Unknown("not permitted")
    assert facts_of({}).journal == NOT_ASKED


# -- the plan


def plan(journal, force=False, **changes):
    return plan_restore(HOST, replace(bare(), journal=journal, **changes), Settings(), force)


def test_a_host_without_a_journal_has_nothing_to_put_back():
    made = plan(None)
    assert (made.steps, made.findings) == ((), ())


def test_the_plan_names_the_files_and_the_day():
    made = plan(Known(Machine(base="old").write("new").journal))
    assert [(s.name, s.sentence, s.reason) for s in made.steps] == [
        ("restore", f"put back {BASE}", "pydock replaced them on 2026-11-25")
    ]
    assert made.variables == {"docker_restore_files": [BASE], "docker_restore_force": False}
    assert made.host.interpreter == "/usr/bin/python"


def test_a_changed_file_goes_only_with_force():
    journal = Known(Machine(base="old").write("new").edit("changed").journal)
    blocked = plan(journal)
    assert (blocked.steps, [f.code for f in blocked.blockers]) == ((), ["restore-changed"])
    forced = plan(journal, force=True)
    assert forced.variables["docker_restore_force"] is True
    assert [f.severity for f in forced.findings] == [Severity.WARNING]


def test_who_may_not_read_the_journal_is_told():
    assert [f.code for f in plan(Unknown("not permitted")).blockers] == ["restore-unseen"]
    assert [f.code for f in plan(None, privilege=Known("password-needed")).blockers] == ["privilege"]


def test_every_finding_is_explained():
    told = {entry.code for entry in explanations.explanations() if entry.group == "restore"}
    assert told == {"restore-changed", "restore-lost", "restore-unseen"}
    assert restoration.DIRECTORY == "/etc/yum.repos.d/"
