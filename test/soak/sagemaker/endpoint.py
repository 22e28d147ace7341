"""Creates a stack of each template at moto, and prints what has become of it as JSON: endpoint.py <address> <template>…"""

import json
import re
import sys

import boto3
import yaml

ADDRESS, *TEMPLATES = sys.argv[1:]


def client(name):
    return boto3.client(
        name, region_name="eu-central-1", endpoint_url=ADDRESS, aws_access_key_id="k", aws_secret_access_key="s"
    )


made = []
for index, path in enumerate(TEMPLATES):
    # moto knows the instance types of some years ago.
    text = re.sub(r"ml\.\w+\.large", "ml.m5.large", open(path, encoding="utf-8").read())
    cloudformation, sagemaker = client("cloudformation"), client("sagemaker")
    # validate_template of moto tells no defaults.
    declared = yaml.safe_load(text)["Parameters"]
    parameters = [
        {"ParameterKey": key, "ParameterValue": "value"} for key, one in declared.items() if "Default" not in one
    ]
    name = f"endpoint-{index}"
    cloudformation.create_stack(
        StackName=name, TemplateBody=text, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    outputs = {
        one["OutputKey"]: one["OutputValue"] for one in cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    }
    endpoint = sagemaker.describe_endpoint(EndpointName=outputs["EndpointName"])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    made.append(
        {
            "status": endpoint["EndpointStatus"],
            # It makes no alarms and no scaling of a template, and tells no type of what it passes over.
            "types": sorted(one["ResourceType"] for one in resources if "ResourceType" in one),
            "image": model["PrimaryContainer"]["Image"],
            "port": model["PrimaryContainer"]["Environment"]["PORT"],
            "instances": variant["InitialInstanceCount"],
            "variant": variant["VariantName"],
        }
    )
    cloudformation.delete_stack(StackName=name)
print(json.dumps(made))
