"""The list of additions, by name."""

import importlib

NAMES: tuple[str, ...] = ()


def install(without: str) -> None:
    """Installs every addition but those named in *without* (comma separated; tests only)."""
    left_out = {name.strip() for name in without.split(",") if name.strip()}
    if unknown := left_out - set(NAMES):
        raise SystemExit(f"MODELS_AWS_WITHOUT names no addition: {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.")
    for name in NAMES:
        if name not in left_out:
            importlib.import_module(f"{__package__}.{name}").install()
