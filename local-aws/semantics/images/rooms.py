"""The ways for a process to have an image as its root: bubblewrap, user namespaces by `unshare`, and where the machine has neither or forbids
them, none: then the command runs from the folder that the image is unpacked in, with this machine's libraries. What its command and
variables name of the image by absolute paths leads there, and the function's log says so.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from typing import NamedTuple

from . import layers

_HERE = os.path.dirname(os.path.abspath(__file__))
PLAIN = "plain"
PLAIN_NOTICE = (
    "local AWS: neither bwrap nor user namespaces can be used here: this image is not the root of its process, which runs from the folder "
    "that the image is unpacked in, with this machine's libraries."
)
# Lambda's own, none of the image's.
_USER, _GROUP = "993", "990"
_OURS = {"proc", "dev", "tmp", ".local-aws"}
_LIBRARIES = {"/lib", "/lib64", "/usr/lib", "/usr/lib64"}


class Command(NamedTuple):
    argv: list[str]
    env: dict[str, str]
    cwd: str


class Room(NamedTuple):
    """An image's root for a process. ``base``: an empty folder of the process's own; ``also``: folders of this machine that it sees, too."""

    image: str
    base: str
    also: tuple[str, ...] = ()

    def seen(self, folder: str) -> str:
        """Where the process finds one of ``also``."""
        return folder if way() == PLAIN else f"/.local-aws/{os.path.basename(folder)}"

    def command(self, argv: list[str], env: dict[str, str], cwd: str) -> Command:
        """What starts ``argv`` there, whose first word is an absolute path."""
        tmp = os.path.join(self.base, "tmp")
        os.makedirs(tmp)
        if way() == PLAIN:
            return _plain(self.image, argv, {**env, "TMPDIR": tmp}, cwd)
        parts = [os.path.join(self.image, name) for name in sorted(os.listdir(self.image)) if name not in _OURS]
        return _WAYS[way()](self.base, tmp, parts, list(self.also), Command(argv, env, cwd))


@functools.cache
def way() -> str:
    """The first that works here. MODELS_AWS_ROOM names one, for the tests of this."""
    return os.environ.get("MODELS_AWS_ROOM") or next((one for one in _WAYS if works(one)), PLAIN)


def works(one: str) -> bool:
    """Whether a process of this machine can have another root so."""
    parts = [f"/{name}" for name in ("bin", "lib", "lib32", "lib64", "usr") if os.path.lexists(f"/{name}")]
    program = shutil.which("true")
    if not shutil.which(one) or program is None:
        return False
    with tempfile.TemporaryDirectory(prefix="room-") as base:
        tmp = os.path.join(base, "tmp")
        os.mkdir(tmp)
        command = _WAYS[one](base, tmp, parts, [], Command([program], dict(os.environ), "/"))
        return subprocess.run(command.argv, env=command.env, capture_output=True, check=False).returncode == 0


def _bwrap(_base: str, tmp: str, parts: list[str], also: list[str], inner: Command) -> Command:
    binds: list[str] = []
    for part in parts:
        place = f"/{os.path.basename(part)}"
        binds += ["--symlink", os.readlink(part), place] if os.path.islink(part) else ["--ro-bind", part, place]
    for folder in also:
        binds += ["--bind", folder, f"/.local-aws/{os.path.basename(folder)}"]
    return Command(
        [
            shutil.which("bwrap"), "--unshare-user", "--uid", _USER, "--gid", _GROUP, "--unshare-pid", "--cap-drop", "ALL",
            *binds, "--proc", "/proc", "--dev", "/dev", "--bind", tmp, "/tmp", "--remount-ro", "/", "--chdir", inner.cwd, "--", *inner.argv,
        ],
        inner.env,
        "/",
    )


def _unshare(base: str, tmp: str, parts: list[str], also: list[str], inner: Command) -> Command:
    new = os.path.join(base, "root")
    os.mkdir(new)
    variables = [f"{name}={value}" for name, value in inner.env.items()]
    program = shutil.which("unshare")
    return Command(
        [
            program, "--user", "--map-root-user", "--mount", "--pid", "--fork", "--", "sh", os.path.join(_HERE, "enter.sh"),
            new, tmp, *parts, "--", *also, "--", *variables, program, f"--root={new}", f"--wd={inner.cwd}", "--", *inner.argv,
        ],
        {"PATH": os.environ["PATH"]},
        "/",
    )


_WAYS = {"bwrap": _bwrap, "unshare": _unshare}


def _plain(image: str, argv: list[str], env: dict[str, str], cwd: str) -> Command:
    def led(path: str) -> str:
        place = layers.resolved(image, path) if path.startswith("/") else path
        return place if path.startswith("/") and os.path.exists(place) else path

    def list_of(name: str, value: str) -> str:
        # Its system's libraries do not fit this machine's loader.
        parts = [part for part in value.split(":") if name != "LD_LIBRARY_PATH" or part.rstrip("/") not in _LIBRARIES]
        return ":".join([led(part) for part in parts] + ([os.environ["PATH"]] if name == "PATH" else []))

    return Command([led(word) for word in argv], {name: list_of(name, value) for name, value in env.items()}, layers.resolved(image, cwd))
