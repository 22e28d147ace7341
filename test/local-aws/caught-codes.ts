/** Error codes that our code knows by name, by file, with the operations they are caught at. */

type Caught = Readonly<Record<string, readonly string[]>>;

const GET_OBJECT = ['S3 GetObject'];
/** A registry is read, written and emptied. */
const REGISTRY = ['S3 GetObject', 'S3 PutObject', 'S3 ListObjectsV2', 'S3 DeleteObjects'];
const ELSEWHERE = [
  'S3 GetBucketNotificationConfiguration',
  'S3 PutBucketNotificationConfiguration',
  ...REGISTRY,
];
/** A code, and the operations whose answer it is looked for in, by file. */
export const CAUGHT: Readonly<Record<string, Caught>> = {
  'aws/lambda/aliases.ts': {
    ResourceNotFoundException: [
      'Lambda GetAlias',
      'Lambda CreateAlias',
      'Lambda UpdateAlias',
      'Lambda DeleteAlias',
    ],
    PreconditionFailedException: ['Lambda UpdateAlias'],
    ResourceConflictException: ['Lambda CreateAlias', 'Lambda UpdateAlias'],
    InvalidParameterValueException: ['Lambda CreateAlias', 'Lambda UpdateAlias'],
    ValidationException: ['Lambda CreateAlias', 'Lambda UpdateAlias'],
  },
  'aws/s3/bucket-events.ts': {
    NoSuchBucket: ['S3 GetBucketNotificationConfiguration', 'S3 PutBucketNotificationConfiguration'],
  },
  'core/errors/aws-errors.ts': {
    PermanentRedirect: ELSEWHERE,
    AuthorizationHeaderMalformed: ELSEWHERE,
  },
  'aws/lambda/capacity.ts': {
    ResourceNotFoundException: [
      'Lambda ListProvisionedConcurrencyConfigs',
      'Lambda DeleteProvisionedConcurrencyConfig',
      'Lambda PutProvisionedConcurrencyConfig',
      'Lambda GetProvisionedConcurrencyConfig',
    ],
    ObjectNotFoundException: ['Application Auto Scaling DeregisterScalableTarget'],
    InvalidParameterValueException: ['Lambda PutProvisionedConcurrencyConfig'],
    ProvisionedConcurrencyConfigNotFoundException: ['Lambda GetProvisionedConcurrencyConfig'],
  },
  'aws/lambda/deployed-registry.ts': {
    ResourceNotFoundException: ['Lambda GetFunctionConfiguration'],
    AccessDeniedException: ['Lambda GetFunctionConfiguration'],
    AccessDenied: ['Lambda GetFunctionConfiguration'],
  },
  'aws/ecr/images.ts': { RepositoryNotFoundException: ['ECR BatchDeleteImage'] },
  'aws/ecr/repositories.ts': {
    RepositoryAlreadyExistsException: ['ECR CreateRepository'],
    RepositoryNotFoundException: ['ECR DescribeRepositories', 'ECR DeleteRepository'],
    RepositoryPolicyNotFoundException: ['ECR GetRepositoryPolicy'],
    LifecyclePolicyNotFoundException: ['ECR GetLifecyclePolicy'],
    ImageNotFoundException: ['ECR DescribeImages'],
  },
  'aws/executions.ts': {
    ExecutionAlreadyExists: ['SFN StartExecution'],
    ExecutionDoesNotExist: ['SFN DescribeExecution'],
  },
  'aws/lambda/functions.ts': {
    ResourceNotFoundException: [
      'Lambda ListProvisionedConcurrencyConfigs',
      'Lambda GetPolicy',
      'Lambda GetFunctionUrlConfig',
      'Lambda GetFunctionEventInvokeConfig',
    ],
  },
  'aws/lambda/memory-size.ts': {
    ResourceConflictException: ['Lambda UpdateFunctionConfiguration'],
    InvalidParameterValueException: ['Lambda UpdateFunctionConfiguration'],
    ValidationException: ['Lambda UpdateFunctionConfiguration'],
  },
  'aws/s3/input-object.ts': { NoSuchKey: GET_OBJECT },
  'aws/lambda/invoke-version.ts': {
    ResourceNotFoundException: ['Lambda Invoke', 'Lambda GetFunctionConfiguration'],
    TooManyRequestsException: ['Lambda Invoke'],
    RequestTooLargeException: ['Lambda Invoke'],
    ResourceConflictException: ['Lambda Invoke'],
    ResourceNotReadyException: ['Lambda Invoke'],
  },
  'aws/s3/objects.ts': { NoSuchKey: [...GET_OBJECT, 'S3 PutObject'] },
  'aws/s3/output-store.ts': { NoSuchKey: GET_OBJECT },
  'aws/reference.ts': { ModelError: ['SageMaker Runtime InvokeEndpoint'] },
  'aws/lambda/scaling.ts': { ObjectNotFoundException: ['Application Auto Scaling DeleteScheduledAction'] },
  'aws/schedules.ts': {
    ConflictException: ['Scheduler CreateSchedule'],
    ResourceNotFoundException: ['Scheduler DeleteSchedule'],
  },
  'aws/lambda/versions.ts': {
    ResourceNotFoundException: ['Lambda ListVersionsByFunction', 'Lambda DeleteFunction'],
  },
  'aws/state-machines.ts': { StateMachineDoesNotExist: ['SFN ListExecutions'] },
  'functions/release/mlflow.ts': {
    AccessDeniedException: ['Secrets Manager GetSecretValue'],
    ResourceNotFoundException: ['Secrets Manager GetSecretValue'],
    InvalidRequestException: ['Secrets Manager GetSecretValue'],
  },
  'plugins/models/artifact/fetch/s3-faults.ts': { AccessDenied: GET_OBJECT, InvalidObjectState: GET_OBJECT },
  'plugins/models/artifact/fetch/sagemaker-faults.ts': {
    AccessDenied: ['SageMaker ListModelPackages', 'SageMaker DescribeModelPackage'],
    ExpiredToken: ['SageMaker ListModelPackages', 'SageMaker DescribeModelPackage'],
    InvalidClientTokenId: ['SageMaker ListModelPackages', 'SageMaker DescribeModelPackage'],
    SignatureDoesNotMatch: ['SageMaker ListModelPackages', 'SageMaker DescribeModelPackage'],
  },
  'plugins/models/batch-jobs/owners.ts': { NoSuchBucket: GET_OBJECT },
  'plugins/models/commands/gate.ts': { ResourceNotFoundException: ['Lambda Invoke'] },
  'plugins/models/commands/invoke.ts': { ResourceNotFoundException: ['Lambda Invoke'] },
  'plugins/models/measure/deployed.ts': { ResourceNotFoundException: ['Lambda GetFunctionConfiguration'] },
  'plugins/models/releases/deploy-context.ts': { NoSuchBucket: REGISTRY },
  'plugins/models/releases/remove.ts': { NoSuchBucket: REGISTRY },
  'plugins/models/releases/worker/worker.ts': { ResourceNotFoundException: ['Lambda Invoke'] },
  'plugins/models/ship/upload.ts': {
    NoSuchBucket: ['S3 PutObject', 'S3 HeadObject', 'S3 CreateMultipartUpload'],
  },
};
