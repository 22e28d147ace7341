"""What a custom resource is asked, and what its answer makes of the resource; knows no emulator.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

# What the answer gave is kept among the properties, since GetAtt reads them; here by its names, so that it can be told from them.
_DATA = "__data"


def event(
    kind: str, model: dict, before: dict, *, request_id: str, answer_to: str, stack: str, type_name: str, logical: str
) -> dict:
    physical = before.get("PhysicalResourceId") or model.get("PhysicalResourceId")
    return {
        "RequestType": kind,
        "ServiceToken": model.get("ServiceToken") or before.get("ServiceToken"),
        "ResponseURL": answer_to,
        "StackId": stack,
        "RequestId": request_id,
        "LogicalResourceId": logical,
        "ResourceType": type_name,
        "ResourceProperties": declared(model),
        **({"PhysicalResourceId": physical} if kind != "Create" and physical else {}),
        **({"OldResourceProperties": declared(before)} if kind == "Update" else {}),
    }


def declared(model: dict) -> dict:
    """The properties that the template has, as text: CloudFormation gives numbers and booleans so."""
    given = model.get(_DATA) or {}
    return {name: _text(value) for name, value in model.items() if name not in (_DATA, "PhysicalResourceId") and name not in given}


def attributes(model: dict, answer: dict) -> dict:
    """The resource after an answer."""
    data = answer.get("Data") or {}
    return {**_without(model), **data, _DATA: data, "PhysicalResourceId": answer.get("PhysicalResourceId")}


def _without(model: dict) -> dict:
    given = model.get(_DATA) or {}
    return {name: value for name, value in model.items() if name not in (_DATA, "PhysicalResourceId") and name not in given}


def _text(value):
    if isinstance(value, dict):
        return {name: _text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_text(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
