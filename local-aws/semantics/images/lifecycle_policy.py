"""What a repository's lifecycle policy must be. Nothing expires here: AWS does that within a day.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

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
