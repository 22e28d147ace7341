"""Metric math over time series: operators, comparisons, IF, and the functions that alarms of this project use.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import math
import operator

from .expression_text import ids, parse

# A series is {period's start: value}; a number stands for itself at every time; None is a point that is dropped.
_BINARY = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda a, b: a / b if b else None,
    "^": lambda a, b: _power(a, b),
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
    "AND": lambda a, b: bool(a) and bool(b), "OR": lambda a, b: bool(a) or bool(b),
}
_ONE = {
    "ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor,
    "LOG": lambda a: math.log(a) if a > 0 else None,
    "LOG10": lambda a: math.log10(a) if a > 0 else None,
}
_MANY = {"MAX": max, "MIN": min, "SUM": sum, "AVG": lambda values: sum(values) / len(values)}


def names(expression: str) -> set[str]:
    """The ids that an expression refers to."""
    return ids(parse(expression))


def value(expression: str, known: dict, period: int, start: float, end: float, origin: float = 0) -> dict[int, float]:
    """The series of an expression over known series; raises ValueError for what AWS refuses, or this does not know."""
    result = _eval(parse(expression), known, (period, start, end, origin))
    if not isinstance(result, dict):
        raise ValueError(f"metric math: the result of {expression!r} is no time series")
    return result


def _power(a: float, b: float) -> float | None:
    try:
        found = a**b
    except (ZeroDivisionError, OverflowError):
        return None
    # The root of a negative number.
    return None if isinstance(found, complex) else found


def _join(function, *parts):
    """Applies at every time that one of the series has; what another lacks there is 0."""
    if any(isinstance(part, list) for part in parts):
        raise ValueError("metric math: a list of series is for MAX, MIN, SUM and AVG only, here")
    each = [part for part in parts if isinstance(part, dict)]
    if not each:
        found = function(*parts)
        if found is None:
            raise ValueError("metric math: two numbers that have no result")
        return float(found)
    times = sorted(set().union(*each))
    found = {at: function(*(part.get(at, 0) if isinstance(part, dict) else part for part in parts)) for at in times}
    return {at: float(one) for at, one in found.items() if one is not None}


def _eval(tree, known, span):
    kind, *parts = tree
    if kind == "number":
        return parts[0]
    if kind == "id":
        if parts[0] not in known:
            raise ValueError(f"metric math: there is no {parts[0]!r}")
        return known[parts[0]]
    if kind == "minus":
        return _join(operator.neg, _eval(parts[0], known, span))
    if kind == "list":
        return [_eval(one, known, span) for one in parts[0]]
    if kind in _BINARY:
        return _join(_BINARY[kind], _eval(parts[0], known, span), _eval(parts[1], known, span))
    if kind == "call" and parts[0] in _CALLS:
        least, most, function = _CALLS[parts[0]]
        if not least <= len(parts[1]) <= most:
            raise ValueError(f"metric math: {parts[0]} takes other than {len(parts[1])} arguments")
        return function(span, *(_eval(one, known, span) for one in parts[1]))
    raise ValueError(f"metric math: {parts[0]} is not supported here")


def _fill(span, given, filler):
    if not isinstance(given, dict):
        raise ValueError("metric math: FILL is of a time series")
    period, start, end, origin = span
    times = range(int((start - origin) // period * period + origin), int(end), period)
    filled = {at: given.get(at, filler.get(at) if isinstance(filler, dict) else filler) for at in times if at >= start}
    return {at: float(one) for at, one in filled.items() if one is not None}


def _if(_span, condition, yes, no=None):
    """Where the condition has no point, there is none; a true one without a value is 0; a false one without a value is dropped."""
    if not isinstance(condition, dict):
        if not isinstance(yes, dict) or not isinstance(no, (dict, type(None))):
            raise ValueError("metric math: IF of a number chooses between time series")
        return yes if condition else no or {}

    def at_time(at: int):
        if condition[at]:
            return yes.get(at, 0) if isinstance(yes, dict) else yes
        return no.get(at) if isinstance(no, dict) else no

    found = {at: at_time(at) for at in condition}
    return {at: float(one) for at, one in found.items() if one is not None}


def _of_each(function):
    def call(_span, series):
        if not isinstance(series, dict):
            raise ValueError("metric math: a function of a time series")
        return _join(function, series)

    return call


def _of_all(function):
    """A number for one series, a series for a list of them."""

    def call(_span, given):
        if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
            return _join(lambda *values: function(values), *given)
        if isinstance(given, dict):
            return float(function(list(given.values()))) if given else 0.0
        raise ValueError("metric math: a function of time series")

    return call


# Arguments at least and at most.
_CALLS = {
    "IF": (2, 3, _if),
    "FILL": (2, 2, _fill),
    **{name: (1, 1, _of_each(function)) for name, function in _ONE.items()},
    **{name: (1, 1, _of_all(function)) for name, function in _MANY.items()},
}
