"""A lab by name: its hosts, and the directory from which a user works with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import engine, mirror, root, rpms
from tests.lab.host import Host, create, image
from tests.lab.identity import fingerprint, identity
from tests.lab.tools import RUN, LabError, cache, lock, need_tools

REGISTRY_MIRROR = "https://docker.m.daocloud.io"


class Lab:
    """Hosts that live beside those of other labs, on one engine and one mirror."""

    password = root.PASSWORD
    registry_mirror = REGISTRY_MIRROR
    mirror = mirror.Mirror()

    def __init__(self, name: str) -> None:
        self.name = name
        self.directory = cache() / "labs" / name
        self.ssh_config = self.directory / "ssh_config"
        self.identity = self.directory / "id_ed25519"
        self.known_hosts = self.directory / "known_hosts"

    @classmethod
    def up(cls, name: str) -> Lab:
        """The lab of this name, with engine, mirror and images ready. Safe to call from several processes."""
        lab = cls(name)
        with lock("up"):
            need_tools()
            with ThreadPoolExecutor(2) as pool:
                repositories = pool.submit(rpms.repositories)
                for release in root.RELEASES:
                    root.release_root(release, identity())
                repositories.result()
            engine.up()
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(image, root.RELEASES))
            mirror.up()
            lab._write()
        return lab

    @property
    def key_fingerprint(self) -> str:
        """Of the key that signs the lab's Docker packages."""
        return fingerprint("docker")

    @property
    def epel_fingerprint(self) -> str:
        """Of the key that signs the lab's EPEL packages."""
        return fingerprint("epel")

    @property
    def wrong_key_fingerprint(self) -> str:
        """Of a key that signs nothing."""
        return fingerprint("wrong")

    def host(
        self,
        name: str,
        *,
        release: int,
        users: Mapping[str, str] | None = None,
        port: int = 22,
        kernel_26: bool = False,
        i686: bool = False,
        kernel: str = "",
        address_only_via: Host | None = None,
        packages: Sequence[str] = (),
        base: str = "",
        says: str = "",
    ) -> Host:
        """The host of this name, created if there is none.

        ``packages``: what is installed already. ``base="dead"``: the repository files that the release came with, whose
        servers were switched off. ``says``: the release that it claims to be, such as ``8-stream``, if another.
        ``kernel_26``, ``i686``: what the kernel itself says to logins, by its personality; on release 6 it says 2.6.x anyway.
        ``kernel``: the release that ``uname`` prints, and nothing else knows.
        """
        if known := self._hosts().get(name):
            host = Host(self, name, **known)
            if host.runs():
                return host
            # Left behind by a machine that went down, or switched off.
            host.remove()
        personality = ""
        if i686 or (kernel_26 and release != 6):
            old = " --uname-2.6" if kernel_26 or release == 6 else ""
            personality = f"/usr/bin/setarch {'i686' if i686 else 'x86_64'}{old}"
        variants = [f"says-{says}"] if says else []
        variants += [f"{base}-{says or release}"] if base else []
        made = create(self, name, release, users or {}, port, personality, kernel, address_only_via, packages, variants)
        about = {"release": made.release, "address": made.address, "port": made.port, "jump": made.jump}
        self._change(lambda hosts: hosts.__setitem__(name, about))
        return made

    def hosts(self, wanted: Sequence[tuple[str, int]], *, fresh: bool = False, base: str = "") -> list[Host]:
        """Several hosts at once; ``fresh`` makes those that there are anew, ``base`` is as in ``host``."""
        if fresh:
            for host in self.known():
                if host.name in dict(wanted):
                    host.remove()
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda entry: self.host(entry[0], release=entry[1], base=base), wanted))

    def known(self) -> list[Host]:
        """The hosts there are."""
        return [Host(self, name, **about) for name, about in sorted(self._hosts().items())]

    def forget(self, name: str) -> None:
        """Take a host out of the lab's books."""
        self._change(lambda hosts: hosts.pop(name, None))
        with lock("addresses"):
            given = _addresses()
            given.pop(f"{self.name}-{name}", None)
            (RUN / "addresses.json").write_text(json.dumps(given), encoding="utf-8")

    def address_of(self, name: str) -> str:
        """An address of its own for a host."""
        with lock("addresses"):
            given = _addresses()
            taken = set(given.values())
            free = (f"10.213.{n // 250 + 1}.{n % 250 + 2}" for n in range(5000))
            address = given.setdefault(f"{self.name}-{name}", next(a for a in free if a not in taken))
            (RUN / "addresses.json").write_text(json.dumps(given), encoding="utf-8")
        return address

    def down(self) -> None:
        """Remove this lab's hosts; with the last lab go engine and mirror."""
        if engine.alive():
            listed = engine.docker("ps", "-aq", "--filter", f"label=pydock-lab={self.name}").stdout.split()
            if listed:
                engine.docker("rm", "-f", "-v", *listed)
            others = engine.docker("ps", "-aq", "--filter", "label=pydock-lab").stdout.split()
        elif engine.runs():
            raise LabError("the lab's engine runs but does not answer, so nothing was taken down: run it again")
        else:
            others = []
        shutil.rmtree(self.directory, ignore_errors=True)
        if not others:
            mirror.down()
            engine.down()
            shutil.rmtree(RUN, ignore_errors=True)

    def _hosts(self) -> dict[str, dict]:
        try:
            return dict(json.loads((self.directory / "hosts.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _change(self, change) -> None:
        with lock(f"lab-{self.name}"):
            hosts = self._hosts()
            change(hosts)
            if self.directory.exists():
                (self.directory / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")
        self._write()

    def _write(self) -> None:
        """The files a user works with: ssh_config, known_hosts, inventory, pydock.yml."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with lock(f"lab-{self.name}"):
            key = (identity() / "id_ed25519").read_bytes()
            if not self.identity.exists() or self.identity.read_bytes() != key:
                # A directory that was left behind may be of an older recipe.
                self.identity.unlink(missing_ok=True)
                self.identity.touch(0o600)
                self.identity.write_bytes(key)
            public = (identity() / "ssh_host_ed25519_key.pub").read_text(encoding="utf-8").split()[:2]
            entries, known = [], []
            alive = set(self._hosts())
            for host in self.known():
                jump = f"  ProxyJump {host.jump}\n" if host.jump else ""
                entries.append(
                    f"Host {host.name}\n  HostName {host.address}\n  Port {host.port}\n{jump}\n"
                )
                name = host.address if host.port == 22 else f"[{host.address}]:{host.port}"
                known.append(f"{name} {' '.join(public)}\n")
            common = (
                f"Host *\n  User root\n  IdentityFile {self.identity}\n  IdentitiesOnly yes\n"
                f"  UserKnownHostsFile {self.known_hosts}\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n"
            )
            _replace(self.ssh_config, "".join(entries) + common)
            _replace(self.known_hosts, "".join(known))
            inventory = self.directory / "inventory"
            inventory.mkdir(exist_ok=True)
            listed = "".join(f"    {name}: {{}}\n" for name in sorted(alive)) or "    {}\n"
            _replace(inventory / "hosts.yml", f"docker:\n  hosts:\n{listed}")
            _replace(
                self.directory / "pydock.yml",
                f"repository_key: {self.key_fingerprint}\nregistry_mirrors: [{REGISTRY_MIRROR}]\n"
                f"ssh: {{config: {self.ssh_config}}}\n",
            )


def _addresses() -> dict[str, str]:
    try:
        return dict(json.loads((RUN / "addresses.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


def every() -> list[Lab]:
    """The labs there are."""
    directory = cache() / "labs"
    return [Lab(path.name) for path in sorted(directory.iterdir())] if directory.is_dir() else []
