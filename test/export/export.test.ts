import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageRegistry, sha256 } from '../fakes/image-registry.ts';
import { install, osls4, service, sls, warmSls } from '../golden/frameworks.ts';
import { runPython } from '../python.ts';
import { caseNames, expectedOf, exportCase, keepExpected, writtenTemplates } from './cases.ts';

const update = process.env.UPDATE === '1';

beforeAll(() => install(osls4));

describe.each(caseNames)('%s', (name) => {
  it('is what the command writes', async () => {
    const { texts } = await exportCase(name);
    if (update) await keepExpected(name, texts);
    expect(texts).toEqual(await expectedOf(name));
  });
});

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx, function: {environment: {TOKEN: word}}}
`;
const IMAGE = `registry.example.com/models/churn@sha256:${'0f'.repeat(32)}`;

describe('in a folder of a person', () => {
  const args = ['models', 'export', '--to', 'kubernetes', '--image'];

  it('says what became of each file and what is to be done then, also as JSON, also by a process of its own', async () => {
    const folder = await service(osls4, 'export-told', { yaml });
    const { output, code } = await sls(osls4, folder, [...args, IMAGE]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^created +kubernetes\/churn\/deployment\.yaml$/m);
    expect(output).toContain('Stays on Lambda: release (canary, judge, rollback).');
    expect(output).toContain('kubectl apply --server-side --dry-run=server -k kubernetes/churn');
    const again = await warmSls(osls4, folder, [...args, IMAGE, '--json']);
    const { beside, files, image, memory, then } = JSON.parse(again.stdout);
    expect([image, memory.mb, memory.measured, beside, then]).toEqual([
      IMAGE,
      1769,
      false,
      [
        {
          when: 'Before the first pod, and before one with another variable',
          command:
            'kubectl create secret generic shop-dev-churn-environment --from-literal=TOKEN=… --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -',
        },
      ],
      'kubectl apply --server-side --dry-run=server -k kubernetes/churn',
    ]);
    expect(files).toHaveLength(6);
    expect(new Set(files.map(({ became }: { became: string }) => became))).toEqual(new Set(['unchanged']));
  });

  it('a file that a person changed is left as it is until that may be lost', async () => {
    const folder = await service(osls4, 'export-changed', { yaml });
    await warmSls(osls4, folder, [...args, IMAGE]);
    const path = join(folder, 'kubernetes', 'churn', 'autoscaler.yaml');
    const changed = (await readFile(path, 'utf8')).replace('maxReplicas: 10', 'maxReplicas: 40');
    await writeFile(path, changed);
    const { output, code } = await warmSls(osls4, folder, [...args, IMAGE, '--cpu', '80']);
    expect(code).toBe(1);
    expect(output).toMatch(
      /autoscaler\.yaml was changed since it was written, and is left as it is; nothing was written/,
    );
    expect(await readFile(path, 'utf8')).toBe(changed);
    expect((await warmSls(osls4, folder, [...args, IMAGE, '--overwrite'])).code).toBe(0);
    expect(await readFile(path, 'utf8')).toContain('maxReplicas: 10');
  });

  it('files of another model or stage stay, also where an earlier version wrote them', async () => {
    const both = `${yaml}  other: {artifact: models/churn.onnx}\n`;
    const folder = await service(osls4, 'export-others', { yaml: both });
    const path = join(folder, 'k', 'deployment.yaml');
    const into = ['--output', 'k'];
    const churn = [...args, IMAGE, ...into, '--model', 'churn'];
    expect((await warmSls(osls4, folder, churn)).code).toBe(0);
    const own = await readFile(path, 'utf8');
    expect(own).toMatch(/^# Written by sls models export --to kubernetes for shop-dev-churn; /);
    // Files of an earlier version, whose first line did not say what they are of.
    const before = async (): Promise<void> => {
      for (const name of await readdir(join(folder, 'k'))) {
        const text = await readFile(join(folder, 'k', name), 'utf8');
        await writeFile(join(folder, 'k', name), text.replace(' for shop-dev-churn;', ';'));
      }
    };
    const refused = async (model: string, stage: string): Promise<void> => {
      const named = ['--model', model, '--stage', stage];
      const { code, output } = await warmSls(osls4, folder, [...args, IMAGE, ...into, ...named]);
      expect(code, output).toBe(1);
      expect(output).toMatch(
        new RegExp(
          `deployment\\.yaml was written by sls models export --to kubernetes( for shop-dev-churn)?, and not by sls models export --to kubernetes for shop-${stage}-${model}\\..*nothing was written\\..*--output.*--overwrite`,
          's',
        ),
      );
    };
    for (const earlier of [false, true]) {
      if (earlier) await before();
      const there = await readFile(path, 'utf8');
      await refused('other', 'dev');
      await refused('churn', 'prod');
      expect(await readFile(path, 'utf8')).toBe(there);
    }
    const again = await warmSls(osls4, folder, churn);
    expect(again.code, again.output).toBe(0);
    expect(await readFile(path, 'utf8')).toBe(own);
  });

  it('what SageMaker would not take is told before an image is made and pushed', async () => {
    const folder = await service(osls4, 'export-pushed', { yaml });
    const registry = await imageRegistry();
    try {
      const { code, output } = await warmSls(osls4, folder, [
        ...['models', 'export', '--to', 'sagemaker', '--push', `${registry.host}/models:v1`],
        ...['--base', `${registry.host}/base@sha256:${'0'.repeat(64)}`],
      ]);
      expect(code).toBe(1);
      expect(output).toMatch(/--push: \S+\/models is no repository of ECR/);
      expect(registry.asked).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  // https://github.com/aws/amazon-sagemaker-feedback/issues/180
  it('a tag of an image with a manifest of OCI is refused: SageMaker takes those of Docker alone', async () => {
    const folder = await service(osls4, 'export-oci', { yaml });
    const registry = await imageRegistry();
    // ECR’s login names the registry; all else that a command may ask is refused.
    const login = { authorizationToken: btoa('AWS:word'), proxyEndpoint: `http://${registry.host}` };
    const aws = createServer(({ headers }, response) => {
      const isLogin = String(headers['x-amz-target']).endsWith('.GetAuthorizationToken');
      response.writeHead(isLogin ? 200 : 403);
      response.end(JSON.stringify(isLogin ? { authorizationData: [login] } : {}));
    }).listen(0, '127.0.0.1');
    await once(aws, 'listening');
    const env = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    const name = '123456789012.dkr.ecr.us-east-1.amazonaws.com/models';
    const [oci, docker] = [
      'application/vnd.oci.image.manifest.v1',
      'application/vnd.docker.distribution.manifest.v2',
    ];
    for (const [tag, type] of Object.entries({ oci, docker }))
      registry.manifests.set(`models ${tag}`, {
        type: `${type}+json`,
        bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: `${type}+json`, layers: [] })),
      });
    const asked = (tag: string, to = 'sagemaker') =>
      warmSls(osls4, folder, ['models', 'export', '--to', to, '--image', `${name}:${tag}`], env);
    try {
      const refused = await asked('oci');
      expect(refused.code, refused.output).toBe(1);
      expect(refused.output).toContain(
        `--image: ${name}:oci has a manifest of OCI (${oci}+json), and SageMaker takes those of Docker alone. Have the image made and pushed by --push`,
      );
      await expect(readdir(join(folder, 'sagemaker'))).rejects.toThrow('ENOENT');
      const [taken, elsewhere] = [await asked('docker'), await asked('oci', 'kubernetes')];
      expect([taken.code, elsewhere.code], taken.output + elsewhere.output).toEqual([0, 0]);
    } finally {
      aws.closeAllConnections();
      aws.close();
      await registry.stop();
    }
  });

  it('another type of instance than before: what is to be done first is told, once', async () => {
    const folder = await service(osls4, 'export-type', { yaml });
    const image = `123456789012.dkr.ecr.us-east-1.amazonaws.com/models@sha256:${'0f'.repeat(32)}`;
    const asked = ['models', 'export', '--to', 'sagemaker', '--image', image];
    const first = await warmSls(osls4, folder, asked);
    expect(first.code, first.output).toBe(0);
    expect(first.output).not.toContain('update-stack');
    const path = join(folder, 'serverless.yml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('function:', 'memory: 5000, function:'));
    const next = await warmSls(osls4, folder, [...asked, '--json']);
    expect(next.code, next.output).toBe(0);
    const { beside, then } = JSON.parse(next.stdout);
    expect(beside).toEqual([
      {
        when: expect.stringContaining('(ml.m7i.large, now ml.r7i.large)'),
        command: expect.stringMatching(
          /update-stack --region us-east-1 --stack-name shop-dev-churn-sagemaker --use-previous-template .*ParameterKey=Scaling,ParameterValue=disabled .*ParameterKey=VariableTOKEN,UsePreviousValue=true/,
        ),
      },
    ]);
    expect(then).toContain(' --parameter-overrides Scaling=enabled Rollback=enabled VariableTOKEN=…');
    expect((await warmSls(osls4, folder, asked)).output).not.toContain('update-stack');
  });

  it('what a person has under the name of a file is told before an image is made and pushed', async () => {
    const folder = await service(osls4, 'export-theirs', { yaml });
    await mkdir(join(folder, 'k'));
    await writeFile(join(folder, 'k', 'service.yaml'), 'mine: true\n');
    const registry = await imageRegistry();
    try {
      const { code, output } = await warmSls(osls4, folder, [
        ...['models', 'export', '--to', 'kubernetes', '--output', 'k'],
        ...[
          '--push',
          `${registry.host}/models:v1`,
          '--base',
          `${registry.host}/base@sha256:${'0'.repeat(64)}`,
        ],
      ]);
      expect(code).toBe(1);
      expect(output).toMatch(/--output: .*service\.yaml is not of this command.*nothing was written/s);
      expect(registry.asked).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  it('with KEDA the other autoscaler goes: two of one Deployment would undo each other', async () => {
    const folder = await service(osls4, 'export-keda', { yaml });
    await warmSls(osls4, folder, [...args, IMAGE]);
    const keda = ['--keda', 'http://prometheus:9090'];
    const { output, stdout } = await warmSls(osls4, folder, [...args, IMAGE, ...keda]);
    expect(output).toMatch(/kubectl delete horizontalpodautoscaler shop-dev-churn$/m);
    expect(stdout).toMatch(/^created +\S+scaled-object\.yaml$/m);
    expect(stdout).toMatch(/^removed +\S+autoscaler\.yaml$/m);
    expect((await readdir(join(folder, 'kubernetes', 'churn'))).sort()).toEqual([
      'deployment.yaml',
      'disruption-budget.yaml',
      'kustomization.yaml',
      'network-policy.yaml',
      'scaled-object.yaml',
      'service.yaml',
    ]);
  });

  it('a tag is looked up at its registry, and the files have the digest', async () => {
    const folder = await service(osls4, 'export-tag', { yaml });
    const registry = await imageRegistry();
    try {
      const type = 'application/vnd.oci.image.manifest.v1+json';
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, layers: [] }));
      registry.manifests.set('models v7', { type, bytes });
      const name = `${registry.host}/models`;
      const { output, code } = await warmSls(osls4, folder, [...args, `${name}:v7`]);
      expect(code, output).toBe(0);
      expect(output).toContain(`${name}:v7 is ${sha256(bytes)} now; the files name that.`);
      const text = await readFile(join(folder, 'kubernetes', 'churn', 'deployment.yaml'), 'utf8');
      expect(text).toContain(`image: ${name}@${sha256(bytes)}\n`);
      expect(output).toContain('It does not tell whether it is an image of churn.');
      const labelled = (title: string, architecture = 'amd64'): string => {
        const config = Buffer.from(
          JSON.stringify({ architecture, config: { Labels: { 'org.opencontainers.image.title': title } } }),
        );
        registry.blobs.set(`models ${sha256(config)}`, config);
        const at = { mediaType: `${type}.config`, digest: sha256(config), size: config.length };
        const bytes = Buffer.from(
          JSON.stringify({ schemaVersion: 2, mediaType: type, config: at, layers: [] }),
        );
        const tag = sha256(config).slice(7, 20);
        registry.manifests.set(`models ${tag}`, { type, bytes });
        return `${name}:${tag}`;
      };
      const own = await warmSls(osls4, folder, [...args, labelled('churn')]);
      expect(own.code, own.output).toBe(0);
      expect(own.output).not.toContain('It does not tell');
      const written = await readFile(join(folder, 'kubernetes', 'churn', 'deployment.yaml'), 'utf8');
      const other = await warmSls(osls4, folder, [...args, labelled('fraud')]);
      expect(other.code).toBe(1);
      expect(other.output).toMatch(
        /--image: \S+ is an image of fraud, as its label tells, and the files are for churn\./,
      );
      const foreign = await warmSls(osls4, folder, [...args, labelled('churn', 'arm64')]);
      expect(foreign.code).toBe(1);
      expect(foreign.output).toMatch(
        /--image: \S+ is an image for arm64, and churn is for amd64 \(architecture: x86_64\)\. Name an image for amd64/,
      );
      const hostile = await warmSls(osls4, folder, [...args, labelled('\u001b[31mchurn')]);
      expect(hostile.output).toContain('is an image of something else');
      expect(await readFile(join(folder, 'kubernetes', 'churn', 'deployment.yaml'), 'utf8')).toBe(written);
      const absent = await warmSls(osls4, folder, [...args, `${name}:v8`]);
      expect(absent.code).toBe(1);
      expect(absent.output).toMatch(
        /--image: \S+:v8 cannot be looked up: the registry .+ Name the image by its digest/,
      );
    } finally {
      await registry.stop();
    }
  });
});

it('no file has a value of a variable, which may be a secret', async () => {
  const found = await Promise.all(caseNames.map(expectedOf));
  const texts = found.flatMap((one) => Object.values(one));
  expect(texts.some((text) => text.includes('API_KEY'))).toBe(true);
  expect(texts.filter((text) => /a-secret|ops:secret|strict/.test(text))).toEqual([]);
});

const LINT_MS = 300_000;
it('cfn-lint finds nothing in any template', { timeout: LINT_MS + 20_000 }, async () => {
  const paths = (await writtenTemplates()).map(([path]) => path);
  expect(paths.length).toBeGreaterThan(1);
  const run = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  const found = await runPython('-c', [run, '--format', 'parseable', '--', ...paths], {
    timeout: LINT_MS,
  }).then(
    () => '',
    (error: Error & { stdout?: string }) => error.stdout || error.message,
  );
  expect(found.trim()).toBe('');
});
