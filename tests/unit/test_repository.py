"""Which package repository a host gets."""

import pytest

from pydock_installer import platforms
from pydock_installer.model import Known, RepositoryAnswer
from pydock_installer.repository import choose, repository


@pytest.mark.parametrize(
    ("choice", "path", "baseurl", "key"),
    [
        (
            "official",
            "centos/7",
            "https://download.docker.com/linux/centos/7/$basearch/stable",
            "https://download.docker.com/linux/centos/gpg",
        ),
        (
            "aliyun",
            "rhel/9",
            "https://mirrors.aliyun.com/docker-ce/linux/rhel/9/$basearch/stable",
            "https://mirrors.aliyun.com/docker-ce/linux/rhel/gpg",
        ),
        (
            "https://repo.example.com/docker/",
            "centos/8",
            "https://repo.example.com/docker/linux/centos/8/$basearch/stable",
            "https://repo.example.com/docker/linux/centos/gpg",
        ),
    ],
)
def test_addresses_name_the_release_literally(choice, path, baseurl, key):
    made = repository(choice, path)
    assert (made.baseurl, made.key_url) == (baseurl, key)
    assert "$releasever" not in made.content
    assert "gpgcheck=1" in made.content


def answers(**seconds):
    return Known(tuple(RepositoryAnswer(name, 200 if s else 0, s) for name, s in seconds.items()))


@pytest.mark.parametrize(
    ("present", "answered", "chosen"),
    [
        (None, None, "official"),
        (None, answers(official=0.2, aliyun=0.1), "official"),
        (None, answers(official=4.0, aliyun=0.1, tuna=0.05), "aliyun"),
        (None, answers(official=0, aliyun=0, tuna=0.5), "tuna"),
        (None, answers(official=0), "official"),
        (Known("baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/centos/7/"), None, "ustc"),
        (Known("baseurl=https://elsewhere.example.com/"), None, "official"),
    ],
)
def test_auto_keeps_what_is_there_and_else_takes_what_answers(present, answered, chosen):
    assert choose("auto", "centos/7", present, answered) == chosen


def test_a_choice_of_the_user_is_never_second_guessed():
    assert choose("tuna", "centos/7", None, answers(official=0.1)) == "tuna"


def test_every_platform_has_an_interpreter_and_a_literal_path():
    for name in platforms.known_releases():
        assert name.split()[1].isdigit()
