/**
 * `sls models image`, asked as a person would, and its images run: read always by our own reader, and by
 * programs of others where they are. `npm run soak -- image` wants them all.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { type ImageRegistry, imageRegistry, sha256 } from '../fakes/image-registry.ts';
import { type Base, hostBase, pushBase } from '../image-base.ts';
import { dockerRegistry } from '../image-registries.ts';
import { configIn, portOfHost, runByBwrap } from '../image-run.ts';
import { lackingTools, type Tool } from '../image-tools.ts';
import { type Command, firstAlone, runAlone, type Said } from '../warm-sls.ts';
import { fixtures, repository, serve } from './endpoint.ts';
import { grpcClient } from './grpc.ts';
import { removeFolder, serviceFolder } from './sls.ts';

const run = promisify(execFile);
const lacks = lackingTools();
const withTools = (...tools: readonly Tool[]) => it.skipIf(tools.some((tool) => lacks.includes(tool)));

type Made = {
  readonly digest: string;
  readonly identity: string;
  readonly bytes: number;
  readonly layers: readonly { readonly name: string; readonly diffId: string; readonly bytes: number }[];
  readonly pushed?: { readonly sentBlobs: number; readonly sentBytes: number; readonly blobs: number };
  readonly sbom?: string;
};

let folder = '';
let base: Base;
let server: ImageRegistry;
let reference = '';

// A base of this machine’s own Node runs on Linux alone.
describe.skipIf(process.platform !== 'linux')('sls models image', () => {
  beforeAll(async () => {
    folder = await serviceFolder(
      `service: shop
provider: {name: aws}
models:
  churn: {artifact: logreg.onnx}
`,
      ['logreg.onnx', 'gbm.onnx'],
    );
    base = await hostBase();
    server = await imageRegistry();
    await pushBase(server.url, 'node', base);
    reference = `${server.host}/node@${base.manifest.digest}`;
  });
  afterAll(async () => {
    await server?.stop();
    await removeFolder(folder);
  });

  const sls = firstAlone;
  const models = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    by: (command: Command) => Promise<Said> = sls,
  ): Promise<Said> =>
    by({
      bin: join(repository, 'node_modules', 'osls', 'bin', 'serverless.js'),
      cwd: folder,
      args: ['models', ...args],
      env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', ...env },
      timeout: 300_000,
    });
  const asked = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    verb = 'image',
    by = sls,
  ): Promise<Said> => models([verb, '--json', ...args], env, by);
  async function image(...args: Parameters<typeof asked>): Promise<Made> {
    const { code, stdout, stderr } = await asked(...args);
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  it('writes the same image twice, from other caches, and each digest in it is right', async () => {
    const one = await image(['--base', reference, '--output', 'one']);
    const cache = join(folder, 'cache');
    await mkdir(cache);
    // Only what comes from npm is shared.
    await symlink(cacheFolder('onnxruntime'), join(cache, 'onnxruntime'));
    const other = await image(['--base', reference, '--output', 'other'], {
      SERVERLESS_MODELS_CACHE: cache,
    });
    expect(other).toEqual({
      ...one,
      sbom: other.sbom,
      output: { ...(one as never as { output: object }).output, folder: join(folder, 'other') },
    });
    expect(await readFile(other.sbom ?? '', 'utf8')).toBe(await readFile(one.sbom ?? '', 'utf8'));

    const blob = (digest: string) => readFile(join(folder, 'one', 'blobs', 'sha256', digest.slice(7)));
    const index = JSON.parse(await readFile(join(folder, 'one', 'index.json'), 'utf8'));
    expect(index.manifests).toMatchObject([{ digest: one.digest }]);
    const manifest = JSON.parse((await blob(one.digest)).toString());
    const config = JSON.parse((await blob(manifest.config.digest)).toString());
    for (const { digest, size } of [...index.manifests, manifest.config, ...manifest.layers]) {
      const bytes = await blob(digest);
      expect([sha256(bytes), bytes.length]).toEqual([digest, size]);
    }
    const diffIds: string[] = [];
    for (const { digest } of manifest.layers) diffIds.push(sha256(gunzipSync(await blob(digest))));
    expect(config.rootfs.diff_ids).toEqual(diffIds);
    // Behind the base's, and the folder that it lacks.
    expect(diffIds.slice(2)).toEqual(one.layers.map(({ diffId }) => diffId));
    expect(config.history).toHaveLength(diffIds.length);
    expect(config.config).not.toHaveProperty('User');
    await rm(cache, { recursive: true });
  });

  it('pushes what is not there, and of a changed model its layer alone', async () => {
    const to = ['--push', `${server.host}/churn:v1`, '--base', reference];
    const first = await image(to);
    // The base’s layer is lent by the repository that it came from. It has no /opt, which is a layer, too.
    expect(first.pushed).toMatchObject({ blobs: 6, sentBlobs: 5 });
    expect((await image(to)).pushed).toMatchObject({ sentBlobs: 0, sentBytes: 0 });
    await cp(join(folder, 'logreg.onnx'), join(folder, 'before.onnx'));
    await cp(join(fixtures, 'gbm.onnx'), join(folder, 'logreg.onnx'));
    const changed = await image(to);
    await cp(join(folder, 'before.onnx'), join(folder, 'logreg.onnx'));
    const layer = changed.layers[2]?.bytes ?? 0;
    expect(changed.pushed?.sentBlobs).toBe(2);
    expect(changed.pushed?.sentBytes).toBeLessThan(layer + 10_000);
    expect(changed.layers.slice(0, 2)).toEqual(first.layers.slice(0, 2));
    expect(changed.identity).not.toBe(first.identity);
    const manifest = server.manifests.get('churn v1');
    expect(sha256(manifest?.bytes ?? Buffer.alloc(0))).toBe(changed.digest);
  });

  it('tells that it pushed without a tag', async () => {
    const push = async (to: string): Promise<string> =>
      (await models(['image', '--base', reference, '--push', `${server.host}/${to}`])).stdout;
    expect(await push('bare')).toMatch(/^ *pushed .*bare@sha256:.* sent; without a tag: it is found by/m);
    expect(await push('bare:v1')).toMatch(/^ *pushed .*bare:v1@sha256:.* sent$/m);
  });

  it('is pushed by sls models export, whose files name exactly that one', async () => {
    const to = `${server.host}/exported:v1`;
    const { code, stdout, stderr } = await asked(
      ['--to', 'kubernetes', '--push', to, '--base', reference],
      {},
      'export',
    );
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    const pushed = sha256(server.manifests.get('exported v1')?.bytes ?? Buffer.alloc(0));
    expect(JSON.parse(stdout).image).toBe(`${server.host}/exported@${pushed}`);
    const file = await readFile(join(folder, 'kubernetes', 'churn', 'deployment.yaml'), 'utf8');
    expect(file).toContain(`image: ${server.host}/exported@${pushed}`);
    expect(pushed).toBe((await image(['--base', reference])).digest);
  });

  it('is laid over the base that is declared, where no option names one', async () => {
    const yaml = join(folder, 'serverless.yml');
    const before = await readFile(yaml, 'utf8');
    await writeFile(
      yaml,
      before.replace(
        '{artifact: logreg.onnx}',
        `{artifact: logreg.onnx, package: image, image: {base: "${reference}"}}`,
      ),
    );
    expect((await image([])).digest).toBe((await image(['--base', reference])).digest);
    await writeFile(yaml, before);
  });

  it('says in JSON what is wrong, and ends with 1', async () => {
    const { code, stdout } = await asked(['--base', `${server.host}/node:24`]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: [{ code: 'MODELS_IMAGE_BASE', key: '--base' }],
    });
  });

  it('names the option of a model that is a zip, where AWS’s own base cannot be had', async () => {
    // No network beyond this machine: Node asks a proxy that is not there, in a process of its own.
    const env = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' };
    const { code, stdout } = await asked([], env, 'image', runAlone);
    expect(code).toBe(1);
    const value = expect.stringMatching(/^public\.ecr\.aws\/lambda\/nodejs@sha256:/);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: [{ code: 'MODELS_IMAGE_BASE', key: '--base', value }],
    });
  });

  it('makes the folders above the one that it writes into, and beside one that it refuses nothing', async () => {
    const { sbom } = await image(['--base', reference, '--output', 'not/there']);
    expect(sbom).toBe(join(folder, 'not', 'there.churn.cdx.json'));
    expect(await readFile(sbom ?? '', 'utf8')).toContain('CycloneDX');
    expect(await readFile(join(folder, 'not', 'there.cdx.json'), 'utf8')).toContain('CycloneDX');
    const { code, stdout } = await asked(['--base', reference, '--output', 'repository/docs']);
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { problems: [{ key: '--output' }] }]);
    for (const name of ['docs.cdx.json', 'docs.churn.cdx.json'])
      await expect(stat(join(folder, 'repository', name))).rejects.toThrow('ENOENT');
  });

  withTools('skopeo', 'umoci')('is read by skopeo, and unpacked by umoci', async () => {
    const { digest } = await image(['--base', reference, '--output', 'read']);
    const { stdout } = await run('skopeo', ['inspect', `oci:${join(folder, 'read')}:churn`]);
    expect(JSON.parse(stdout)).toMatchObject({
      Digest: digest,
      Architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    });
    await unpack('read', 'bundle');
    const at = join(folder, 'bundle', 'rootfs', 'opt', 'serverless-models', 'model', 'model', 'model.onnx');
    expect((await readFile(at)).length).toBeGreaterThan(100);
  });

  const unpack = (layout: string, bundle: string) =>
    run('umoci', ['unpack', '--rootless', '--image', `${join(folder, layout)}:churn`, join(folder, bundle)]);

  withTools('umoci', 'bwrap')(
    'answers as the zip’s handler does: any user, no rights, a read-only root',
    async () => {
      await image(['--base', reference, '--output', 'run']);
      await unpack('run', 'running');
      const started = runByBwrap(join(folder, 'running', 'rootfs'), await configIn(join(folder, 'run')), {
        env: { PORT: '0', MODELS_GRPC_PORT: '0' },
        args: ['serve'],
      });
      const served = await serve('logreg.onnx', { name: 'churn' });
      try {
        const url = `http://127.0.0.1:${await portOfHost(started)}`;
        const answers = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
        const { inputs } = answers.models['logreg.onnx'];
        const expected = (await served.invoke({ inputs })) as {
          readonly answer: { readonly outputs: unknown };
        };
        const infer = async (path: string) => {
          const asked = { method: 'POST', body: JSON.stringify({ inputs }) };
          const said = await fetch(`${url}/v2/models/churn${path}/infer`, asked);
          return (await said.json()) as { readonly model_version: string };
        };
        const answer = await infer('');
        expect(answer).toMatchObject({ outputs: expected.answer.outputs });
        expect(await infer(`/versions/${answer.model_version}`)).toEqual(answer);
        // As SageMaker asks.
        const headers = { 'content-type': 'text/csv' };
        const csvRow = `${inputs[0].data.slice(0, 30).join(',')}\n`;
        const csv = await fetch(`${url}/invocations`, { method: 'POST', headers, body: csvRow });
        expect([csv.status, await csv.text()]).toEqual([200, expect.stringMatching(/./)]);
        expect((await fetch(`${url}/ping`)).status).toBe(200);
        // The image has no port for gRPC: its variable has opened one.
        const client = grpcClient(Number(/"grpc":(\d+)/.exec(started.output())?.[1]));
        expect((await client.call('ModelReady', { name: 'churn' })).answer).toEqual({ ready: true });
        const [{ data, ...input }] = inputs;
        const called = await client.call('ModelInfer', {
          model_name: 'churn',
          inputs: [{ ...input, contents: { fp32_contents: data } }],
        });
        expect(called.answer.outputs).toMatchObject(
          answers.models['logreg.onnx'].outputs.map(({ name }: { name: string }) => ({ name })),
        );
        client.close();
        const { pid } = started.child;
        const { stdout } = await run('sh', [
          '-c',
          `grep -hE "^(Uid|CapEff|NoNewPrivs)" /proc/$(pgrep -P ${pid} | head -1)/status`,
        ]);
        expect(stdout).toMatch(/CapEff:\s+0+\n/);
        expect(stdout).toMatch(/NoNewPrivs:\s+1\n/);
      } finally {
        started.child.kill('SIGKILL');
        await started.ended;
        await served.stop();
      }
    },
  );

  withTools('docker-registry')('is taken by docker-registry, also through what cuts off', async () => {
    const registry = await dockerRegistry(join(folder, 'registry'));
    const proxy = await cuttingProxy(registry.port);
    try {
      const through = `127.0.0.1:${proxy.port}/churn:v1`;
      const first = await image(['--base', reference, '--push', through]);
      expect(proxy.cuts()).toBeGreaterThan(0);
      expect(first.pushed).toMatchObject({ blobs: 6, sentBlobs: 6 });
      expect(first.pushed?.sentBytes).toBeGreaterThan(first.bytes);
      const straight = `127.0.0.1:${registry.port}/churn:v1`;
      const again = await image(['--base', reference, '--push', straight]);
      expect(again.pushed).toMatchObject({ sentBlobs: 0, sentBytes: 0 });
      expect(again.digest).toBe(first.digest);
      // And as a base of others.
      expect(await image(['--base', `127.0.0.1:${registry.port}/churn@${first.digest}`])).toMatchObject({
        base: { node: { path: '/usr/local/bin/node' } },
      });
    } finally {
      proxy.server.closeAllConnections();
      proxy.server.close();
      registry.child.kill('SIGKILL');
    }
  });
});

/** Passes requests on, and cuts off the first body of each blob after a while. */
async function cuttingProxy(
  to: number,
): Promise<{ readonly server: Server; readonly port: number; cuts(): number }> {
  let cuts = 0;
  const seen = new Set<string>();
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const on = request({ port: to, host: '127.0.0.1', method, path: url, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    on.on('error', () => answer.destroy());
    const size = String(headers['content-length']);
    if (method === 'PATCH' && Number(size) > 100_000 && !seen.has(size)) {
      seen.add(size);
      let passed = 0;
      asked.on('data', (chunk: Buffer) => {
        passed += chunk.length;
        if (passed > Number(size) / 2) {
          cuts += 1;
          asked.socket.destroy();
          on.destroy();
        }
      });
    }
    asked.pipe(on);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, cuts: () => cuts };
}
