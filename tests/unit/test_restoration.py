"""What restore brings back: files as they were, unless somebody else changed them since, and packages."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import explanations
from pydock_installer.model import NOT_ASKED, Host, Journal, Known, Severity, Unknown
from pydock_installer.probe.groups.journal import entries
from pydock_installer.restoration import difference, engine_files, packages, repository_files, restorable
from pydock_installer.restore_plan import RestoreWish, former_mirrors, plan_restore
from pydock_installer.settings import Settings
from tests.unit.facts import bare, converged, installed
from tests.unit.modules import library
from tests.unit.test_rules import facts_of

pydock_host = library("pydock_host")
SETTINGS = "/etc/docker/daemon.json"
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
        """As the roles do it."""
        for one in restorable(self.journal):
            assert not one.problem
            if one.backup:
                self.files[one.file] = self.files.pop(one.backup)
            else:
                del self.files[one.file]
            now = sha(self.files[one.file]) if one.file in self.files else None
            self.log.append({"action": "restored", "file": one.file, "backup": one.backup, "sha256": now})
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


def test_a_file_that_pydock_made_goes_if_it_is_the_engine_s_and_stays_if_it_is_a_repository():
    host = Machine().write("ours").write("ours, newer")
    assert [(one.file, one.backup, one.problem) for one in restorable(host.journal)] == [(BASE, None, "")]
    assert repository_files(host.journal) == ()
    host = Machine().write("{}", SETTINGS).write('{"debug": true}', SETTINGS)
    (one,) = engine_files(host.journal)
    assert (one.backup, one.problem) == (None, "")
    assert difference(one, host.journal) == f'--- {SETTINGS}\n+++ no such file, as it was\n@@ -1 +0,0 @@\n-{{"debug": true}}'
    assert host.restore().files.get(SETTINGS) is None
    assert engine_files(host.journal) == ()
    assert [one.problem for one in engine_files(host.write("{}", SETTINGS).edit('{"a": 1}', SETTINGS).journal)] == ["it was changed since"]
    assert engine_files(host.remove(SETTINGS).journal) == (), "somebody has removed it"


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


def test_settings_are_followed_to_where_a_link_leads():
    host = Machine().edit("{}", "/srv/daemon.json").write("{ }", "/srv/daemon.json")
    assert engine_files(host.journal) == repository_files(host.journal) == ()
    assert [one.file for one in engine_files(replace(host.journal, settings_file="/srv/daemon.json"))] == ["/srv/daemon.json"]


def test_what_a_host_tells_of_its_journal():
    sums = {f"sum:{BASE}": f"{'a' * 64}  -\n", f"sum:{BASE}.bak": "sha256sum: no\n"}
    told = {"journal": json.dumps({"action": "created", "file": BASE}) + "\n", f"shown:{BASE}": "[base]\n", **sums}
    found = facts_of({"answers": told}).journal.value
    assert [entry["action"] for entry in found.entries] == ["created"]
    assert (found.sums, found.texts) == ({BASE: "a" * 64}, {BASE: "[base]\n"})
    told |= {"settings_file": "/srv/daemon.json\n", "removed_there": "podman\n", "removed_had": "runc.x86_64 1.1-1 base\n"}
    found = facts_of({"answers": told}).journal.value
    assert (found.settings_file, found.present, found.listed) == ("/srv/daemon.json", {"podman"}, Known("runc.x86_64 1.1-1 base\n"))
    assert facts_of({"answers": {"journal": 44}}).journal is None
    assert facts_of({"answers": {"journal": 77}}).journal == Unknown("not permitted")
    assert facts_of({}).journal == NOT_ASKED


# -- packages

REMOVED = ("podman-4.6.1-3.el8.x86_64", "runc-1.1.12-1.el8.x86_64")
LISTED = "Available Packages\npodman.x86_64   2:4.6.1-3.el8  base\nrunc.x86_64\n   1:1.1.13-1.el8  base\n"


def gone(*names, listed=LISTED, more=(), **known):
    log = [{"action": "removed", "packages": list(names)}, *more]
    return Journal(tuple(log), listed=Known(listed) if isinstance(listed, str) else listed, **known)


def test_packages_come_back_as_they_were_or_as_there_are():
    found = packages(gone(*REMOVED), {})
    assert found.words == "podman 4.6.1, runc 1.1.13 (was 1.1.12)"
    assert (found.lost, found.in_the_way, found.unseen) == ((), (), "")
    assert packages(gone(*REMOVED, "docker-1.13.1-1.el7.x86_64"), {}).lost == ("docker",)
    assert packages(gone(*REMOVED, listed="Error: No matching Packages to list\n"), {}).lost == ("podman", "runc")
    assert "timed out" in packages(gone(*REMOVED, listed="Errors during download\nCurl error (28): timed out"), {}).unseen
    assert packages(gone(*REMOVED, listed=Unknown("no answer in time")), {}).unseen == "no answer in time"


def test_packages_wait_for_those_that_they_conflict_with():
    assert packages(gone(*REMOVED, listed=None), {"docker-ce": 1, "containerd.io": 1}).in_the_way == ("docker-ce", "containerd.io")


@pytest.mark.parametrize(
    "more",
    [
        {"action": "restored", "packages": list(REMOVED)},
        {"action": "installed", "packages": ["podman-5.0-1.el8.x86_64", "runc-1.2-1.el8.x86_64"]},
    ],
)
def test_what_was_brought_back_or_only_changed_its_version_is_not_missed(more):
    assert not packages(gone(*REMOVED, more=[more]), {}).wanted


def test_what_is_there_and_what_is_docker_s_own_is_not_missed():
    names = (*REMOVED, "docker-ce-rootless-extras-24.0-1.el8.x86_64", "../../x", "a b-1-1.x", 3)
    assert list(packages(gone(*names, present=frozenset({"runc"})), {}).wanted) == ["podman"]


# -- the plan


def plan(journal, force=False, facts=None, **changes):
    wish = RestoreWish(force=force, **{key: changes.pop(key) for key in ("only", "restart") if key in changes})
    return plan_restore(HOST, replace(facts or bare(), journal=journal, **changes), Settings(), wish)


def test_a_host_without_a_journal_has_nothing_to_put_back():
    made = plan(None)
    assert (made.steps, made.findings) == ((), ())


def test_the_plan_names_the_files_and_the_day():
    made = plan(Known(Machine(base="old").write("new").journal))
    assert [(s.name, s.sentence, s.reason) for s in made.steps] == [
        ("restore", f"put back {BASE}", "pydock replaced it on 2026-11-25")
    ]
    assert made.variables == {
        "docker_restore_only": ["repositories"], "docker_restore_files": [BASE], "docker_restore_force": False,
    }  # fmt: skip
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
    assert told == {"restore-changed", "restore-lost", "restore-unseen", "restore-waits"}


def test_packages_are_planned_first_and_what_cannot_come_is_told():
    made = plan(Known(gone(*REMOVED, "docker-1.13.1-1.el7.x86_64")))
    assert [(s.name, s.sentence) for s in made.steps] == [
        ("distribution-packages", "install again podman 4.6.1, runc 1.1.13 (was 1.1.12)")
    ]
    assert made.variables["docker_restore_packages"] == ["podman", "runc"]
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("restore-lost", Severity.WARNING)
    assert finding.message.startswith("docker-1.13.1-1.el7.x86_64 cannot come back")
    made = plan(Known(gone(*REMOVED)), packages=installed("docker-ce"))
    assert (made.steps, [f.code for f in made.findings], made.blockers) == ((), ["restore-waits"], ())
    assert "pydock uninstall" in made.findings[0].remedy


MIRROR = '{"registry-mirrors": ["https://m.example"]}'


def engine(**running):
    facts = converged("")
    return replace(facts, engine=Known(replace(facts.engine.value, **running)))


def test_settings_come_back_by_a_reload_where_that_is_enough():
    """A mirror that goes is emptied on the way, so that the engine forgets it."""
    made = plan(Known(Machine().write(MIRROR, SETTINGS).journal), facts=engine(containers_running=2), packages=installed())
    assert [(s.name, s.sentence, s.reason) for s in made.steps] == [
        ("settings", f"remove {SETTINGS}", "pydock made it on 2026-11-25"),
        ("service", "have docker reload its settings", "registry-mirrors differs"),
    ]
    assert made.variables == {"docker_daemon_undo": True, "docker_daemon_force": False, "docker_daemon_restart": False}
    assert (made.stops, former_mirrors(made)) == ("", ())
    assert "-" + MIRROR in made.diff


def test_a_restart_that_stops_containers_takes_a_word():
    host = Machine().edit('{"debug": true}', SETTINGS).write('{"debug": true, "log-level": "warn"}', SETTINGS)
    made = plan(Known(host.journal), facts=engine(containers_running=2), packages=installed())
    assert made.steps[-1].sentence == "restart docker"
    assert made.stops == "2 containers would stop: the engine has to restart for log-level"
    assert plan(Known(host.journal), facts=engine(containers_running=2), restart=True).stops == ""
    assert plan(Known(host.journal), facts=engine(containers_running=0)).stops == ""
    assert [s.name for s in plan(Known(host.journal), engine=None).steps] == ["settings"]


def test_each_kind_stands_for_itself_and_can_be_chosen():
    host = Machine(base="old").write("new").edit("changed").write("{}", SETTINGS)
    journal = replace(host.journal, entries=(*host.journal.entries, *gone(*REMOVED).entries), listed=Known(LISTED))
    made = plan(Known(journal))
    assert [s.name for s in made.steps] == ["distribution-packages", "settings"]
    assert [(f.code, f.severity) for f in made.findings] == [("restore-changed", Severity.WARNING)]
    only = plan(Known(journal), only=("repositories",))
    assert (only.steps, [f.code for f in only.blockers]) == ((), ["restore-changed"])
    assert [s.name for s in plan(Known(journal), force=True).steps] == ["distribution-packages", "restore", "settings"]
