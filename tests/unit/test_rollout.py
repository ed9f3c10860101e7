"""Canaries, batches and the budget of failures."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.errors import RefusedError, UsageError
from pydock_installer.model import Host
from pydock_installer.rollout import batches, see_to_questions, share, spent, with_budget
from pydock_installer.setting_parts import Rollout
from pydock_installer.settings import Settings
from pydock_installer.workflows.install import _see_to_questions
from pydock_installer.workflows.request import Request

HOSTS = [f"h{number}" for number in range(10)]


def cut(groups=None, **wanted):
    return [list(part) for part in batches(HOSTS, groups or {}, Rollout(**wanted))]


def test_without_a_wish_all_hosts_go_at_once():
    assert cut() == [HOSTS]


def test_canaries_go_first_and_batches_after_them():
    assert cut(canary=1, batch=4) == [["h0"], HOSTS[1:5], HOSTS[5:9], ["h9"]]
    assert cut(batch="25%") == [HOSTS[:3], HOSTS[3:6], HOSTS[6:9], ["h9"]]


def test_a_group_is_done_before_the_next_begins():
    groups = {"h7": ["web", "all"], "h8": ["web"], "h1": ["db", "web"]}
    assert cut(groups, order=["db", "web"], batch=2)[:2] == [["h1"], ["h7", "h8"]]
    assert cut(groups, order=["db", "web"])[2] == [h for h in HOSTS if h not in ("h1", "h7", "h8")]


def test_canaries_that_outnumber_the_first_group_reach_into_the_next():
    assert cut({"h5": ["web"]}, order=["web"], canary=3, batch=100) == [["h5"], ["h0", "h1"], ["h2", "h3", "h4", "h6", "h7", "h8", "h9"]]


@given(st.integers(0, 12), st.one_of(st.integers(0, 12), st.integers(0, 100).map("{}%".format)), st.lists(st.sampled_from("abc"), unique=True))
def test_every_host_has_its_turn_once(canary, batch, order):
    groups = {host: ["abc"[number % 3]] for number, host in enumerate(HOSTS)}
    parts = batches(HOSTS, groups, Rollout(canary=canary, batch=batch, order=order))
    assert sorted(host for part in parts for host in part) == sorted(HOSTS)
    assert all(parts)


def test_a_gradual_rollout_forgives_nothing_by_itself_and_any_other_all():
    assert spent(1, 10, Rollout(canary=1))
    assert not spent(9, 10, Rollout())
    assert not spent(2, 10, Rollout(batch=5, max_failures=2))
    assert spent(3, 10, Rollout(batch=5, max_failures=2))
    assert spent(1, 5, Rollout(batch=1, max_failures="10%"))
    assert not spent(1, 10, Rollout(batch=1, max_failures="10%"))


def test_a_share_is_never_nothing():
    assert [share("1%", 10), share("0%", 10), share("3", 10)] == [1, 0, 3]


@pytest.mark.parametrize("wrong", [{"batch": "many"}, {"batch": "120%"}, {"pause": "yes"}, {"pause": -1}, {"canary": -1}, {"max_failures": True}])
def test_what_is_no_amount_is_refused(wrong):
    with pytest.raises(ValueError):
        Rollout(**wrong)


def test_a_budget_alone_counts_between_as_many_hosts_as_work_at_a_time():
    """Else all would have begun before the first failure counts."""
    assert with_budget(Rollout(max_failures="1"), 4).batch == "4"
    for kept in (Rollout(), Rollout(batch="3", max_failures="1"), Rollout(canary=1, max_failures="0")):
        assert with_budget(kept, 4) == kept


def test_a_rollout_that_asks_needs_somebody_before_it_begins():
    see_to_questions(Rollout(pause="ask"), interactive=True)
    see_to_questions(Rollout(pause=3), interactive=False)
    with pytest.raises(RefusedError):
        see_to_questions(Rollout(pause="ask"), interactive=False)


def test_an_order_of_groups_bears_with_a_choice_of_hosts():
    """`runs retry`, --limit and hosts by name have hosts of some groups alone."""
    asked = Request((Host("web1", "192.0.2.1"),), Settings(rollout=Rollout(order=("canary", "web"))))
    with pytest.raises(UsageError):
        _see_to_questions(asked, SimpleNamespace(interactive=True))
    _see_to_questions(replace(asked, narrowed=True), SimpleNamespace(interactive=True))
