"""Keys and certificates of the lab: thrown away with its cache."""

from __future__ import annotations

from pathlib import Path

from tests.lab.tools import built, key_of, run, text_of

#: Every public name that the lab's server answers to. Those that CentOS switched off (mirrorlist, mirror) are not there.
NAMES = (
    "download.docker.com mirrors.aliyun.com mirrors.tuna.tsinghua.edu.cn mirrors.ustc.edu.cn mirrors.tencent.com "
    "mirrors.huaweicloud.com repo.huaweicloud.com vault.centos.org dl.fedoraproject.org archives.fedoraproject.org mirror.stream.centos.org "
    "registry-1.docker.io index.docker.io auth.docker.io docker.m.daocloud.io"
).split()
SIGNERS = {"docker": "Lab stand-in for Docker's key", "os": "Lab stand-in for the OS key", "epel": "Lab stand-in for EPEL's key", "wrong": "Somebody else"}


def identity() -> Path:
    """A directory with package keys (gnupg/, NAME.asc, NAME.fingerprint), a CA, a certificate, and SSH keys."""
    return built("identity", key_of(NAMES, text_of("identity.py")), _make, "making keys and certificates")


def fingerprint(name: str) -> str:
    """Forty hexadecimal digits of a signer's key."""
    return (identity() / f"{name}.fingerprint").read_text(encoding="utf-8").strip()


def _make(work: Path) -> None:
    home = work / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
    for name, uid in SIGNERS.items():
        run(*gpg, "--quick-generate-key", f"{uid} <{name}@lab.invalid>", "rsa2048", "sign", "never")
        listing = run(*gpg, "--with-colons", "--fingerprint", f"{name}@lab.invalid").stdout
        print_of = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
        (work / f"{name}.fingerprint").write_text(print_of + "\n", encoding="utf-8")
        armoured = run(*gpg, "--armor", "--export", f"{name}@lab.invalid").stdout
        (work / f"{name}.asc").write_text(armoured, encoding="utf-8")
    run("gpgconf", "--homedir", home, "--kill", "gpg-agent", check=False)
    _certificates(work)
    for key in ("id_ed25519", "ssh_host_ed25519_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", work / key)


def _certificates(work: Path) -> None:
    subject = ("-subj", "/CN=Lab CA")
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", *subject),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-keyout", work / "ca.key", "-out", work / "ca.crt"),
    )
    run(
        *("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab mirror"),
        *("-keyout", work / "server.key", "-out", work / "server.csr"),
    )
    extensions = work / "extensions"
    extensions.write_text(f"subjectAltName={','.join(f'DNS:{name}' for name in NAMES)}\n", encoding="utf-8")
    run(
        *("openssl", "x509", "-req", "-in", work / "server.csr", "-CA", work / "ca.crt", "-CAkey", work / "ca.key"),
        *("-CAcreateserial", "-days", "3650", "-extfile", extensions, "-out", work / "server.crt"),
    )
