"""Hosts that cannot run Docker are told so, with the reason and the way out."""

import pytest

from pydock_installer import checks
from pydock_installer.checks.rule import Context
from pydock_installer.model import Known, Release, Severity, Unknown
from pydock_installer.settings import Settings
from tests.unit.facts import bare


def blocked(facts):
    return {finding.code: finding for finding in checks.blockers(checks.findings(facts, Context(Settings())))}


@pytest.mark.parametrize("major", ["7", "8", "9"])
def test_a_bare_host_of_a_known_release_is_fit(major):
    assert not blocked(bare(major))


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"kernel": Known("2.6.32-754.el6.x86_64")}, "kernel", "older than 3.10"),
        ({"kernel": Known("3.2.1")}, "kernel", "older than 3.10"),
        ({"architecture": Known("i686")}, "architecture", "i686"),
        ({"architecture": Known("ppc64le")}, "architecture", "ppc64le"),
        ({"word_size": Known(32)}, "architecture", "32-bit"),
        ({"release": Known(Release("debian", "12", "Debian GNU/Linux 12"))}, "release", "Debian GNU/Linux 12"),
        ({"release": Known(Release("centos", "5.11", "CentOS 5.11"))}, "release", "CentOS 5.11"),
        ({"release": Known(Release("centos", "6.4", "CentOS 6.4"))}, "release", "6.5 with its kernel"),
        ({"release": Known(Release("amzn", "2", "Amazon Linux 2", ("centos", "rhel")))}, "release", "no packages"),
        ({"release": Unknown("there is no release file")}, "release", "there is no release file"),
        ({"privilege": Known("password-needed"), "user": Known("ops")}, "privilege", "asks ops for a password"),
        ({"privilege": Known("wrong-password")}, "privilege", "does not accept"),
        ({"privilege": Known("terminal-needed")}, "privilege", "requiretty"),
        ({"privilege": Known("missing"), "user": Known("ops")}, "privilege", "no sudo"),
        ({"packages": None}, "rpm", "no rpm"),
        ({"packages": Unknown("no answer in time")}, "rpm", "no answer in time"),
    ],
)
def test_an_unfit_host_is_blocked_with_its_reason(changes, code, said):
    found = blocked(bare(**changes))
    assert set(found) == {code}
    assert said in found[code].message
    assert found[code].severity is Severity.BLOCKER
    assert found[code].remedy
