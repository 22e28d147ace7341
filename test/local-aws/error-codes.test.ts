/**
 * Error codes that our code knows by name are those that AWS answers to the operations they are caught at.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { awsPython } from '../../local-aws/aws-python.ts';
import { localAws } from '../../local-aws/start.ts';
import { root } from '../unit/docs/pages.ts';

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
const CAUGHT: Readonly<Record<string, Caught>> = {
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
  'plugins/models/artifact/fetch/s3.ts': { AccessDenied: GET_OBJECT, InvalidObjectState: GET_OBJECT },
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
/** Names of the SDK's own errors and of Node's, which no AWS answers, of a member, and of one's value. */
const NOT_OF_AWS = [
  ...['AbortError', 'TimeoutError', 'CredentialsProviderError', 'LambdaServiceException', 'UnknownError'],
  ...['ErrnoException', 'FunctionError', 'ImageNotFound'],
];

/** Names of errors that a file has in its code, where it looks at names of errors at all. */
function namesIn(file: string): readonly string[] {
  const code = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/^import[\s\S]*?;$/gm, '');
  if (!/errorName\(|\berror\.name\b/.test(code)) return [];
  const names = code.match(
    /\b(?:NoSuch[A-Z]\w*|[A-Z]\w*(?:Exception|Error|Exists?|NotFound|AccessDenied|Malformed|Redirect|TokenId|DoesNotMatch|ObjectState)|AccessDenied|ExpiredToken)\b(?![(<])/g,
  );
  return [...new Set(names ?? [])].filter((name) => !NOT_OF_AWS.includes(name)).sort();
}

const files = globSync('{aws,core,functions,plugins}/**/*.ts', { cwd: root }).map((file) =>
  file.replaceAll('\\', '/'),
);

test('every name is in the list above, with where it is caught', () => {
  const found = Object.fromEntries(
    files
      .map((file) => [file, namesIn(file)] as const)
      .filter(([, names]) => names.length > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const listed = Object.fromEntries(
    Object.entries(CAUGHT).map(([file, codes]) => [file, Object.keys(codes).sort()]),
  );
  expect(found).toEqual(listed);
});

let python = '';
beforeAll(async () => {
  python = await awsPython(console.error);
});

/** Those that AWS does not answer. */
function unknown(cases: readonly (readonly [string, string, string])[]): unknown {
  const asked = spawnSync(python, ['-m', 'semantics.calls.errors'], {
    cwd: localAws,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(asked.stderr).toBe('');
  return JSON.parse(asked.stdout);
}

test('AWS’s models or pages declare each for its operation', () => {
  const cases = Object.values(CAUGHT).flatMap((codes) =>
    Object.entries(codes).flatMap(([code, operations]) =>
      operations.map((one) => {
        const at = one.lastIndexOf(' ');
        return [one.slice(0, at), one.slice(at + 1), code] as const;
      }),
    ),
  );
  expect(cases.length).toBeGreaterThan(40);
  expect(unknown(cases)).toEqual([]);
});

test('a code that is made up, or of another operation, is found', () => {
  const made = [
    ['Lambda', 'GetAlias', 'AliasNotFoundException'],
    ['Lambda', 'CreateAlias', 'PreconditionFailedException'],
    ['SFN', 'StartExecution', 'ExecutionDoesNotExist'],
  ] as const;
  expect(unknown([...made, ['Lambda', 'GetAlias', 'ResourceNotFoundException']])).toEqual(made);
});
