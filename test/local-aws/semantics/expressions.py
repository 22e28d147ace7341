"""Metric math over time series: operators, comparisons, IF, and the functions that alarms of this project use.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
import re

# A series is {period's start: value}; a number stands for itself at every time.
_BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Pow: operator.pow,
    ast.Div: lambda a, b: a / b if b else None,
}
_COMPARE = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}
_ONE = {
    "ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor, "EXP": math.exp,
    "SQRT": lambda a: math.sqrt(a) if a >= 0 else None,
    "LOG": lambda a: math.log(a) if a > 0 else None,
    "LOG10": lambda a: math.log10(a) if a > 0 else None,
}
_MANY = {"MAX": max, "MIN": min, "SUM": sum, "AVG": lambda values: sum(values) / len(values)}


def names(expression: str) -> set[str]:
    """The ids that an expression refers to."""
    return {node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)}


def value(expression: str, known: dict, period: int, start: float, end: float, origin: float = 0) -> dict[int, float]:
    """The series of an expression over known series; raises ValueError for what this does not know."""
    result = _eval(_parsed(expression).body, known, (period, start, end, origin))
    if isinstance(result, dict):
        return result
    times = {at for one in known.values() for at in one}
    return {at: float(result) for at in times}


def _parsed(expression: str) -> ast.Expression:
    text = expression.replace("&&", " and ").replace("||", " or ").replace("^", "**")
    text = re.sub(r"\bAND\b", "and", re.sub(r"\bOR\b", "or", text))
    return ast.parse(text.strip(), mode="eval")


def _join(function, *parts):
    """Applies at the times that all the series share."""
    each = [part for part in parts if isinstance(part, dict)]
    if not each:
        return function(*parts)
    times = set.intersection(*(set(one) for one in each))
    found = {at: function(*(part[at] if isinstance(part, dict) else part for part in parts)) for at in times}
    return {at: float(one) for at, one in found.items() if one is not None}


def _eval(node, known, span):
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _join(operator.neg, _eval(node.operand, known, span))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _join(_BINARY[type(node.op)], _eval(node.left, known, span), _eval(node.right, known, span))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        compare = _COMPARE[type(node.ops[0])]
        return _join(lambda a, b: 1 if compare(a, b) else 0, _eval(node.left, known, span), _eval(node.comparators[0], known, span))
    if isinstance(node, ast.BoolOp):
        both = all if isinstance(node.op, ast.And) else any
        return _join(lambda *parts: 1 if both(parts) else 0, *(_eval(one, known, span) for one in node.values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, node.args, known, span)
    if isinstance(node, ast.List):
        return [_eval(one, known, span) for one in node.elts]
    raise ValueError(f"metric math: {ast.unparse(node)} is not supported here")


def _call(name, arguments, known, span):
    if name == "FILL":
        period, start, end, origin = span
        given = _eval(arguments[0], known, span)
        filler = _eval(arguments[1], known, span)
        times = range(int((start - origin) // period * period + origin), int(end), period)
        return {at: given.get(at, filler) for at in times if at >= start}
    parts = [_eval(one, known, span) for one in arguments]
    if name == "IF":
        return _join(lambda condition, yes, no: yes if condition else no, *parts)
    if name in _ONE:
        return _join(_ONE[name], *parts)
    if name in _MANY:
        if len(parts) == 1 and isinstance(parts[0], list):
            return _join(lambda *values: _MANY[name](values), *parts[0])
        if len(parts) == 1 and isinstance(parts[0], dict):
            return _MANY[name](list(parts[0].values())) if parts[0] else {}
        return _join(lambda *values: _MANY[name](values), *parts)
    raise ValueError(f"metric math: {name} is not supported here")
