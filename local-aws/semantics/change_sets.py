"""What a change set answers has the members of AWS's answer, and no type.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html#API_DescribeChangeSet_ResponseElements
"""

from ministack.services.cloudformation import changesets, handlers

from . import patch


def install() -> None:
    before = changesets._describe_change_set
    patch.source(changesets, "_describe_change_set", ("        f\"<ChangeSetType>{cs.get('ChangeSetType', '')}</ChangeSetType>\"\n", ""))
    for name, action in list(handlers._ACTION_HANDLERS.items()):
        if action is before:
            handlers._ACTION_HANDLERS[name] = changesets._describe_change_set
