"""AWS::CloudWatch::Dashboard, which LocalStack reports as made, and does not make.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
"""

from localstack.services.cloudformation.resource_provider import ResourceProvider

from . import resource_types


def install() -> None:
    resource_types.add("AWS::CloudWatch::Dashboard", Dashboard, identifier="DashboardName", create_only=("DashboardName",))


class Dashboard(ResourceProvider):
    def create(self, request):
        model = dict(request.desired_state)
        model.setdefault("DashboardName", f"{request.stack_name}-{request.logical_resource_id}")
        request.aws_client_factory.cloudwatch.put_dashboard(
            # What Fn::Sub left of its escapes.
            DashboardName=model["DashboardName"], DashboardBody=model["DashboardBody"].replace("${!", "${")
        )
        return resource_types.done(model)

    update = create

    def delete(self, request):
        request.aws_client_factory.cloudwatch.delete_dashboards(DashboardNames=[request.desired_state["DashboardName"]])
        return resource_types.done({})
