import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../../local-aws/start.ts';
import { ACCOUNT, LOGS, makeRole } from '../lambda.ts';

/** An entry of a layer: a file's content, a link, or a folder. */
type Entry =
  | { readonly data: string | Buffer; readonly mode?: number }
  | { readonly link: string }
  | { readonly hard: string }
  | { readonly folder: true };
type Layer = Readonly<Record<string, Entry>>;

export type ImageSpec = {
  readonly layers: readonly Layer[];
  readonly config?: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly WorkingDir?: string;
  };
  readonly architecture?: string;
  /** Default: those of its layers. */
  readonly diffIds?: readonly string[];
};

/** A blob, and what a manifest says of it. */
type Blob = { readonly digest: string; readonly bytes: Buffer; readonly mediaType: string };
export type Image = { readonly blobs: readonly Blob[]; readonly manifest: Blob };

const OCI = 'application/vnd.oci.image';
export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const blob = (bytes: Buffer, mediaType: string): Blob => ({ digest: digestOf(bytes), bytes, mediaType });
const described = ({ digest, bytes, mediaType }: Blob) => ({ mediaType, digest, size: bytes.length });
/** Lambda’s architecture of this machine, and OCI’s. */
export const LAMBDA_ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const OCI_ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** An image of the Open Container Initiative; of layers beyond 1 MB the tar itself, which is quicker. */
export function image(spec: ImageSpec): Image {
  const tars = spec.layers.map(tar);
  const layers = tars.map((bytes) =>
    bytes.length > 1 << 20
      ? blob(bytes, `${OCI}.layer.v1.tar`)
      : blob(gzipSync(bytes), `${OCI}.layer.v1.tar+gzip`),
  );
  const config = blob(
    Buffer.from(
      JSON.stringify({
        architecture: spec.architecture ?? OCI_ARCHITECTURE,
        os: 'linux',
        config: spec.config ?? {},
        rootfs: { type: 'layers', diff_ids: spec.diffIds ?? tars.map(digestOf) },
      }),
    ),
    `${OCI}.config.v1+json`,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: described(config),
    layers: layers.map(described),
  };
  return {
    blobs: [config, ...layers],
    manifest: blob(Buffer.from(JSON.stringify(manifest)), manifest.mediaType),
  };
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function tar(layer: Layer): Buffer {
  const parts = Object.entries(layer).flatMap(([name, entry]) => {
    const data = 'data' in entry ? Buffer.from(entry.data) : Buffer.alloc(0);
    const [type, link] =
      'link' in entry
        ? ['2', entry.link]
        : 'hard' in entry
          ? ['1', entry.hard]
          : 'folder' in entry
            ? ['5', '']
            : ['0', ''];
    const mode = 'data' in entry ? (entry.mode ?? 0o644) : 0o755;
    const head = Buffer.alloc(512);
    const put = (text: string, at: number): void => void head.write(text, at);
    const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
    put(name, 0);
    put(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(data.length, 12) + octal(0, 12), 100);
    put(`        ${type}${link}`, 148);
    put('ustar\x0000', 257);
    put(
      octal(
        head.reduce((sum, byte) => sum + byte, 0),
        7,
      ),
      148,
    );
    return [head, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Asks the Runtime API for events, and has the handler of the module answer that its command names. */
const BOOTSTRAP = `
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/';
const post = (path, body, headers = {}) => fetch(api + path, { method: 'POST', body, headers });
const told = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message, stackTrace: [] });
let handler;
try {
  ({ handler } = await import(new URL('../task/' + process.argv[2], import.meta.url)));
} catch (error) {
  await post('init/error', told(error), { 'Lambda-Runtime-Function-Error-Type': 'Runtime.' + error.name });
  process.exit(1);
}
for (;;) {
  const next = await fetch(api + 'invocation/next');
  const head = Object.fromEntries(next.headers);
  const path = 'invocation/' + head['lambda-runtime-aws-request-id'] + '/';
  const event = await next.json();
  try {
    await post(path + 'response', JSON.stringify(await handler(event, head)) ?? 'null');
  } catch (error) {
    await post(path + 'error', told(error));
  }
}`;

let base: Promise<Layer> | undefined;
/** This machine’s Node with the libraries that it needs, and a bootstrap. */
function nodeLayer(): Promise<Layer> {
  base ??= readNode();
  return base;
}

async function readNode(): Promise<Layer> {
  const { stdout } = await promisify(execFile)('ldd', [process.execPath]);
  const libraries = stdout.match(/\/\S+(?= \()/g) ?? [];
  const files = await Promise.all(
    libraries.map(
      async (path) => [posix.relative('/', path), { data: await readFile(path), mode: 0o755 }] as const,
    ),
  );
  return {
    'usr/local/bin/node': { data: await readFile(process.execPath), mode: 0o755 },
    'var/runtime/bootstrap.mjs': { data: BOOTSTRAP },
    ...Object.fromEntries(files),
  };
}

/** An image whose handler is `code`, a module that exports `handler(event, headers)`. */
export async function nodeImage(code: string, other: Partial<ImageSpec> = {}): Promise<Image> {
  return image({
    ...other,
    layers: [await nodeLayer(), { 'var/task/handler.mjs': { data: code } }, ...(other.layers ?? [])],
    config: {
      Entrypoint: ['/usr/local/bin/node', '/var/runtime/bootstrap.mjs'],
      Cmd: ['handler.mjs'],
      ...other.config,
    },
  });
}

type Credentials = ReturnType<typeof client>['credentials'];

export const uriOf = (repository: string, reference: string): string =>
  `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/${repository}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`;

export async function makeRepository(aws: LocalAws, repositoryName: string): Promise<void> {
  const ecr = new ECRClient(client(aws.endpoint));
  await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  ecr.destroy();
}

/** What a registry’s clients send with each request. */
export async function authorization(
  aws: LocalAws,
  credentials = client(aws.endpoint).credentials,
): Promise<string> {
  const ecr = new ECRClient({ ...client(aws.endpoint), credentials });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  ecr.destroy();
  return `Basic ${authorizationData?.[0]?.authorizationToken}`;
}

/** Pushes by the protocol of https://github.com/opencontainers/distribution-spec. @returns its URI by tag */
export async function push(
  aws: LocalAws,
  repository: string,
  tag: string,
  pushed: Image,
  credentials?: Credentials,
): Promise<string> {
  const headers = { Authorization: await authorization(aws, credentials) };
  const at = `${aws.endpoint}/v2/${repository}`;
  const ok = async (answer: Response): Promise<Response> => {
    if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  for (const { digest, bytes } of pushed.blobs) {
    if ((await fetch(`${at}/blobs/${digest}`, { method: 'HEAD', headers })).ok) continue;
    const started = await ok(await fetch(`${at}/blobs/uploads/`, { method: 'POST', headers }));
    const place = new URL(started.headers.get('location') ?? '', aws.endpoint);
    place.searchParams.set('digest', digest);
    await ok(await fetch(place, { method: 'PUT', headers, body: new Uint8Array(bytes) }));
  }
  const { bytes, mediaType } = pushed.manifest;
  await ok(
    await fetch(`${at}/manifests/${tag}`, {
      method: 'PUT',
      headers: { ...headers, 'Content-Type': mediaType },
      body: new Uint8Array(bytes),
    }),
  );
  return uriOf(repository, tag);
}

export type ImageFunction = {
  readonly name: string;
  readonly uri: string;
  readonly architecture?: 'x86_64' | 'arm64';
  readonly memory?: number;
  readonly timeout?: number;
  readonly variables?: Readonly<Record<string, string>>;
  readonly config?: {
    readonly EntryPoint?: string[];
    readonly Command?: string[];
    readonly WorkingDirectory?: string;
  };
};

/** Makes a function of an image, with a role of its own, and waits until it can be invoked. */
export async function makeImageFunction(aws: LocalAws, spec: ImageFunction): Promise<void> {
  const lambda = new LambdaClient(client(aws.endpoint));
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: spec.name,
      PackageType: 'Image',
      Code: { ImageUri: spec.uri },
      Role: await makeRole(aws, `${spec.name}-role`, [LOGS]),
      Architectures: [spec.architecture ?? LAMBDA_ARCHITECTURE],
      MemorySize: spec.memory ?? 256,
      Timeout: spec.timeout ?? 10,
      ...(spec.variables ? { Environment: { Variables: { ...spec.variables } } } : {}),
      ...(spec.config ? { ImageConfig: spec.config } : {}),
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 },
    { FunctionName: spec.name },
  );
  lambda.destroy();
}

/** A repository with one image of a handler, and a function of it. */
export async function makeNodeFunction(
  aws: LocalAws,
  code: string,
  spec: Omit<ImageFunction, 'uri'>,
  other: Partial<ImageSpec> = {},
): Promise<void> {
  await makeRepository(aws, spec.name);
  const uri = await push(aws, spec.name, 'v1', await nodeImage(code, other));
  await makeImageFunction(aws, { ...spec, uri });
}
