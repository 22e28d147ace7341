"""Layers of an image on disk, one applied over the other, whiteouts too. The result of each chain of layers is kept by its digests and shared by
all that begin with it, in hard links: images of one base differ in megabytes.
https://github.com/opencontainers/image-spec/blob/main/layer.md

Files are readable and executable as far as everybody may read and execute them: Lambda runs an image as a user who owns none of
it. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

import gzip
import hashlib
import io
import os
import posixpath
import shutil
import tarfile
import tempfile
import threading

from ..functions import files

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_lock = threading.Lock()


class BadLayer(Exception):
    """A layer that is not what its image says."""


def unpacked(layers: list[tuple[str, bytes]]) -> str:
    """The folder with all of them. ``layers``: digest of the uncompressed tar, and the layer as it is stored."""
    chain, where = "", ""
    base = os.path.join(os.environ["MODELS_AWS_CODE"], "images")
    with _lock:
        os.makedirs(base, exist_ok=True)
        for diff_id, stored in layers:
            below, chain = where, hashlib.sha256(f"{chain} {diff_id}".encode()).hexdigest()[:32]
            where = os.path.join(base, chain)
            if not os.path.isdir(where):
                _apply(below, diff_id, stored, where)
    return where


def _apply(below: str, diff_id: str, stored: bytes, where: str) -> None:
    aside = tempfile.mkdtemp(prefix=f"{os.path.basename(where)}.", dir=os.path.dirname(where))
    try:
        os.chmod(aside, 0o755)
        if below:
            shutil.copytree(below, aside, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
        _extract(_plain(stored, diff_id), aside)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    files.put(aside, where)


def _plain(stored: bytes, diff_id: str) -> bytes:
    try:
        tar = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
    except (OSError, EOFError) as error:
        raise BadLayer(f"a layer cannot be decompressed: {error}") from error
    if (found := f"sha256:{hashlib.sha256(tar).hexdigest()}") != diff_id:
        raise BadLayer(f"a layer is {found}, and {diff_id} by its image’s configuration")
    return tar


def _extract(tar: bytes, root: str) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            members = archive.getmembers()
            # They are about what lies below, wherever they stand.
            for member in members:
                _white_out(root, member.name)
            for member in members:
                _put(archive, member, root)
    except tarfile.TarError as error:
        raise BadLayer(f"a layer is no tar: {error}") from error


def _white_out(root: str, name: str) -> None:
    folder, last = posixpath.split(_relative(name))
    if not last.startswith(_WHITEOUT):
        return
    place = resolved(root, folder)
    if last == _OPAQUE:
        for one in os.listdir(place) if os.path.isdir(place) else ():
            _remove(os.path.join(place, one))
    else:
        _remove(os.path.join(place, last.removeprefix(_WHITEOUT)))


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, root: str) -> None:
    folder, last = posixpath.split(_relative(member.name))
    if not last or last.startswith(_WHITEOUT):
        return
    place = resolved(root, folder)
    os.makedirs(place, mode=0o755, exist_ok=True)
    target = os.path.join(place, last)
    if member.isdir():
        if os.path.islink(target) or not os.path.isdir(target):
            _remove(target)
            os.mkdir(target, 0o755)
    elif member.issym():
        _remove(target)
        os.symlink(member.linkname, target)
    elif member.islnk():
        _remove(target)
        os.link(resolved(root, posixpath.dirname(_relative(member.linkname)), posixpath.basename(member.linkname)), target, follow_symlinks=False)
    elif member.isfile():
        _remove(target)
        with open(target, "wb") as out:
            shutil.copyfileobj(archive.extractfile(member), out, 1 << 20)
        os.chmod(target, (member.mode & 0o7) * 0o111)
    # Devices are the machine's to give.


def _relative(name: str) -> str:
    return posixpath.normpath(f"/{name}").lstrip("/")


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def resolved(root: str, path: str, last: str = "") -> str:
    """Where ``path`` leads to for a process whose root is ``root``, links of the image included; ``last`` itself is not followed."""
    done, rest, links = [], [part for part in path.split("/") if part], 0
    while rest:
        part = rest.pop(0)
        if part in (".", ".."):
            done = done[:-1] if part == ".." else done
            continue
        here = os.path.join(root, *done, part)
        if not os.path.islink(here):
            done.append(part)
            continue
        links += 1
        if links > 40:
            raise BadLayer(f"/{path} is a circle of links")
        to = os.readlink(here)
        done = [] if to.startswith("/") else done
        rest = [one for one in to.split("/") if one] + rest
    return os.path.join(root, *done, *([last] if last else []))
