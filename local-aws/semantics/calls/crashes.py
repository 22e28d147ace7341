"""Exceptions that nobody foresaw, of the request that is under way: an emulator that crashes must be heard of, whatever it answers."""

import contextvars
import os
import traceback

_LONGEST = 300
_FRAMES = 6
_noted: contextvars.ContextVar[list | None] = contextvars.ContextVar("crashes", default=None)


def begin() -> list[str]:
    """Where those of the request go that is handled from now on, a text each."""
    noted: list[str] = []
    _noted.set(noted)
    return noted


def note(error: BaseException) -> None:
    if (noted := _noted.get()) is not None:
        noted.append(text(error))


def text(error: BaseException) -> str:
    """Type, message and last frames, innermost first. Nobody’s data is in them but what a message quotes."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    message = " ".join(str(error).split())[:_LONGEST]
    return f"{type(error).__name__}{f': {message}' if message else ''}, at {where or 'no frame'}"


def _short(file: str) -> str:
    """From the package on."""
    for folder in ("site-packages", "local-aws", "lib"):
        _, found, rest = file.rpartition(f"{os.sep}{folder}{os.sep}")
        if found:
            return rest
    return os.path.basename(file)
