"""Everything that is there, over all services that keep something of a stack: for "nothing is left after remove"."""

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.models import lambda_stores

# What LocalStack makes for itself: the buckets of functions' code.
_OWN = "awslambda-"
# Kind, client, operation, list in the answer, name of one.
_LISTS = (
    ("function", "lambda", "list_functions", "Functions", "FunctionName"),
    ("event source mapping", "lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("bucket", "s3", "list_buckets", "Buckets", "Name"),
    ("log group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("role", "iam", "list_roles", "Roles", "RoleName"),
    ("schedule", "scheduler", "list_schedules", "Schedules", "Name"),
    ("schedule group", "scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
    ("HTTP API", "apigatewayv2", "get_apis", "Items", "ApiId"),
    ("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("topic", "sns", "list_topics", "Topics", "TopicArn"),
    ("queue", "sqs", "list_queues", "QueueUrls", None),
    ("rule", "events", "list_rules", "Rules", "Name"),
    ("state machine", "stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("repository", "ecr", "describe_repositories", "repositories", "repositoryName"),
)


def everything(account: str = "000000000000", region: str = "us-east-1") -> list[str]:
    """``kind name`` of each thing; stacks that are deleted aside."""
    clients = connect_to(aws_access_key_id=account, region_name=region)
    found = [
        f"stack {one['StackName']}"
        for one in clients.get_client("cloudformation").describe_stacks()["Stacks"]
        if one["StackStatus"] != "DELETE_COMPLETE"
    ]
    # ListLayers fails where a layer has no version left.
    found += [f"layer {name}" for name, layer in lambda_stores[account][region].layers.items() if layer.layer_versions]
    for kind, service, operation, member, name in _LISTS:
        answer = getattr(clients.get_client(service), operation)()
        names = [one[name] if name else one for one in answer.get(member) or []]
        found += [f"{kind} {one}" for one in names if not one.startswith(_OWN) and f"{kind} {one}" != "schedule group default"]
    return sorted(found)
