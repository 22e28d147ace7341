"""What a repository's lifecycle policy must be, and what goes by it. AWS takes up to a day for that; here it is gone at once, which is
the earliest that a product must bear.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import re

_DAY = 86_400

_COUNTS = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")


def fault(policy: dict | None) -> str | None:
    """What is wrong with it, in AWS's words where they are known."""
    rules = policy.get("rules") if policy else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        return "Could not map policyString into LifecyclePolicy."
    priorities = [rule.get("rulePriority") for rule in rules]
    if not all(type(one) is int and one >= 1 for one in priorities) or len(set(priorities)) < len(rules):
        return "Rule priorities must be unique whole numbers from 1."
    any_status = [rule["rulePriority"] for rule in rules if (rule.get("selection") or {}).get("tagStatus") == "any"]
    if any_status and any_status != [max(priorities)]:
        return "Rule for tagStatus=ANY must have the lowest priority per storage class"
    if sum((rule.get("selection") or {}).get("tagStatus") == "untagged" for rule in rules) > 1:
        return "Only one rule can select Untagged images per storage class"
    return next((found for rule in rules if (found := _rule(rule))), None)


def _rule(rule: dict) -> str | None:
    selection, action = rule.get("selection") or {}, rule.get("action") or {}
    status, count = selection.get("tagStatus"), selection.get("countType")
    lists = [name for name in ("tagPrefixList", "tagPatternList") if selection.get(name)]
    if status not in ("tagged", "untagged", "any"):
        return "tagStatus must be tagged, untagged or any."
    if status == "tagged" and len(lists) != 1:
        return "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."
    if status != "tagged" and lists:
        return f"{lists[0]} is for tagStatus=TAGGED only."
    if count not in _COUNTS or type(selection.get("countNumber")) is not int or selection["countNumber"] < 1:
        return "countType and countNumber must be given."
    if (selection.get("countUnit") == "days") != (count != "imageCountMoreThan"):
        return "countUnit is days with a countType of time, and with no other."
    if action.get("type") not in ("expire", "transition"):
        return "The action of a rule must be expire or transition."
    return None


def expired(policy: dict, images: list[dict], now: float) -> list[dict]:
    """Images that the rules of a policy expire. An image that a rule selects is none of a later rule's, whether it goes or stays.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
    """
    left, gone = list(images), []
    for rule in sorted(policy["rules"], key=lambda one: one["rulePriority"]):
        selection = rule["selection"]
        chosen = [image for image in left if _selects(selection, image.get("imageTags") or [])]
        left = [image for image in left if image not in chosen]
        if rule["action"]["type"] == "expire":
            gone += _beyond(selection, chosen, now)
    return gone


def _selects(selection: dict, tags: list[str]) -> bool:
    status = selection["tagStatus"]
    if status != "tagged":
        return status == "any" or not tags
    patterns = [re.escape(one) + ".*" for one in selection.get("tagPrefixList") or []]
    patterns += [re.escape(one).replace(r"\*", ".*") for one in selection.get("tagPatternList") or []]
    return all(any(re.fullmatch(pattern, tag) for tag in tags) for pattern in patterns)


def _beyond(selection: dict, images: list[dict], now: float) -> list[dict]:
    number = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":
        return sorted(images, key=lambda one: one["imagePushedAt"], reverse=True)[number:]
    if selection["countType"] == "sinceImagePushed":
        return [image for image in images if now - image["imagePushedAt"] > number * _DAY]
    return []  # no pull and no transition is kept here
