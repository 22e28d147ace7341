import type { OpenCheck } from '../check.ts';

/** What this program does not do, and what a person would. */
export const OPEN: readonly OpenCheck[] = [
  {
    name: 'large-artifact',
    bullet: 'how fast S3 gives a large artifact',
    says: 'A function may read from S3 with the bandwidth of its network, which grows with its memory; the start ends after 10 s.',
    page: 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html',
    notRun:
      'It would upload more than 250 MB from this machine. Deploy a model of that size, ask it, and read the Init Duration of its REPORT lines: `sls logs -f <model>`.',
  },
  {
    name: 'encrypted-bucket',
    bullet: 'the key of an encrypted bucket',
    says: 'Reading an object under SSE-KMS takes kms:Decrypt of its key, writing one kms:GenerateDataKey.',
    page: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html',
    notRun:
      'A key costs a dollar a month, and is there for a week at least after it is deleted. With a key of your own: `deploymentBucket: {serverSideEncryption: aws:kms, sseKMSKeyId: …}`, deploy twice.',
  },
  {
    name: 'log-version',
    bullet: 'that another log group, or another format',
    says: 'Lambda publishes no version where neither code nor configuration has changed since the last one; where the log goes is configuration.',
    page: 'https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html',
    notRun:
      'It would be one more deploy of the demo. Deploy a model of your own, then with `function: {logs: {logGroup: <one that is there>}}` and nothing else, and see by `sls models status` that another version is live.',
  },
  {
    name: 'image',
    bullet: 'functions that run from [an image]',
    says: 'Lambda runs a Linux image of one architecture from ECR of its region, up to 10 GB unpacked, and resolves its tag once.',
    page: 'https://docs.aws.amazon.com/lambda/latest/dg/images-create.html',
    notRun:
      'It needs a base by its digest, which is yours to choose. Set `package: image` and `image.base` for a model of your own, deploy it twice, ask it, read the Init Duration of its REPORT lines, and remove it.',
  },
  {
    name: 'sagemaker',
    bullet: 'a real SageMaker endpoint as a gate’s',
    says: 'InvokeEndpoint passes the body to the container’s /invocations and gives its answer back.',
    page: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html',
    notRun:
      'An endpoint needs a container image and is billed by the hour. With one of your own: `gate: {cases: …, reference: sagemaker:<endpoint>}`, and deploy.',
  },
  {
    name: 'sagemaker-export',
    bullet: 'what [`sls models export --to sagemaker`]',
    says: 'A canary gets a part of the new fleet for the baking period; an alarm meanwhile brings all traffic back to the old one.',
    page: 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html',
    notRun:
      'Two instances are billed by the hour, and an update takes half an hour. With an image of your own in ECR: `sls models export --to sagemaker`, deploy the template, ask the endpoint, then update it with an image that fails.',
  },
  {
    name: 'model-registry',
    bullet: 'SageMaker’s Model Registry',
    says: 'ListModelPackages gives versions by approval status and the time at which they were made; DescribeModelPackage one of them.',
    page: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModelPackages.html',
    notRun:
      'A version needs a group with model data that a person approved. With a group of your own: `artifact: sagemaker:<group>@approved`, and `sls models list`; then a group that is not there.',
  },
  {
    name: 'managed-mlflow',
    bullet: 'an MLflow that SageMaker manages',
    says: 'Requests to a tracking server that is managed are signed with Signature Version 4 and name its ARN.',
    page: 'https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-track-experiments.html',
    notRun:
      'A tracking server is billed by the hour and takes half an hour to be made. With one of your own: `MLFLOW_TRACKING_URI=<its ARN>` with `artifact: models:/<name>@<alias>`, and `sls models list`.',
  },
  {
    name: 'registry-changes',
    bullet: 'the recipe for [when the registry changes]',
    says: 'A StartBuild that is repeated with its idempotencyToken within five minutes starts no second build.',
    page: 'https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html',
    notRun:
      'It needs a repository, and a role that deploys your service. Deploy `examples/registry-changes` with yours, set an alias in MLflow, and look for one build: `aws codebuild list-builds-for-project`.',
  },
  {
    name: 'tune',
    bullet: 'which memory size `sls models tune` finds',
    says: 'Lambda gives a function processor time in proportion to its memory; 1,769 MB are one vCPU.',
    page: 'https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html',
    notRun:
      'Its figures are those of one model, which AWS promises to nobody. With a model of your own: `sls models tune`, which says what it makes and removes it, and compare the sizes’ p50 with their share of a vCPU.',
  },
  {
    name: 'mlflow',
    bullet: 'that the release worker reads a real secret',
    says: 'GetSecretValue takes secretsmanager:GetSecretValue, and kms:Decrypt where the key is one of your own.',
    page: 'https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html',
    notRun:
      'A server of MLflow that AWS reaches is needed. With one of your own: `custom.models.mlflow`, deploy a model of it, and look at the alias there after a promotion and a rollback.',
  },
  {
    name: 'bill',
    bullet: 'what AWS bills',
    says: 'Cost Explorer shows a day’s costs about a day later, by tag once the tag is activated for cost allocation.',
    page: 'https://docs.aws.amazon.com/cost-management/latest/userguide/ce-what-is.html',
    notRun:
      'The bill is not there while this runs. A day later look at Cost Explorer for the day of this run, and compare with the bound that was printed.',
  },
];
