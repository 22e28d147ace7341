"""Patterns for log events: of JSON, a member that has a text, or a number; of any text, terms that are in it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import re

_TEXT = re.compile(r'\{\s*\$\.([\w-]+)\s*=\s*(?:"([^"]*)"|([\w*]+))\s*\}')

# ?optional, -excluded, "an exact phrase"
_TERM = re.compile(r'([?-]?)(?:"([^"]*)"|([^\s"%\[]+))(?:\s+|$)')


def of_terms(pattern: str):
    """Terms are case-sensitive. All of them are in the text, or one of those with a question mark, and none of those with a minus.
    None where the pattern is of a kind that nobody needed yet: a regular expression, fields, or optional terms beside others."""
    terms, at, pattern = {"?": [], "-": [], "": []}, 0, pattern.strip()
    while at < len(pattern):
        found = _TERM.match(pattern, at)
        if found is None:
            return None
        terms[found[1]].append(found[2] if found[2] is not None else found[3])
        at = found.end()
    if terms["?"] and (terms["-"] or terms[""]):
        return None

    def matches(message: str) -> bool:
        return (
            all(term in message for term in terms[""])
            and not any(term in message for term in terms["-"])
            and (not terms["?"] or any(term in message for term in terms["?"]))
        )

    return matches


def of_member(pattern: str):
    """A function from a message to whether it matches; None where the pattern is of a kind that nobody needed yet."""
    found = _TEXT.fullmatch(pattern.strip())
    if found is None:
        return None
    member, text = found[1], found[2] if found[2] is not None else found[3]
    number = int(text) if found[2] is None and text.isdigit() else None
    glob = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        value = document.get(member) if isinstance(document, dict) else None
        if number is not None:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and value == number
        return isinstance(value, str) and glob.fullmatch(value) is not None

    return matches
