import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * A tracking server of MLflow as far as models are read from it, and versions are told to be live. What it
 * answers is held against what MLflow's own server answered (test/fixtures/mlflow).
 */
export type FakeMlflow = {
  readonly address: string;
  /** Registers the next version of a model. @returns its number */
  readonly register: (
    name: string,
    files: Readonly<Record<string, Uint8Array>>,
    auc?: number,
    said?: Said,
  ) => string;
  readonly alias: (name: string, alias: string, version: string) => void;
  /** Deletes a model with all its versions: what is registered next counts from 1 again. */
  readonly remove: (name: string) => void;
  /** Replaces the files of a version, as nobody should. */
  readonly overwrite: (name: string, version: string, files: Readonly<Record<string, Uint8Array>>) => void;
  /** The files of a version are elsewhere, for example `s3://bucket/folder`. */
  readonly elsewhere: (name: string, version: string, uri: string) => void;
  /** What goes wrong with questions whose path or query holds a text, until it is calm again. */
  readonly trouble: (on: string, fault: Trouble) => void;
  /** What goes wrong with whatever is written; undefined: nothing. */
  readonly troubleWrites: (fault?: Trouble) => void;
  readonly calm: () => void;
  /** The version that an alias leads to, and the tags of a version. */
  readonly aliased: (name: string, alias: string) => string | undefined;
  readonly tags: (name: string, version: string) => Readonly<Record<string, string>>;
  /** From now on who writes must say who it is, by one of these headers; undefined: nobody must. */
  readonly guard: (...authorizations: readonly string[]) => void;
  /** Paths that were asked for since it was last read. */
  readonly asked: () => readonly string[];
  /** Bytes of files that were sent since it was last read. */
  readonly sent: () => number;
  readonly stop: () => Promise<void>;
};

/** What people say of a version: tags of the version, and of the model that was logged. */
type Said = {
  readonly tags?: Readonly<Record<string, string>>;
  readonly logged?: Readonly<Record<string, string>>;
};

type Trouble =
  | { readonly kind: 'silent' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'answers'; readonly status: number; readonly type: string; readonly text: string };

type Version = {
  /** Empty once it is deleted. */
  name: string;
  readonly version: string;
  readonly id: string;
  readonly run: string;
  readonly auc: number;
  readonly said: Said;
  readonly tags: Map<string, string>;
  files: Readonly<Record<string, Uint8Array>>;
  uri?: string;
};

/** The fields of a body that are read. */
type Sent = Readonly<Partial<Record<'name' | 'version' | 'alias' | 'key' | 'value', string>>>;

const API = '/api/2.0/';
const FILES = 'mlflow-artifacts/artifacts';
const TIME = 1_795_803_565_681;

export async function fakeMlflow(): Promise<FakeMlflow> {
  const versions: Version[] = [];
  const aliases = new Map<string, string>();
  const troubles = new Map<string, Trouble>();
  let asked: string[] = [];
  let sent = 0;
  let guards: readonly string[] = [];
  let onWrites: Trouble | undefined;
  const find = (name: string | null, version: string | null | undefined): Version | undefined =>
    versions.find((one) => one.name === name && one.version === version);
  const answer = (path: string, query: URLSearchParams): unknown => {
    const [name, version] = [query.get('name'), query.get('version')];
    if (path === 'mlflow/registered-models/alias') {
      const found = find(name, aliases.get(`${name}@${query.get('alias')}`));
      return found === undefined
        ? refusal(400, 'INVALID_PARAMETER_VALUE', `Registered model alias ${query.get('alias')} not found.`)
        : { model_version: { ...versionOf(found), aliases: [query.get('alias')] } };
    }
    if (path === 'mlflow/model-versions/get' || path === 'mlflow/model-versions/get-download-uri') {
      const found = find(name, version);
      if (found === undefined) return absent(name, version);
      return path.endsWith('/get')
        ? { model_version: versionOf(found) }
        : { artifact_uri: found.uri ?? `mlflow-artifacts:/1/models/${found.id}/artifacts` };
    }
    if (path === 'mlflow/runs/get') {
      const found = versions.find(({ run }) => run === query.get('run_id'));
      return found && { run: runOf(found) };
    }
    const [, logged] = /^mlflow\/logged-models\/(m-[0-9a-f]+)$/.exec(path) ?? [];
    const model = versions.find(({ id }) => id === logged);
    if (model !== undefined) return { model: loggedOf(model) };
    if (path === FILES) return { files: listed(versions, query.get('path') ?? '') };
    if (path.startsWith(`${FILES}/`)) return fileAt(versions, path.slice(FILES.length + 1));
    return undefined;
  };
  const write = (
    path: string,
    { name = '', version = '', alias = '', key = '', value = '' }: Sent,
  ): unknown => {
    const found = find(name, version);
    if (path !== 'mlflow/registered-models/alias' && path !== 'mlflow/model-versions/set-tag')
      return undefined;
    if (found === undefined) return absent(name, version);
    if (path.endsWith('/alias')) aliases.set(`${name}@${alias}`, version);
    else found.tags.set(key, value);
    return {};
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    const path = decodeURIComponent(pathname).slice(API.length);
    asked.push(path);
    const isWrite = request.method === 'POST';
    const written = isWrite ? (JSON.parse(await text(request)) as Sent) : {};
    const trouble =
      (isWrite ? onWrites : undefined) ??
      [...troubles].find(([on]) => `${path}?${searchParams}`.includes(on))?.[1];
    const isStranger = guards.length > 0 && !guards.includes(request.headers.authorization ?? '');
    if (isWrite && isStranger && trouble === undefined)
      return troubled(request, response, { ...UNKNOWN, kind: 'answers' });
    if (trouble === undefined || trouble.kind === 'cut') {
      const found = isWrite ? write(path, written) : answer(path, searchParams);
      if (found instanceof Uint8Array) sent += found.length;
      reply(response, found, trouble !== undefined);
    } else troubled(request, response, trouble);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    register: (name, files, auc = 0.9, said = {}) => {
      const number = versions.length + 1;
      const version = String(versions.filter((one) => one.name === name).length + 1);
      const digits = number.toString(16).padStart(32, '0');
      versions.push({ name, version, id: `m-${digits}`, run: digits, auc, said, files, tags: new Map() });
      return version;
    },
    alias: (name, alias, version) => void aliases.set(`${name}@${alias}`, version),
    remove: (name) => {
      for (const one of versions) if (one.name === name) one.name = '';
      for (const key of aliases.keys()) if (key.startsWith(`${name}@`)) aliases.delete(key);
    },
    overwrite: (name, version, files) => {
      const found = find(name, version);
      if (found !== undefined) found.files = files;
    },
    elsewhere: (name, version, uri) => {
      const found = find(name, version);
      if (found !== undefined) found.uri = uri;
    },
    aliased: (name, alias) => aliases.get(`${name}@${alias}`),
    tags: (name, version) => Object.fromEntries(find(name, version)?.tags ?? []),
    guard: (...authorizations) => {
      guards = authorizations;
    },
    trouble: (on, fault) => void troubles.set(on, fault),
    troubleWrites: (fault) => {
      onWrites = fault;
    },
    calm: () => troubles.clear(),
    asked: () => {
      const found = asked;
      asked = [];
      return found;
    },
    sent: () => {
      const found = sent;
      sent = 0;
      return found;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const REFUSAL = Symbol('refusal');
const refusal = (status: number, error_code: string, message: string) => ({
  [REFUSAL]: status,
  error_code,
  message,
});

const absent = (name: string | null, version: string | null) =>
  refusal(404, 'RESOURCE_DOES_NOT_EXIST', `Model Version (name=${name}, version=${version}) not found`);

/** Who is not known is told so in plain text, which is called HTML. */
const UNKNOWN = {
  status: 401,
  type: 'text/html; charset=utf-8',
  text: 'You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to authenticate.',
} as const;

function reply(response: ServerResponse, answer: unknown, isCut: boolean): void {
  const isFile = answer instanceof Uint8Array;
  const body = isFile
    ? Buffer.from(answer)
    : Buffer.from(JSON.stringify(answer ?? refusal(404, 'NOT_FOUND', 'no')));
  const status = answer === undefined ? 404 : ((answer as { readonly [REFUSAL]?: number })[REFUSAL] ?? 200);
  response.writeHead(status, {
    'content-type': isFile ? 'application/octet-stream' : 'application/json',
    'content-length': body.length,
  });
  if (!isCut) response.end(body);
  else response.write(body.subarray(0, body.length / 2), () => response.destroy());
}

function troubled(request: IncomingMessage, response: ServerResponse, trouble: Trouble): void {
  if (trouble.kind === 'closed') request.socket.destroy();
  if (trouble.kind === 'answers')
    response.writeHead(trouble.status, { 'content-type': trouble.type }).end(trouble.text);
}

/** MLflow leaves out what has none. */
const tagsOf = (tags: Readonly<Record<string, string>> = {}) => {
  const list = Object.entries(tags).map(([key, value]) => ({ key, value }));
  return list.length > 0 ? { tags: list } : {};
};

const versionOf = ({ name, version, id, run, said }: Version) => ({
  name,
  version,
  creation_timestamp: TIME,
  last_updated_timestamp: TIME,
  current_stage: 'None',
  description: '',
  source: `models:/${id}`,
  run_id: run,
  status: 'READY',
  run_link: '',
  ...tagsOf(said.tags),
});

const runOf = ({ run, auc }: Version) => ({
  info: { run_id: run, user_id: 'ann', status: 'FINISHED' },
  data: {
    metrics: [{ key: 'auc', value: auc, timestamp: TIME, step: 0 }],
    tags: [{ key: 'mlflow.user', value: 'ann' }],
  },
  inputs: {
    dataset_inputs: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'training' }],
        dataset: { name: 'churn-2026-11', digest: 'c222a439', source_type: 'code' },
      },
    ],
  },
});

const loggedOf = ({ id, run, auc, said }: Version) => ({
  info: { model_id: id, status: 'LOGGED_MODEL_READY', source_run_id: run, ...tagsOf(said.logged) },
  data: {
    metrics: [
      {
        key: 'auc',
        value: auc,
        timestamp: TIME,
        step: 0,
        dataset_name: 'churn-2026-11',
        dataset_digest: 'c222a439',
      },
    ],
  },
});

const placeOf = (versions: readonly Version[], path: string) => {
  const [, id, below = ''] = /^1\/models\/(m-[0-9a-f]+)\/artifacts\/?(.*)$/.exec(path) ?? [];
  return { version: versions.find((one) => one.id === id), below };
};

/** Files and folders directly below one. */
function listed(versions: readonly Version[], path: string): readonly unknown[] {
  const { version, below } = placeOf(versions, path);
  const prefix = below === '' ? '' : `${below}/`;
  const found = new Map<string, unknown>();
  for (const [name, content] of Object.entries(version?.files ?? {})) {
    if (!name.startsWith(prefix)) continue;
    const [first = '', ...rest] = name.slice(prefix.length).split('/');
    found.set(
      first,
      rest.length === 0
        ? { path: first, is_dir: false, file_size: content.length }
        : { path: first, is_dir: true },
    );
  }
  return [...found.values()];
}

function fileAt(versions: readonly Version[], path: string): Uint8Array | undefined {
  const { version, below } = placeOf(versions, path);
  return version?.files[below];
}

/** What `mlflow.onnx.log_model` writes beside a graph, as far as it is read. */
export const mlmodelOf = (graph: string): Buffer =>
  Buffer.from(`flavors:\n  onnx:\n    data: ${graph}\n  python_function:\n    data: ${graph}\n`);
