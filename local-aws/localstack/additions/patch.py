"""Changes to LocalStack's own functions. LocalStack is pinned; a change that no longer fits stops the start."""

import functools
import types


def wrap(owner, name: str, around) -> None:
    """Replaces ``owner.name`` by ``around(original)``; *owner* is a module or a class."""
    if not hasattr(owner, name):
        raise SystemExit(f"{owner.__name__} of this LocalStack has no {name}.")
    # A static method is taken out of its wrapper, and put back into one.
    static = isinstance(vars(owner).get(name), staticmethod)
    original = getattr(owner, name)
    found = around(original)
    if isinstance(found, types.FunctionType):
        functools.update_wrapper(found, original)  # LocalStack reads marks off its handlers
    setattr(owner, name, staticmethod(found) if static else found)
