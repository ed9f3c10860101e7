"""Inventories as a user writes them: read, or refused."""

import pytest

from pydock_installer.errors import InventoryError
from pydock_installer.fleet import Login, from_inventory

NOBODY = Login()
INI = """\
[web]
web1 ansible_host=192.0.2.11 ansible_user=ops ansible_port=2222
web2 ansible_host=192.0.2.12

[db]
db1 ansible_host=192.0.2.21 ansible_ssh_private_key_file=/keys/db

[all:vars]
ansible_python_interpreter=/opt/python
"""


def inventory(directory, text, name="hosts.ini"):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(directory, text, name="hosts.ini", login=NOBODY, pattern="all", limit=None):
    return from_inventory([inventory(directory, text, name)], login, pattern, limit)


def complaint(directory, text, name="hosts.ini", **how):
    """What a user reads, with the file's name shortened."""
    with pytest.raises(InventoryError) as caught:
        read(directory, text, name, **how)
    assert caught.value.hint
    return caught.value.message.replace(f"{directory}/", "")


def names(hosts):
    return [host.name for host in hosts]
