"""Changes to MiniStack's own functions. MiniStack is pinned; a change that no longer fits stops the start."""

import inspect
import textwrap
import types


def source(module: types.ModuleType, name: str, *changes: tuple[str, str]) -> None:
    """Recompiles ``module.name`` with each (old, new) text replaced; each *old* must be there exactly once."""
    text = textwrap.dedent(inspect.getsource(getattr(module, name)))
    for old, new in changes:
        if text.count(old) != 1:
            raise SystemExit(f"{module.__name__}.{name} of this MiniStack has {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    exec(compile(text, f"{module.__file__} (changed)", "exec"), module.__dict__)


def wrap(module: types.ModuleType, name: str, around) -> None:
    """Replaces ``module.name`` by ``around(original)``."""
    setattr(module, name, around(getattr(module, name)))
