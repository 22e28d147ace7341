"""Changes to MiniStack's own functions. MiniStack is pinned; a change that no longer fits stops the start."""

import inspect
import textwrap
import types

# What was put around a function, by module and name: a later change of its source goes below them.
_around: dict[tuple[str, str], list] = {}
_innermost: dict[tuple[str, str], str | types.FunctionType] = {}
# Texts of functions that were read before, by module and name: to find the end of one takes milliseconds.
read: dict[str, str] = {}


def source(module: types.ModuleType, name: str, *changes: tuple[str, str]) -> None:
    """Recompiles ``module.name`` with each (old, new) text replaced; each *old* must be there exactly once."""
    key, current = (module.__name__, name), getattr(module, name)
    text = _innermost.get(key, current)
    if not isinstance(text, str):
        name_of = f"{module.__name__}.{name}"
        if name_of not in read:
            read[name_of] = textwrap.dedent(inspect.getsource(text))
        text = read[name_of]
    for old, new in changes:
        if text.count(old) != 1:
            raise SystemExit(f"{module.__name__}.{name} of this MiniStack has {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    _innermost[key] = text
    exec(compile(text, f"{module.__file__} (changed)", "exec"), module.__dict__)
    for around in _around.get(key, []):
        setattr(module, name, around(getattr(module, name)))
    _in_tables(module, current, getattr(module, name))


def wrap(module: types.ModuleType, name: str, around) -> None:
    """Replaces ``module.name`` by ``around(original)``."""
    key, original = (module.__name__, name), getattr(module, name)
    # Its source is read where a change asks for it: most of them have none.
    _innermost.setdefault(key, original)
    _around.setdefault(key, []).append(around)
    setattr(module, name, around(original))
    _in_tables(module, original, getattr(module, name))


def _in_tables(module: types.ModuleType, old, new) -> None:
    """The module's dispatch tables (name → handler, or type → operation → handler) name the function too."""
    tables = [value for value in vars(module).values() if type(value) is dict]
    for table in tables + [inner for table in tables for inner in table.values() if type(inner) is dict]:
        for key, value in table.items():
            if value is old:
                table[key] = new
