"""Signed RPM repositories, made from Debian's own binaries and the relations that the real packages have."""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from tests.lab import root
from tests.lab.identity import SIGNERS, identity
from tests.lab.tools import built, files_of, key_of, lay_over, run, text_of

HERE = Path(__file__).parent
RPMS: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "data" / "rpms.yml").read_text(encoding="utf-8"))
#: What the hosts' base has in fact, in the words of CentOS.
BASE_PROVIDES = {
    "base-system": (
        "iptables iptables-nft libseccomp tar xz shadow-utils device-mapper-libs /bin/sh /usr/sbin/groupadd glibc policycoreutils"
    ).split() + ["libseccomp = 2.5.4", "iptables = 1.8.9"],
    "base-systemd": ["systemd", "systemd = 252", "libcgroup"],
    "base-sysvinit": ["initscripts", "chkconfig", "/sbin/service", "/sbin/chkconfig"],
}
#: Releases that have a docker-ce. Release 6 has what EPEL has.
DOCKER_CE = {release: about for release, about in root.RELEASES.items() if release != "6"}
SIGNED_BY = {"engine": "docker", "epel": "epel"}
PLUGIN = """#!/bin/sh
case $1 in
docker-cli-plugin-metadata)
    echo '{{"SchemaVersion": "0.1.0", "Vendor": "Lab", "Version": "v{version}", "ShortDescription": "{name}"}}' ;;
*) echo "{name} v{version}" ;;
esac
"""


def repositories() -> Path:
    """A tree with ``docker-ce/linux/...``, ``trees/<release>/<repository>`` and ``keys/``, ready to be served."""
    parts = [text_of("rpms.py", "data/rpms.yml"), root.RELEASES, identity().name, root.base().name]
    files = [files_of(HERE / "data" / name) for name in ("units", "packages")]
    return built("repositories", key_of(parts, files), _build, "making RPMs and their repositories (once, about a minute)")


def base_rpms() -> Path:
    """The RPMs that stand for what a bare host has: installed into each host's image."""
    return repositories() / "bare"


def _build(work: Path) -> None:
    debs = work / "debs"
    debs.mkdir()
    wanted = sorted({deb for rpm in _all() for deb in rpm.get("debs", ())} | {"tini"})
    root.fetch(wanted, debs)
    for deb in wanted:
        (work / "x" / deb).mkdir(parents=True)
        run("dpkg-deb", "-x", debs / deb, work / "x" / deb)
    jobs = [(rpm, version, "el") for rpm in _all() for version in rpm["versions"]]
    jobs += [(_bare(name, provides), "1", "el") for name, provides in BASE_PROVIDES.items()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: _rpm(work, *job), jobs))
    for release, about in root.RELEASES.items():
        _rpm(work, _bare("centos-release", [f"system-release = {release}", f"system-release(releasever) = {release}"]),
             release, about["suffix"])
    _sign_and_lay_out(work)
    for leftover in ("debs", "x", "build", "out"):
        shutil.rmtree(work / leftover, ignore_errors=True)


def _all() -> Iterator[dict[str, Any]]:
    for group, rpms in RPMS.items():
        for rpm in rpms:
            yield {**rpm, "group": group}


def _bare(name: str, provides: list[str]) -> dict[str, Any]:
    return {"name": name, "versions": ["1"], "provides": provides, "text": {f"/usr/share/doc/{name}/README": name},
            "group": "bare"}


def _rpm(work: Path, rpm: dict[str, Any], version: str, suffix: str) -> None:
    """One RPM. Its release ends in the suffix; the layout below renames nothing, so engines are built per release."""
    suffixes = [about["suffix"] for about in DOCKER_CE.values()] if rpm["group"] == "engine" else [suffix]
    build = work / "build" / f"{rpm['name']}-{version}-{suffix}"
    tree = build / "tree"
    tree.mkdir(parents=True)
    _fill(work, tree, rpm, version)
    paths = ["/" + str(path.relative_to(tree)) for path in sorted(tree.rglob("*")) if path.is_symlink() or path.is_file()]
    files = [f'{"%config(noreplace) " if path in rpm.get("config", ()) else ""}"{path}"' for path in paths]
    (build / "files").write_text("\n".join(files) + "\n", encoding="utf-8")
    for one in suffixes:
        spec = build / f"{one}.spec"
        spec.write_text(spec_text(rpm, version, one, tree, build / "files"), encoding="utf-8")
        run(
            *("rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", f"_topdir {build / one}"),
            *("--define", f"_rpmdir {work / 'out' / rpm['group']}", "--define", "_binary_payload w1.gzdio"),
            *("--define", f"buildroot {build / one / 'root'}", "--define", "_build_id_links none", spec),
        )
    shutil.rmtree(build)


def _fill(work: Path, tree: Path, rpm: dict[str, Any], version: str) -> None:
    only = rpm.get("only")
    for deb in rpm.get("debs", ()):
        source = work / "x" / deb
        for path in sorted(source.rglob("*")):
            name = "/" + str(path.relative_to(source))
            if path.is_dir() and not path.is_symlink():
                continue
            if name.startswith("/usr/share/") or (only and not any(fnmatch.fnmatch(name, p) for p in only)):
                continue
            # /lib and /sbin are links on the hosts.
            for old in ("/lib/", "/sbin/", "/bin/", "/lib64/"):
                name = f"/usr{name}" if name.startswith(old) else name
            # What the base has already must not go when a package goes.
            if not (root.base() / "root" / name.lstrip("/")).exists():
                _copy(path, tree / rpm.get("move", {}).get(name, name).lstrip("/"))
    if files := rpm.get("files"):
        lay_over(tree, HERE / "data" / "packages" / files)
    if rpm["name"] == "docker-ce":
        _engine(work, tree, version)
    for name, text in rpm.get("text", {}).items():
        target = tree / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        target.chmod(0o755 if text.startswith("#!") else 0o644)
    for unit in rpm.get("units", ()):
        _copy(HERE / "data" / "units" / unit, tree / "usr/lib/systemd/system" / unit)
    if plugin := rpm.get("plugin"):
        target = tree / f"usr/libexec/docker/cli-plugins/docker-{plugin}"
        target.parent.mkdir(parents=True)
        target.write_text(PLUGIN.format(name=plugin, version=version), encoding="utf-8")
        target.chmod(0o755)
    if "docker" in str(rpm.get("debs")) and version != "20.10.24":
        _say_version(tree, rpm.get("says", f"{version}+dfsg1"))


def _engine(work: Path, tree: Path, version: str) -> None:
    """The engine looks for its helpers below /usr/bin, as Docker's own packages have them."""
    for name in ("dockerd", "docker-proxy"):
        old, new = tree / "usr/sbin" / name, tree / "usr/bin" / name
        if old.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)
    _copy(work / "x/tini/usr/bin/tini-static", tree / "usr/bin/docker-init")


def _say_version(tree: Path, version: str) -> None:
    """Have the same binary name another release: the string keeps its length."""
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size > 1_000_000:
            path.write_bytes(path.read_bytes().replace(b"20.10.24+dfsg1", version.encode()))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.unlink(missing_ok=True)
        target.symlink_to(source.readlink())
    else:
        shutil.copy2(source, target)


def spec_text(rpm: dict[str, Any], version: str, suffix: str, tree: Path, files: Path) -> str:
    """The spec of one RPM: relations and scripts as given, files as listed."""
    lines = [f"Name: {rpm['name']}", f"Version: {version}", f"Release: {rpm.get('release', f'3.{suffix}')}", "License: lab", "AutoReqProv: no",
             f"Summary: lab stand-in for {rpm['name']}"]
    if "epoch" in rpm:
        lines.insert(1, f"Epoch: {rpm['epoch']}")
    for tag in ("requires", "provides", "conflicts", "obsoletes"):
        lines += [f"{tag.capitalize()}: {relation}" for relation in rpm.get(tag, ())]
    lines += ["%global debug_package %{nil}", "%global __os_install_post %{nil}", "%description", "lab", "%install",
              "mkdir -p %{buildroot}", f"cp -a {tree}/. %{{buildroot}}/"]
    for script in ("post", "preun", "postun"):
        if script in rpm:
            lines += [f"%{script}", rpm[script]]
    return "\n".join([*lines, f"%files -f {files}", ""])


def _sign_and_lay_out(work: Path) -> None:
    home = identity() / "gnupg"
    signed: dict[str, list[Path]] = {}
    for path in sorted((work / "out").rglob("*.rpm")):
        signed.setdefault(SIGNED_BY.get(path.relative_to(work / "out").parts[0], "os"), []).append(path)
    for signer, paths in signed.items():
        run(
            *("rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {signer}@lab.invalid", "--define", f"_gpg_path {home}"),
            *("--define", "_gpg_sign_cmd_extra_args --pinentry-mode loopback --passphrase ''", "--addsign", *map(str, paths)),
        )
    # Signing started it, and nobody would end it.
    run("gpgconf", "--homedir", home, "--kill", "gpg-agent", check=False)
    (work / "bare").mkdir()
    _link(work / "out/bare", work / "bare")
    directories = list(_trees(work))
    for release, about in DOCKER_CE.items():
        stable = work / "docker-ce/linux/centos" / release / "x86_64/stable"
        stable.mkdir(parents=True)
        _link(work / "out/engine", stable, f"*.{about['suffix']}.*.rpm")
        directories.append(stable)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda d: run("createrepo_c", "--quiet", "--general-compress-type=gz", d), directories))
    (work / "docker-ce/linux/rhel").symlink_to("centos")
    keys = work / "keys"
    keys.mkdir()
    for name in SIGNERS:
        shutil.copy(identity() / f"{name}.asc", keys / f"{name}.asc")


def _trees(work: Path) -> Iterator[Path]:
    """The repositories of each release, filled from what was built."""
    for release, about in root.RELEASES.items():
        for tree, groups in about["trees"].items():
            directory = work / "trees" / release / tree
            directory.mkdir(parents=True)
            for group in groups:
                _link(work / "out" / group, directory)
            yield directory


def _link(source: Path, target: Path, pattern: str = "*.rpm") -> None:
    for path in source.rglob(pattern):
        (target / path.name).hardlink_to(path)
