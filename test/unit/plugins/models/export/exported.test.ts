import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { exportOptions } from '../../../../../plugins/models/export/export-options.ts';
import {
  besideFiles,
  exported,
  exportProblems,
  nextStep,
} from '../../../../../plugins/models/export/exported.ts';
import {
  type ExportGiven,
  preloadWords,
  variableNames,
} from '../../../../../plugins/models/export/shared/given.ts';

const DIGEST = `sha256:${'0f'.repeat(32)}`;
const ECR = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/models@${DIGEST}`;

type Object = { readonly [key: string]: Object } & string;

function given(more: object = {}, memory = { mb: 200, measured: true, from: 'bench' }): ExportGiven {
  const { models } = parseModels({ churn: { artifact: 'models/churn.onnx', ...more } }, {});
  const [model] = models;
  if (model === undefined) throw new Error('The model is wrong.');
  const host = { service: 'shop', stage: 'dev', region: 'eu-central-1', provider: {} };
  return {
    model,
    host,
    memory,
    cpu: 75,
    grpc: false,
    image: { reference: ECR, host: ECR.split('/')[0] ?? '', repository: 'models' },
  };
}

function written(one: ExportGiven, to: 'kubernetes' | 'sagemaker', file: string): Object {
  return parse(exported(one, exportOptions({ to, image: ECR }))[file] ?? '');
}

const problemsOf = (one: ExportGiven, to: 'kubernetes' | 'sagemaker', named: object = { image: ECR }) =>
  exportProblems(one, exportOptions({ to, ...named })).map(({ key, message }) => `${key} ${message}`);

it.each(['kubernetes', 'sagemaker'] as const)(
  'an audit goes into the log of the container, whose retention and key are not those of the audit: %s',
  (to) => {
    const texts = (audit?: object) =>
      Object.values(exported(given(audit && { audit }), exportOptions({ to, image: ECR })))
        .join('')
        .replaceAll(/\n#/g, '');
    expect(texts()).not.toContain('audit');
    const plain = texts({ retention: 2192 });
    expect(plain).toContain('callers, retention and key of the audit');
    expect(plain).toContain(
      'The audit’s line of each decision goes into the container’s log here. It names no',
    );
    expect(texts({ predictions: true })).toContain(
      'log here, with the outputs (audit.predictions). It names',
    );
  },
);

describe('what Node loads first, of a layer on Lambda', () => {
  const of = (NODE_OPTIONS: unknown, more: object = {}, provider: unknown = { TOKEN: 'a', NODE_OPTIONS }) => {
    const one = given(more);
    const its = { ...one, host: { ...one.host, provider: { environment: provider as object } } };
    const heads = (['kubernetes', 'sagemaker'] as const).map((to) =>
      Object.values(exported(its, exportOptions({ to, image: ECR }))).some((text) =>
        text.replaceAll(/\n# ?/g, ' ').includes('has Node load'),
      ),
    );
    return { names: variableNames(its), words: preloadWords(its), heads };
  };
  const none = { words: [], heads: [false, false] };

  it('is in no image: the variable is left out, and told', () => {
    expect(of('-r @sentry/aws-serverless/awslambda-auto --import=/opt/b.mjs')).toEqual({
      names: ['TOKEN'],
      words: [
        'NODE_OPTIONS has Node load @sentry/aws-serverless/awslambda-auto, /opt/b.mjs first, of a layer on Lambda, and no layer is in the image: the variable is left out.',
      ],
      heads: [true, true],
    });
  });

  it('is to be left out of the value where there are other options', () => {
    const { names, words, heads } = of('--enable-source-maps -r a');
    expect([names, heads]).toEqual([
      ['NODE_OPTIONS', 'TOKEN'],
      [true, true],
    ]);
    expect(words).toEqual([expect.stringMatching(/ load a first, .*: leave that out of the value here, /)]);
  });

  it('goes by what the function has itself, and by a base that may have it', () => {
    const environment = { NODE_OPTIONS: '--enable-source-maps', AWS_LAMBDA_EXEC_WRAPPER: '/opt/x' };
    const names = ['NODE_OPTIONS', 'TOKEN'];
    expect(of('-r a', { function: { environment } })).toEqual({ names, ...none });
    const image = { base: `registry.example.com/node@${DIGEST}` };
    expect(of('-r a', { package: 'image', image })).toEqual({ names, ...none });
    expect(of({ Ref: 'Options' })).toEqual({ names, ...none });
  });
});

describe('how many there are', () => {
  it.each([
    ['two to ten pods, where nothing is declared', {}, { minReplicas: 2, maxReplicas: 10 }],
    ['what is provisioned', { provisioned: { min: 3, max: 40 } }, { minReplicas: 3, maxReplicas: 40 }],
    ['two at the least', { provisioned: { min: 1, max: 5 } }, { minReplicas: 2, maxReplicas: 5 }],
    [
      'a fixed number is the least, and not the most',
      { provisioned: 4 },
      { minReplicas: 4, maxReplicas: 10 },
    ],
    ['what is reserved is the most', { reserved: 30 }, { minReplicas: 2, maxReplicas: 30 }],
    [
      'never fewer at most than at least',
      { provisioned: 20, reserved: 40 },
      { minReplicas: 20, maxReplicas: 40 },
    ],
    ['less reserved than two pods', { reserved: 1 }, { minReplicas: 2, maxReplicas: 2 }],
  ])('%s', (_, concurrency, expected) => {
    const one = given(Object.keys(concurrency).length > 0 ? { concurrency } : {});
    expect(written(one, 'kubernetes', 'autoscaler.yaml').spec).toMatchObject(expected);
  });

  it('an instance of SageMaker has two workers', () => {
    const one = given({ concurrency: { provisioned: { min: 7, max: 31 } } });
    const { Resources } = written(one, 'sagemaker', 'template.yaml');
    expect(Resources?.ScalableTarget?.Properties).toMatchObject({ MinCapacity: 4, MaxCapacity: 16 });
  });
});

describe('SageMaker', () => {
  const typeOf = (mb: number, architecture = 'x86_64') => {
    const one = given({ architecture }, { mb, measured: true, from: 'bench' });
    const variants = written(one, 'sagemaker', 'template.yaml').Resources?.EndpointConfig?.Properties
      ?.ProductionVariants;
    return (variants as unknown as readonly { readonly InstanceType: string }[])[0]?.InstanceType;
  };
  it.each([
    [200, 'x86_64', 'ml.c7i.large'],
    [200, 'arm64', 'ml.c7g.large'],
    // 2 × 1.25 × 1241 + 576 = 3678.5 of 3686.4 usable MB; one more is 3696 in whole sixteens.
    [1241, 'x86_64', 'ml.c7i.large'],
    [1242, 'x86_64', 'ml.m7i.large'],
    [4000, 'arm64', 'ml.r6g.large'],
  ])('%i MB a worker on %s: %s', (mb, architecture, type) => {
    expect(typeOf(mb, architecture)).toBe(type);
  });

  it('more than the largest has is refused, with what was counted', () => {
    expect(problemsOf(given({}, { mb: 6000, measured: true, from: 'bench.json' }), 'sagemaker')).toEqual([
      'models.churn.memory 2 workers and the front take 15584 MB; 14745 MB are the most of an instance with 2 processors (bench.json).',
    ]);
  });

  it('what cannot be is known before there is an image, by the option that names its place', () => {
    const { image: _, ...before } = given({ timeout: 61 });
    const asked = (named: object) =>
      exportProblems(before, exportOptions({ to: 'sagemaker', ...named })).map(({ key, value }) => [
        key,
        value,
      ]);
    const place = 'registry.example.com/models';
    const timeout = ['models.churn.timeout', 61];
    expect(asked({ push: `${place}:v1` })).toEqual([['--push', place], timeout]);
    expect(asked({ image: `${place}:v1` })).toEqual([['--image', place], timeout]);
    expect(asked({ push: ECR.replace(/@.*/, ':v1').replace('central', 'west') })).toEqual([
      ['--push', '123456789012.dkr.ecr.eu-west-1.amazonaws.com/models'],
      timeout,
    ]);
    expect(asked({ image: ECR })).toEqual([timeout]);
  });

  it('variables that differ by a capital letter have a parameter each', () => {
    const environment = { token: 'a', Token: 'b', A_B: 'c' };
    const { Parameters } = written(given({ function: { environment } }), 'sagemaker', 'template.yaml');
    expect(Object.keys(Parameters ?? {})).toEqual([
      'AlertsTopic',
      'Scaling',
      'Rollback',
      'VariableAUnderscoreB',
      'VariableToken',
      'Variabletoken',
    ]);
  });

  it('a value that SageMaker would refuse in the middle is refused by CloudFormation before', () => {
    const one = given({ function: { environment: { TOKEN: 'word' } } });
    expect(written(one, 'sagemaker', 'template.yaml').Parameters?.VariableTOKEN).toMatchObject({
      MaxLength: 1024,
    });
  });

  it('scaling can be taken away: SageMaker refuses another type of instance while there is one', () => {
    const { Conditions, Parameters, Resources } = written(given(), 'sagemaker', 'template.yaml');
    expect(Parameters?.Scaling).toMatchObject({
      Default: 'enabled',
      AllowedValues: ['enabled', 'disabled'],
    });
    expect(Conditions?.IsScaled).toEqual({ 'Fn::Equals': [{ Ref: 'Scaling' }, 'enabled'] });
    const scaled = Object.keys(Resources ?? {}).filter(
      (id) => `${Resources?.[id]?.Condition}` === 'IsScaled',
    );
    expect(scaled).toEqual(['ScalableTarget', 'ScalingPolicy']);
  });

  it('alarms can be left out of a deployment: one that is on already would take a correction back', () => {
    const { Conditions, Parameters, Resources } = written(given(), 'sagemaker', 'template.yaml');
    expect(Parameters?.Rollback).toMatchObject({
      Default: 'enabled',
      AllowedValues: ['enabled', 'disabled'],
    });
    expect(Conditions?.IsTakenBack).toEqual({ 'Fn::Equals': [{ Ref: 'Rollback' }, 'enabled'] });
    expect(Resources?.Endpoint?.Properties?.DeploymentConfig?.AutoRollbackConfiguration).toEqual({
      'Fn::If': ['IsTakenBack', { Alarms: [{ AlarmName: { Ref: 'ErrorsAlarm' } }] }, { Ref: 'AWS::NoValue' }],
    });
  });

  it('the role may read the alarms that take a deployment back', () => {
    const { Resources } = written(given({ latency: { p95: 50 } }), 'sagemaker', 'template.yaml');
    const [policy] = (Resources?.ExecutionRole?.Properties?.Policies ?? []) as unknown as readonly Object[];
    const statements = policy?.PolicyDocument?.Statement as unknown as readonly Object[];
    const read = statements.find(({ Action }) => Action === 'cloudwatch:DescribeAlarms');
    const allowed = String(read?.Resource?.['Fn::Sub']);
    // Asked for by name, they are authorised as all: https://github.com/mattclay/aws-terminator/pull/63
    expect(allowed).toMatch(/^arn:\$\{AWS::Partition\}:cloudwatch:.*:alarm:\*$/);
    for (const id of ['ErrorsAlarm', 'LatencyAlarm'])
      expect(`${Resources?.[id]?.Properties?.AlarmName}`).toMatch(/^shop-dev-churn-sagemaker-/);
  });

  const canaryOf = (release: object, more: object = {}) => {
    const { Resources } = written(given({ release, ...more }), 'sagemaker', 'template.yaml');
    const policy = Resources?.Endpoint?.Properties?.DeploymentConfig?.BlueGreenUpdatePolicy;
    const routing = policy?.TrafficRoutingConfiguration;
    const { CanarySize, WaitIntervalInSeconds } = routing ?? ({} as Object);
    return [CanarySize?.Value, WaitIntervalInSeconds, policy?.MaximumExecutionTimeoutInSeconds].map(Number);
  };
  it.each([
    [
      'a step below ten percent would hide from an alarm at p95',
      { steps: [{ weight: '5%', bake: '10m' }] },
      [10, 600, 2700],
    ],
    ['a part of a percent is none', { steps: [{ weight: '12.5%', bake: '10m' }] }, [13, 600, 2700]],
    ['SageMaker’s most is half', { steps: [{ weight: '80%', bake: '10m' }] }, [50, 600, 2700]],
    ['and an hour', { steps: [{ weight: '20%', bake: '3h' }] }, [20, 3600, 5700]],
    ['a bake must be long enough for an alarm', { steps: [{ weight: '20%', bake: '1m' }] }, [20, 300, 2400]],
    ['all at once on Lambda is a canary here', { strategy: 'allAtOnce' }, [10, 300, 2400]],
  ])('%s', (_, release, expected) => {
    expect(canaryOf(release)).toEqual(expected);
  });
  it('the alarm of an objective takes longer', () => {
    expect(canaryOf({ steps: [{ weight: '20%', bake: '1m' }] }, { latency: { p95: 50 } })).toEqual([
      20, 900, 3000,
    ]);
  });
});

describe('what is to be done with the files', () => {
  const provider = {
    environment: { LOG_LEVEL: 'debug', PORT: '3000', MODELS_GRPC_PORT: '9000', NODE_PATH: '/x' },
  };
  const one = given({ function: { environment: { TOKEN: 'word' } } });
  const declared = { ...one, host: { ...one.host, provider } };

  it('is a look that changes nothing, with a value for each parameter of the template', () => {
    expect(nextStep('sagemaker', 'sagemaker/churn', declared)).toBe(
      'aws cloudformation deploy --region eu-central-1 --template-file sagemaker/churn/template.yaml --stack-name shop-dev-churn-sagemaker --capabilities CAPABILITY_IAM --no-execute-changeset --parameter-overrides Scaling=enabled Rollback=enabled VariableLOGUnderscoreLEVEL=… VariableTOKEN=…',
    );
    const { Parameters } = written(declared, 'sagemaker', 'template.yaml');
    expect(Object.keys(Parameters ?? {}).filter((name) => name.startsWith('Variable'))).toEqual([
      'VariableLOGUnderscoreLEVEL',
      'VariableTOKEN',
    ]);
    // Values that are not named stay: one that was `disabled` for once, too.
    expect(nextStep('sagemaker', '.', given())).toMatch(
      /--no-execute-changeset --parameter-overrides Scaling=enabled Rollback=enabled$/,
    );
  });

  it.each(['my dir', "it's", '$HOME', 'a;b'])(
    'is a command that a shell takes, of the folder %s',
    (folder) => {
      for (const to of ['kubernetes', 'sagemaker'] as const) {
        const [, word = ''] =
          / (?:-k|--template-file) (.+?)(?= --stack-name|$)/.exec(nextStep(to, folder, given())) ?? [];
        expect(execFileSync('sh', ['-c', `printf %s ${word}`]).toString()).toBe(
          to === 'kubernetes' ? folder : `${folder}/template.yaml`,
        );
      }
    },
  );

  it('a Secret first, and in a cluster the autoscaler that is a file no more', () => {
    const found = besideFiles('kubernetes', ['scaled-object.yaml', 'old.yaml'], declared);
    expect(found.map(({ command }) => command)).toEqual([
      'kubectl create secret generic shop-dev-churn-environment --from-literal=LOG_LEVEL=… --from-literal=TOKEN=… --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -',
      'kubectl delete scaledobject shop-dev-churn',
    ]);
    expect(found[0]?.when).toBe('Before the first pod, and before one with another variable');
    expect(besideFiles('kubernetes', [], given())).toEqual([]);
    expect(besideFiles('sagemaker', ['autoscaler.yaml'], declared)).toEqual([]);
  });

  it('the template tells its command whole: region, what is switched on, and what has no value at first', () => {
    const [head = ''] = (
      exported(declared, exportOptions({ to: 'sagemaker', image: ECR }))['template.yaml'] ?? ''
    ).split('\nAWS');
    expect(head.replaceAll('\n#', '')).toContain(
      '`aws cloudformation deploy --region eu-central-1 --template-file template.yaml --stack-name shop-dev-churn-sagemaker --capabilities CAPABILITY_IAM --parameter-overrides Scaling=enabled Rollback=enabled VariableLOGUnderscoreLEVEL=… VariableTOKEN=…`',
    );
  });

  it('another type of instance needs the scaling to go first, with the values that the stack has', () => {
    const of = (mb: number) => ({ ...declared, memory: { mb, measured: true, from: 'bench' } });
    const text = (mb: number) =>
      exported(of(mb), exportOptions({ to: 'sagemaker', image: ECR }))['template.yaml'] ?? '';
    expect(besideFiles('sagemaker', [], of(4000), text(200))).toEqual([
      {
        when: expect.stringMatching(/ml\.c7i\.large.*ml\.r7i\.large/),
        command:
          'aws cloudformation update-stack --region eu-central-1 --stack-name shop-dev-churn-sagemaker --use-previous-template --capabilities CAPABILITY_IAM --parameters ParameterKey=Scaling,ParameterValue=disabled ParameterKey=AlertsTopic,UsePreviousValue=true ParameterKey=Rollback,UsePreviousValue=true ParameterKey=VariableLOGUnderscoreLEVEL,UsePreviousValue=true ParameterKey=VariableTOKEN,UsePreviousValue=true && aws cloudformation wait stack-update-complete --region eu-central-1 --stack-name shop-dev-churn-sagemaker',
      },
    ]);
    for (const before of [text(300), '', 'a: [', '- a', '# nothing\n'])
      expect(besideFiles('sagemaker', [], of(200), before)).toEqual([]);
  });

  it('nothing takes the place of what the image sets: a second PORT would win', () => {
    const pod = written(declared, 'kubernetes', 'deployment.yaml').spec?.template?.spec;
    const [container] = (pod?.containers ?? []) as unknown as { env: { name: string; value?: string }[] }[];
    expect(container?.env.map(({ name }) => name)).toEqual(['PORT', 'LOG_LEVEL', 'TOKEN']);
    const model = written(declared, 'sagemaker', 'template.yaml').Resources?.Model;
    expect(model?.Properties?.PrimaryContainer?.Environment).toMatchObject({ PORT: '8080' });
  });
});

describe('Kubernetes', () => {
  const podOf = (one: ExportGiven) => written(one, 'kubernetes', 'deployment.yaml').spec?.template?.spec;

  it.each([
    [1, 45],
    [10, 90],
    [29, 185],
    [900, 4540],
  ])('a timeout of %i s needs %i s to end: a body of 30 s, then five requests', (timeout, seconds) => {
    expect(Number(podOf(given({ timeout }))?.terminationGracePeriodSeconds)).toBe(seconds);
  });

  it.each([
    [{ mb: 142, measured: true, from: 'bench' }, '768Mi'],
    [{ mb: 1769, measured: false, from: 'declared' }, '2352Mi'],
  ])('%o are %s with the front', (memory, expected) => {
    const [container] = (podOf(given({}, memory))?.containers ?? []) as unknown as readonly Object[];
    expect(container?.resources?.requests?.memory).toBe(expected);
    expect(container?.resources?.limits?.memory).toBe(expected);
  });
});

it.each(['4shop-Dev', '-shop'])('%s could begin no name of a Service', (service) => {
  const one = given();
  const [problem = ''] = problemsOf({ ...one, host: { ...one.host, service } }, 'kubernetes');
  expect(problem).toMatch(/would be its name there/);
});

it('a service whose name ends with a dash has labels that are some', () => {
  const one = given();
  const labels = written({ ...one, host: { ...one.host, service: 'Shop-' } }, 'kubernetes', 'deployment.yaml')
    .metadata?.labels;
  for (const value of Object.values(labels ?? {})) expect(value).toMatch(/^[a-z0-9]([\w.-]{0,61}[a-z0-9])?$/);
  expect(labels).toMatchObject({ 'app.kubernetes.io/part-of': 'shop' });
});
