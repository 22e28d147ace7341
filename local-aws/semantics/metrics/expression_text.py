"""The text of a metric-math expression as a tree. What AWS's page does not say how to read (exponents of numbers, `a^b^c`, `-a^b`,
`a+-b`, AND beside OR) is refused, so that nothing of this project comes to depend on it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax

A tree is ("number", n), ("id", name), ("call", name, [trees]), ("list", [trees]), ("minus", tree) or (operator, left, right).
"""

import re

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
LONGEST = 2048
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?![\w.]))|([a-z]\w*)|([A-Z][A-Z0-9_]*(?!\w))|('[^']*'|\"[^\"]*\")|(&&|\|\||[<>=!]=|[-+*/^<>(),\[\]]))")
_COMPARE = ("==", "!=", "<=", ">=", "<", ">")
_LOGIC = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR"}


def parse(text: str):
    """Raises ValueError, which says what is wrong."""
    if not 1 <= len(text) <= LONGEST:
        raise ValueError(f"an expression has 1 to {LONGEST} characters, this one {len(text)}")
    reader = _Reader(text)
    tree = reader.logic()
    reader.end()
    return tree


def ids(tree) -> set[str]:
    """The ids that a tree refers to."""
    if isinstance(tree, list):
        return set().union(*(ids(one) for one in tree))
    if not isinstance(tree, tuple):
        return set()
    return {tree[1]} if tree[0] == "id" else set().union(*(ids(part) for part in tree[1:]))


class _Reader:
    def __init__(self, text: str):
        self.text, self.tokens, at = text, [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self.wrong(f"{text[at:].strip()[:20]!r} cannot be read")
            self.tokens.append((("number", "id", "function", "text", "sign")[found.lastindex - 1], found[found.lastindex]))
            at = found.end()
        self.at = 0

    def wrong(self, why: str) -> ValueError:
        return ValueError(f"metric math: {why} in {self.text!r}")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str | None:
        if self.peek() not in wanted:
            return None
        self.at += 1
        return self.tokens[self.at - 1][1]

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.wrong(f"{sign!r} is missing before {self.peek()!r}")

    def end(self) -> None:
        if self.peek():
            raise self.wrong(f"{self.peek()!r} is not expected")

    def logic(self):
        left, seen = self.comparison(), set()
        while sign := self.take(*_LOGIC):
            seen.add(_LOGIC[sign])
            if len(seen) > 1:
                raise self.wrong("AND beside OR without parentheses")
            left = (_LOGIC[sign], left, self.comparison())
        return left

    def comparison(self):
        left = self.sum()
        if sign := self.take(*_COMPARE):
            left = (sign, left, self.sum())
            if self.peek() in _COMPARE:
                raise self.wrong("a comparison of a comparison without parentheses")
        return left

    def sum(self):
        left = ("minus", self.product(signed=True)) if self.take("-") else self.product()
        while sign := self.take("+", "-"):
            left = (sign, left, self.product())
        return left

    def product(self, signed: bool = False):
        left = self.power(signed)
        while sign := self.take("*", "/"):
            left = (sign, left, self.power())
        return left

    def power(self, signed: bool = False):
        left = self.atom()
        if self.take("^"):
            if signed:
                raise self.wrong("'-' before a power without parentheses")
            left = ("^", left, self.atom())
            if self.peek() == "^":
                raise self.wrong("a power of a power without parentheses")
        return left

    def atom(self):
        if self.take("("):
            inner = self.logic()
            self.need(")")
            return inner
        if self.take("["):
            return ("list", self.several("]"))
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "number":
            return ("number", float(text))
        if kind in ("id", "text"):
            return (kind, text)
        if kind == "function" and self.take("("):
            return ("call", text, self.several(")"))
        raise self.wrong(f"{text!r} is not expected")

    def several(self, last: str) -> list:
        if self.take(last):
            return []
        found = [self.logic()]
        while self.take(","):
            found.append(self.logic())
        self.need(last)
        return found
