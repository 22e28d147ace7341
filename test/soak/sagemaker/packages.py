"""Registers versions as people do: python packages.py <endpoint> <model.onnx> <model.onnx with weights beside it>."""

import io
import json
import sys
import tarfile

import boto3

endpoint, alone, external = sys.argv[1:]
given = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
s3, sagemaker = boto3.client("s3", **given), boto3.client("sagemaker", **given)
s3.create_bucket(Bucket="trained")


def pack(key, files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, path in files.items():
            archive.add(path, arcname=name)
    s3.put_object(Bucket="trained", Key=key, Body=packed.getvalue())
    return f"s3://trained/{key}"


def register(group, container, status, **more):
    answer = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/onnx:1", **container}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        **more,
    )
    return answer["ModelPackageArn"]


for group in ["churn", "empty"]:
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
made = dict(
    MetadataProperties={
        "CommitId": "c0ffee",
        "GeneratedBy": "arn:aws:sagemaker:us-east-1:123456789012:training-job/churn-7",
    },
    ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://trained/q.json"}}},
    # What moto forgets.
    SourceUri="s3://trained/source",
    ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
)
first = register("churn", {"ModelDataUrl": pack("one.tar.gz", {"model.onnx": alone})}, "PendingManualApproval", **made)
weights = external.replace("model.onnx", "weights")
register(
    "churn",
    {"ModelDataUrl": pack("two.tar.gz", {"./model.onnx": external, "./weights": weights})},
    "PendingManualApproval",
    **made,
)
register("churn", {"ModelDataUrl": pack("three.tar.gz", {"model.onnx": alone})}, "Rejected")
sagemaker.update_model_package(
    ModelPackageArn=first, ModelApprovalStatus="Approved", ApprovalDescription="AUC 0.91 on November"
)
found = sagemaker.describe_model_package(ModelPackageName=first)
print(json.dumps({"lacks": [name for name in ("ModelCard", "SourceUri") if name not in found]}))
