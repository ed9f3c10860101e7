"""docker_packages: how it reads what rpm and the package manager say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.platforms import versions as ours
from tests.unit.modules import library, modest

yum = library("pydock_yum")
packages = library("pydock_package_set")


def test_rpm_says_what_is_installed_and_what_is_not():
    text = (
        "docker-ce\t3\t20.10.24\t3.el7\tx86_64\npackage lvm2 is not installed\n"
        "gcc\t(none)\t4.8.5\t44.el7\tx86_64\ngcc\t(none)\t4.8.5\t39.el7\ti686\n"
    )
    assert packages.installed_packages(text) == {"docker-ce": ("20.10.24", "3.el7"), "gcc": ("4.8.5", "44.el7")}


YUM3 = """Loaded plugins: fastestmirror, ovl
Installed Packages
containerd.io.x86_64               1.6.33-3.1.el7              @docker-ce-stable
Available Packages
docker-ce.x86_64                   3:20.10.9-3.el7             docker-ce-stable
docker-ce.x86_64                   3:20.10.23-3.el7            docker-ce-stable
docker-ce-rootless-extras.x86_64   20.10.23-3.el7              docker-ce-stable
docker-ce-rootless-extras-with-a-name.x86_64
                                   26.1.4-1.el7                docker-ce-stable
docker-ce-cli.x86_64               1:26.1.4-1.el7
                                                               docker-ce-stable
"""
DNF = """Last metadata expiration check: 0:00:12 ago on Tue 05 Mar 2024 10:11:12 AM CST.
Installed Packages
docker-ce.x86_64             3:20.10.24-3.el9        @System
Available Packages
docker-ce.x86_64             3:26.1.4-1.el9          docker-ce-stable
docker-ce.x86_64             3:20.10.24-3.el9        docker-ce-stable
docker-ce.src                3:26.1.4-1.el9          docker-ce-source
"""


def test_a_list_of_yum_3_is_understood_though_it_wraps_its_rows():
    listed = packages.listed_packages(YUM3)
    assert listed["docker-ce"] == [("20.10.9", "3.el7"), ("20.10.23", "3.el7")]
    assert listed["docker-ce-rootless-extras-with-a-name"] == [("26.1.4", "1.el7")]
    assert listed["docker-ce-cli"] == [("26.1.4", "1.el7")]
    assert listed["containerd.io"] == [("1.6.33", "3.1.el7")]
    assert len(listed) == 5


def test_a_list_of_dnf_is_understood():
    """Installed and available in one, each version once, no sources."""
    assert packages.listed_packages(DNF) == {"docker-ce": [("20.10.24", "3.el9"), ("26.1.4", "1.el9")]}


@modest
@given(st.text(alphabet=st.sampled_from("a.x86_4 \n:-~^1é²\t") | st.characters(codec="utf-8"), max_size=200))
def test_no_list_breaks_the_reader(text):
    assert isinstance(packages.listed_packages(text), dict)
    assert isinstance(packages.installed_packages(text.replace(" ", "\t")), dict)


versions = st.tuples(
    st.text("0123456789.abz~_", min_size=1, max_size=8), st.text("0123456789.el", min_size=1, max_size=6)
)


@modest
@given(versions, versions, versions)
def test_versions_are_in_a_total_order(one, two, three):
    left, middle, right = sorted((one, two, three), key=packages.order)
    assert packages.order(left) <= packages.order(middle) <= packages.order(right)
    assert packages.order(left) <= packages.order(right)
    assert packages.order(one) == packages.order(tuple(one))
    assert (packages.order(one) < packages.order(two)) + (packages.order(two) < packages.order(one)) + (
        packages.order(one) == packages.order(two)
    ) == 1


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("20.10.9", "3.el7"), ("20.10.23", "3.el7")),
        (("20.10.23", "3.el7"), ("26.1.4", "1.el7")),
        (("1.6.33", "3.1.el7"), ("1.6.33", "3.2.el7")),
        (("1.2.0", "1.2.beta.2.el7"), ("1.2.0", "3.el7")),
        (("26.1", "1"), ("26.1.0", "1")),
        (("18.06.3.ce", "3.el7"), ("18.09.0", "3.el7")),
    ],
)
def test_numbers_count_as_numbers(older, newer):
    assert packages.order(older) < packages.order(newer)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("26.1.4", "26", True),
        ("26.1.4", "26.1", True),
        ("26.1.4", "26.1.4", True),
        ("26.1.4", "latest", True),
        ("26.1.4", "2", False),
        ("26.10.1", "26.1", False),
        ("26.1", "26.1.4", False),
    ],
)
def test_the_beginning_of_a_version_is_enough(version, wanted, fits):
    assert packages.matches(version, wanted) is fits


number = st.from_regex(r"\d{1,2}(\.\d{1,2}){0,3}", fullmatch=True)


@modest
@given(number, number)
def test_planner_and_module_agree_on_which_version_fits(version, wanted):
    """Otherwise a plan would promise what the run does not do, or be never empty."""
    assert packages.matches(version, wanted) == ours.matches(version, wanted)


@pytest.mark.parametrize(
    ("said", "holder"),
    [
        (
            "Existing lock /var/run/yum.pid: another copy is running as pid 4711.\n"
            "Another app is currently holding the yum lock; exiting as configured by exit_on_lock\n",
            "4711",
        ),
        (
            "Existing lock /var/run/yum.pid: another copy is running as pid 815.\n"
            "Another app is currently holding the yum lock; waiting for it to exit...\n  The other application is: yum",
            "815",
        ),
        ("Another app is currently holding the yum lock; exiting as configured by exit_on_lock", ""),
        ("Error: Failed to obtain the transaction lock (logged in as: root).\nMetadata already locked by 815", "815"),
        ("Waiting for process with pid 42 to finish.\nError: Failed to obtain the metadata lock", "42"),
        ("error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)", ""),
        ("No package docker-ce-19.03.1 available.\nError: Nothing to do", None),
        ("[Errno 12] Timeout on URL: (28, 'Connection timed out after 30001 milliseconds')", None),
        ("", None),
    ],
)
def test_who_holds_the_lock_is_told_by_yum_3_and_dnf_alike(said, holder):
    assert yum.lock_holder(said) == holder


def test_a_package_manager_that_does_not_know_the_option_is_not_taken_for_a_locked_one():
    """``--setopt`` of an unknown key is no error, but it is talked about with every other failure."""
    said = "Main config did not have a exit_on_lock attr. before setopt\nError: Nothing to do\n"
    assert yum.lock_holder(said) is None


def test_what_still_needs_an_old_package_is_named_once():
    said = (
        "error: Failed dependencies:\n"
        "\tdocker is needed by (installed) cockpit-docker-195.6-1.el7.x86_64\n"
        "\tdocker-common = 2:1.13.1 is needed by (installed) cockpit-docker-195.6-1.el7.x86_64\n"
        "\tdocker is needed by atomic-1.22.1-33.el7.x86_64\n"
    )
    assert packages.needed_by(said) == ["atomic-1.22.1-33.el7.x86_64", "cockpit-docker-195.6-1.el7.x86_64"]


def test_the_journal_tells_what_a_transaction_did_and_leaves_keys_out():
    before = {"docker-1.13.1-1.el7.x86_64", "bash-4.2-1.el7.x86_64"}
    after = {"bash-4.2-1.el7.x86_64", "docker-ce-26.1.4-1.el7.x86_64", "gpg-pubkey-621e9f35-58adea78.(none)"}
    assert packages.difference(before, after) == (
        ["docker-ce-26.1.4-1.el7.x86_64"],
        ["docker-1.13.1-1.el7.x86_64"],
    )
