"""Function code and layers on disk: unpacked once by content, shared by all processes that use them, and by the local AWSs
that are told the same folder (MODELS_AWS_CODE): `npm test` has a hundred of them, with the same layer of 100 MB.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile

_lock = threading.Lock()
_HOST = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, sys.platform)
_ARCH = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())


def task_dir(code: bytes) -> str:
    """The unpacked function zip (on Lambda: /var/task)."""
    return _unpacked([code], "task")


def opt_dir(zips: list[bytes]) -> tuple[str | None, list[str]]:
    """The layers unpacked over each other (on Lambda: /opt), and notices for the function's log."""
    if not zips:
        return None, []
    where = _unpacked(zips, "opt", _fit_to_host)
    notice = where + ".notice"
    return where, [open(notice, encoding="utf-8").read()] if os.path.exists(notice) else []


def compile_cache() -> str:
    """Where Node keeps what it has compiled of functions and of the SDK: most of a start is that."""
    return os.path.join(os.environ["MODELS_AWS_CODE"], "compiled")


def runtime_modules() -> str:
    """A folder with the SDK that AWS's Node runtimes bring, from this project's packages (on Lambda: /var/runtime)."""
    where = os.path.join(os.environ["TMPDIR"], "runtime", "node_modules")
    with _lock:
        if not os.path.isdir(where):
            os.makedirs(where)
            for scope in ("@aws-sdk", "@smithy"):
                os.symlink(os.path.join(os.environ["MODELS_AWS_ROOT"], "node_modules", scope), os.path.join(where, scope), target_is_directory=True)
    return where


def _unpacked(zips: list[bytes], kind: str, then=None) -> str:
    digest = hashlib.sha256(b"".join(hashlib.sha256(z).digest() for z in zips)).hexdigest()[:32]
    where = os.path.join(os.environ["MODELS_AWS_CODE"], kind, digest)
    with _lock:
        if not os.path.isdir(where):
            os.makedirs(os.path.dirname(where), exist_ok=True)
            aside = tempfile.mkdtemp(prefix=f"{digest}.", dir=os.path.dirname(where))
            for content in zips:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    _extract(archive, aside)
            if then:
                then(aside, where + ".notice")
            os.chmod(aside, 0o755)
            put(aside, where)
    return where


def _extract(archive: zipfile.ZipFile, where: str) -> None:
    """With the modes of its files, which ``extractall`` drops."""
    for info in archive.infolist():
        target = archive.extract(info, where)
        if mode := (info.external_attr >> 16) & 0o7777:
            os.chmod(target, mode)


def put(aside: str, where: str) -> None:
    try:
        os.rename(aside, where)
    except OSError:
        # Another local AWS was faster, with the same content.
        shutil.rmtree(aside, ignore_errors=True)
        if not os.path.isdir(where):
            raise


def _fit_to_host(opt: str, notice: str) -> None:
    """A layer holds ONNX Runtime for Lambda's machine; where ours is another, the host's own build takes its place."""
    package = os.path.join(opt, "nodejs", "node_modules", "onnxruntime-node")
    napi = os.path.join(package, "bin")
    if not os.path.isdir(napi):
        return
    if any(os.path.isdir(os.path.join(napi, version, _HOST, _ARCH)) for version in os.listdir(napi)):
        return
    runtime = os.path.join(os.environ["MODELS_AWS_ROOT"], "plugins", "models", "artifact", "onnx", "runtime.ts")
    script = f"const m = await import({runtime!r}); process.stdout.write((await m.hostRuntime()) ?? '')"
    found = subprocess.run(
        [os.environ["MODELS_AWS_NODE"], "--input-type=module", "-e", script], capture_output=True, text=True, check=False
    )
    if found.returncode or not found.stdout:
        text = f"local AWS: this layer is not for {_HOST}-{_ARCH}, and no ONNX Runtime for this machine was found. {found.stderr[-500:]}"
    else:
        shutil.rmtree(package)
        os.symlink(os.path.join(found.stdout, "onnxruntime-node"), package, target_is_directory=True)
        text = f"local AWS: the layer's onnxruntime-node is not for {_HOST}-{_ARCH}; using this machine's own."
    with open(f"{notice}.{os.getpid()}", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(out.name, notice)
