"""The calls that CloudFormation makes for a resource: `(action, ARN)`, or with the keys of conditions that are sent. Each is one of
those that AWS's schema of the type names; a test holds them to it (test/aws-reference/handlers.test.ts).
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html

Tags are those of the stack, too, whatever MiniStack does with them: CloudFormation passes them to what takes tags.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
https://github.com/aws-samples/sample-autonomous-cloud-coding-agents/issues/407
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners


def create(kind: str, stack_name: str, logical_id: str, props: dict, tagged: bool) -> list[tuple]:
    name = _given_name(kind, props) or provisioners._physical_name(stack_name, logical_id, lowercase=kind == "AWS::S3::Bucket")
    return _calls(_KINDS[kind][0], kind, name, props, tagged) if kind in _KINDS else _invoked(kind, props)


def update(kind: str, physical_id: str, props: dict, tagged: bool) -> list[tuple]:
    return _calls(_KINDS[kind][1], kind, physical_id, props, tagged) if kind in _KINDS else _invoked(kind, props)


def delete(kind: str, physical_id: str, props: dict) -> list[tuple]:
    return _calls(_KINDS[kind][2], kind, physical_id, props, False) if kind in _KINDS else _invoked(kind, props)


def _invoked(kind: str, props: dict) -> list[tuple]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html: the function is invoked."""
    arn = props.get("ServiceToken", "")
    return [("lambda:InvokeFunction", arn)] if kind.startswith("Custom::") and ":lambda:" in arn else []


def _calls(actions: str, kind: str, name: str, props: dict, tagged: bool) -> list[tuple]:
    """``actions``: words of the service's own actions; `Action?Property` only where the property is there, `Action?tags` with tags."""
    service, place = _KINDS[kind][3:]
    found: list[tuple] = []
    for word in actions.split():
        action, _, asked = word.partition("?")
        if asked and not (tagged if asked == "tags" else props.get(asked)):
            continue
        found += _ELSEWHERE[action](props) if action in _ELSEWHERE else [(f"{service}:{action}", arn, _keys(action, props)) for arn in place(name, props, action)]
    return found


def _keys(action: str, props: dict) -> dict:
    """A mapping is known by its function: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html"""
    return {"lambda:FunctionArn": props.get("FunctionName", "")} if action.endswith("EventSourceMapping") else {}


def _arn(service: str, resource: str, region: bool = True, account: bool = True) -> str:
    return f"arn:aws:{service}:{get_region() if region else ''}:{get_account_id() if account else ''}:{resource}"


def _given_name(kind: str, props: dict) -> str:
    named = ("FunctionName", "RoleName", "LayerName", "LogGroupName", "BucketName", "QueueName", "TopicName", "AlarmName", "DashboardName", "StateMachineName", "Name")
    return next((props[key] for key in named if isinstance(props.get(key), str)), "") or str(props.get("Bucket") or "")


def _function(name: str, props: dict, action: str) -> list[str]:
    return [name if name.startswith("arn:") else _arn("lambda", f"function:{name}")]


def _of_function(name: str, props: dict, action: str) -> list[str]:
    """A version and a permission are calls for their function."""
    return _function(str(props.get("FunctionName", "")), props, action)


def _mapping(name: str, props: dict, action: str) -> list[str]:
    # Lambda names it: before it is there, no policy can.
    return [_arn("lambda", f"event-source-mapping:{'*' if name == props.get('FunctionName') else name}")]


def _layer(name: str, props: dict, action: str) -> list[str]:
    return [name if name.startswith("arn:") else _arn("lambda", f"layer:{name}")]


def _group(name: str, props: dict, action: str) -> list[str]:
    return ["*"] if action == "DescribeLogGroups" else [_arn("logs", f"log-group:{name}")]


def _queue(name: str, props: dict, action: str) -> list[str]:
    return [_arn("sqs", url.rsplit("/", 1)[-1]) for url in props.get("Queues") or [name]]


def _topic(name: str, props: dict, action: str) -> list[str]:
    topics = props.get("Topics") or [props.get("TopicArn") or name]
    return [topic if topic.startswith("arn:") else _arn("sns", topic) for topic in topics]


def _alarm(name: str, props: dict, action: str) -> list[str]:
    return [_arn("cloudwatch", f"alarm:{'*' if action == 'DescribeAlarms' else name}")]


def _machine(name: str, props: dict, action: str) -> list[str]:
    return [name if name.startswith("arn:") else _arn("states", f"stateMachine:{name}")]


def _bucket(name: str, props: dict, action: str) -> list[str]:
    return [_arn("s3", str(props.get("Bucket") or props.get("BucketName") or name), False, False)]


def _api(below: str):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html"""

    def place(name: str, props: dict, action: str) -> list[str]:
        if action == "PUT":
            return [_arn("apigateway", f"/tags/{name}", account=False)]
        path = f"/apis/{props['ApiId']}/{below}" if below else "/apis"
        path = path if action in ("POST", "TagResource") else f"{path}/{name}"
        return [_arn("apigateway", path, account=False)]

    return place


def _pass(key: str, service: str):
    def calls(props: dict) -> list[tuple]:
        role = props.get(key) or (props.get("Target") or {}).get(key)
        return [("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})] if role else []

    return calls


def _code(key: str):
    def calls(props: dict) -> list[tuple]:
        code = props.get(key) or {}
        return [("s3:GetObject", _arn("s3", f"{code['S3Bucket']}/{code['S3Key']}", False, False))] if "S3Bucket" in code else []

    return calls


# Calls of another service, or for another resource.
_ELSEWHERE = {
    "pass:lambda": _pass("Role", "lambda"),
    "pass:states": _pass("RoleArn", "states"),
    "pass:scheduler": _pass("RoleArn", "scheduler"),
    "code": _code("Code"),
    "content": _code("Content"),
    "layers": lambda props: [("lambda:GetLayerVersion", arn) for arn in props.get("Layers") or []],
    "mapping": lambda props: [("lambda:CreateEventSourceMapping", "*", {"lambda:FunctionArn": props.get("FunctionName", "")})],
}

# Actions to make, to change and to remove it; the service, and the ARNs by name, properties and action.
_KINDS = {
    "AWS::ApiGatewayV2::Api": ("POST PUT?tags", "PATCH", "DELETE", "apigateway", _api("")),
    "AWS::ApiGatewayV2::Integration": ("POST", "PATCH", "DELETE", "apigateway", _api("integrations")),
    "AWS::ApiGatewayV2::Route": ("POST", "PATCH", "DELETE", "apigateway", _api("routes")),
    "AWS::ApiGatewayV2::Stage": ("POST TagResource?tags", "PATCH", "DELETE", "apigateway", _api("stages")),
    "AWS::ApiGatewayV2::Authorizer": ("POST", "PATCH", "DELETE", "apigateway", _api("authorizers")),
    "AWS::CloudWatch::Alarm": ("PutMetricAlarm DescribeAlarms TagResource?tags", "PutMetricAlarm DescribeAlarms", "DeleteAlarms DescribeAlarms", "cloudwatch", _alarm),
    "AWS::CloudWatch::Dashboard": (
        "PutDashboard GetDashboard TagResource?tags", "PutDashboard", "DeleteDashboards GetDashboard", "cloudwatch",
        lambda name, props, action: [_arn("cloudwatch", f"dashboard/{name}", region=False)],
    ),
    "AWS::Events::Rule": (
        "PutRule PutTargets?Targets DescribeRule TagResource?tags", "PutRule PutTargets?Targets DescribeRule", "ListTargetsByRule RemoveTargets?Targets DeleteRule DescribeRule", "events",
        lambda name, props, action: [_arn("events", f"rule/{name.rsplit('|', 1)[-1]}")],
    ),
    "AWS::IAM::Role": (
        "CreateRole GetRole PutRolePolicy?Policies AttachRolePolicy?ManagedPolicyArns TagRole?tags",
        "UpdateAssumeRolePolicy PutRolePolicy?Policies AttachRolePolicy?ManagedPolicyArns",
        "GetRole ListRolePolicies ListAttachedRolePolicies DeleteRolePolicy?Policies DetachRolePolicy?ManagedPolicyArns DeleteRole", "iam",
        lambda name, props, action: [_arn("iam", f"role{props.get('Path', '/')}{name}", region=False)],
    ),
    "AWS::Lambda::EventSourceMapping": ("mapping GetEventSourceMapping TagResource?tags", "UpdateEventSourceMapping", "DeleteEventSourceMapping GetEventSourceMapping", "lambda", _mapping),
    "AWS::Lambda::Function": (
        "CreateFunction GetFunction pass:lambda code layers PutFunctionConcurrency?ReservedConcurrentExecutions TagResource?tags",
        "UpdateFunctionCode UpdateFunctionConfiguration GetFunction pass:lambda code layers PutFunctionConcurrency?ReservedConcurrentExecutions",
        "DeleteFunction GetFunction", "lambda", _function,
    ),
    "AWS::Lambda::LayerVersion": ("PublishLayerVersion content", "PublishLayerVersion content", "GetLayerVersion DeleteLayerVersion", "lambda", _layer),
    "AWS::Lambda::Permission": ("AddPermission", "RemovePermission AddPermission", "RemovePermission", "lambda", _of_function),
    "AWS::Lambda::Version": ("PublishVersion GetFunctionConfiguration ListVersionsByFunction", "GetFunctionConfiguration", "GetFunctionConfiguration DeleteFunction", "lambda", _of_function),
    "AWS::Logs::LogGroup": (
        "CreateLogGroup DescribeLogGroups PutRetentionPolicy?RetentionInDays AssociateKmsKey?KmsKeyId TagResource?tags", "DescribeLogGroups PutRetentionPolicy?RetentionInDays", "DeleteLogGroup DescribeLogGroups",
        "logs", _group,
    ),
    "AWS::S3::Bucket": (
        "CreateBucket PutEncryptionConfiguration?BucketEncryption PutBucketNotification?NotificationConfiguration PutBucketPublicAccessBlock?PublicAccessBlockConfiguration PutBucketTagging?tags",
        "PutEncryptionConfiguration?BucketEncryption PutBucketNotification?NotificationConfiguration", "DeleteBucket ListBucket", "s3", _bucket,
    ),
    "AWS::S3::BucketPolicy": ("GetBucketPolicy PutBucketPolicy", "GetBucketPolicy PutBucketPolicy", "GetBucketPolicy DeleteBucketPolicy", "s3", _bucket),
    "AWS::SNS::Subscription": ("Subscribe", "SetSubscriptionAttributes", "Unsubscribe GetSubscriptionAttributes", "sns", _topic),
    "AWS::SNS::Topic": ("CreateTopic GetTopicAttributes TagResource?tags", "SetTopicAttributes GetTopicAttributes", "DeleteTopic GetTopicAttributes", "sns", _topic),
    "AWS::SNS::TopicPolicy": ("SetTopicAttributes", "SetTopicAttributes", "SetTopicAttributes", "sns", _topic),
    "AWS::SQS::Queue": ("CreateQueue GetQueueAttributes TagQueue?tags", "SetQueueAttributes GetQueueAttributes", "DeleteQueue GetQueueAttributes", "sqs", _queue),
    "AWS::SQS::QueuePolicy": ("SetQueueAttributes", "SetQueueAttributes", "SetQueueAttributes", "sqs", _queue),
    "AWS::Scheduler::Schedule": (
        "CreateSchedule GetSchedule pass:scheduler", "UpdateSchedule GetSchedule pass:scheduler", "DeleteSchedule GetSchedule", "scheduler",
        lambda name, props, action: [_arn("scheduler", f"schedule/{props.get('GroupName', 'default')}/{name}")],
    ),
    "AWS::Scheduler::ScheduleGroup": (
        "CreateScheduleGroup GetScheduleGroup TagResource?tags", "GetScheduleGroup", "DeleteScheduleGroup GetScheduleGroup", "scheduler",
        lambda name, props, action: [_arn("scheduler", f"schedule-group/{name}")],
    ),
    "AWS::StepFunctions::StateMachine": (
        "CreateStateMachine DescribeStateMachine pass:states TagResource?tags", "UpdateStateMachine pass:states", "DeleteStateMachine DescribeStateMachine", "states", _machine,
    ),
}

_MEANS = {"pass": "iam:PassRole", "code": "s3:GetObject", "content": "s3:GetObject", "layers": "lambda:GetLayerVersion", "mapping": "lambda:CreateEventSourceMapping"}


def named() -> dict[str, list[str]]:
    """All that may be asked of a type, for the test."""
    words = {kind: {word.partition("?")[0] for actions in all[:3] for word in actions.split()} for kind, all in _KINDS.items()}
    return {kind: sorted({_MEANS.get(word.partition(":")[0], f"{_KINDS[kind][3]}:{word}") for word in of}) for kind, of in words.items()}
