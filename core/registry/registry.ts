import type { GateEvidence } from '../gate/contract.ts';
import type { ObjectPort } from '../ports/aws.ts';
import { type AsRead, asRead, type StoredRelease } from '../release/document/as-read.ts';
import type { Aborted, Release } from '../release/document/contract.ts';
import type {
  Deployment,
  DeploymentEnd,
  SignatureRecord,
  VersionRecord,
} from '../release/document/history-contract.ts';

/**
 * The registry's documents of one service and stage: append-only JSON, except each model's `live.json`, which
 * moves by compare-and-set. Layout below the scope `models/<account>/<region>/<service>/<stage>/`:
 *
 *     versions/<model>/<n>.json             what a published version is
 *     versions/<model>/<n>-<start>.json     what it was in a function of the same name that is gone
 *     signatures/<model>/<fingerprint>.json what clients see of a version: its inputs and outputs
 *     releases/<model>/live.json            the release that is, or was last, under way
 *     releases/<model>/<start>-<id>.json    the ones before
 *     releases/<model>/gate-<id>.json       what the gate of a release found, with values of failed cases
 *     functions/<name>.json                 which model a function serves
 *     deployments/<ulid>.json               who deployed what, and how its releases ended
 */
export type Registry = {
  /** @returns undefined where there is none; throws where the registry cannot be read or holds no JSON. */
  readonly release: (model: string) => Promise<FoundRelease | undefined>;
  /** @returns names of the models that have a `live.json`, also where they are not deployed any more. */
  readonly models: () => Promise<readonly string[]>;
  /** Writes `live.json` over the one read (`etag`), or as the first one. `changed`: read again. */
  readonly move: (next: Release, etag: string | undefined) => Promise<'ok' | 'changed'>;
  /** Keeps a release that another one replaces; what is kept of it already stays, unless it went on since. */
  readonly archive: (release: Archived) => Promise<void>;
  /**
   * Keeps what a version is; a second time nothing but its card changes. A record of another version with
   * this number is kept beside it.
   */
  readonly version: (record: VersionRecord) => Promise<void>;
  /** @returns what a version is; undefined where no record of it is left. */
  readonly known: (model: string, version: string) => Promise<VersionRecord | undefined>;
  /**
   * @returns names of the records of a model's versions, those of functions that are gone included: `<n>`,
   * `<n>-<start>`.
   */
  readonly records: (model: string) => Promise<readonly string[]>;
  /** @returns one of them; undefined where it is gone, or of a schema that is not ours. */
  readonly recorded: (model: string, name: string) => Promise<VersionRecord | undefined>;
  /** Keeps what clients see of a version; a second time does nothing. */
  readonly keepSignature: (record: SignatureRecord) => Promise<void>;
  /**
   * @returns what clients see of a version; undefined where it is not known, or the document is none of ours.
   */
  readonly signature: (model: string, fingerprint: string) => Promise<SignatureRecord | undefined>;
  /** Keeps which model a function serves. */
  readonly serves: (functionName: string, model: string) => Promise<void>;
  /** @returns names of the functions that ever served a model. */
  readonly functions: () => Promise<readonly string[]>;
  /** @returns the model that a function serves: an alarm knows only the function. */
  readonly modelOf: (functionName: string) => Promise<string | undefined>;
  /** Writes what a gate found over what it had found so far. */
  readonly evidence: (
    model: string,
    release: string,
    change: (before: GateEvidence | undefined) => GateEvidence,
  ) => Promise<void>;
  /**
   * Adds to a deploy's record how its release of a model stands. Nothing happens where there is no such
   * record.
   */
  readonly ended: (deployment: string, model: string, end: DeploymentEnd) => Promise<void>;
  /** Keeps who deploys what, at its start. @throws Error where this id is taken */
  readonly deploy: (deployment: Deployment) => Promise<void>;
  /** Adds to a deploy's record that it failed, and how. Nothing happens where there is no such record. */
  readonly failed: (deployment: string, failed: NonNullable<Deployment['failed']>) => Promise<void>;
  /** @returns a deploy's record; undefined where there is none, or one of another schema. */
  readonly deployment: (id: string) => Promise<Deployment | undefined>;
  /** @returns ids of all deploys, oldest first. */
  readonly deployments: () => Promise<readonly string[]>;
  /** @returns names of the releases of a model that are over and replaced, oldest first. */
  readonly archives: (model: string) => Promise<readonly string[]>;
  /** @returns one of them; undefined where it is gone, or of a schema that is not ours. */
  readonly archived: (model: string, name: string) => Promise<Release | undefined>;
  /** @returns what the gate of a release found; undefined where none is kept. */
  readonly found: (model: string, release: string) => Promise<GateEvidence | undefined>;
};

/** What every schema, also one newer than ours, tells: see `Release`. */
export type Core = Pick<Release, 'functionName' | 'alias' | 'stable' | 'highest'> & {
  readonly schema: number;
};

/** `release` is absent where the document is of a schema that this worker does not know. */
export type FoundRelease = {
  readonly etag: string;
  readonly core: Core;
  readonly release?: Release;
  /** The release where it lacks what it cannot go on without: it is still to be given up. */
  readonly lacking?: Aborted;
  readonly text: string;
};

/** A document to be kept: a release of ours, or the text of one that we do not know. */
type Archived =
  | { readonly model: string; readonly release: Release }
  | { readonly model: string; readonly text: string; readonly at: string };

const SCHEMA = 1;

export function registry(objects: ObjectPort, scope: string): Registry {
  const live = (model: string): string => `${scope}releases/${model}/live.json`;
  const signatureOf = (model: string, fingerprint: string): string =>
    `${scope}signatures/${model}/${fingerprint}.json`;
  return {
    release: async (model) => {
      const found = await objects.get(live(model));
      return found === undefined ? undefined : { ...read(found.text, live(model)), ...found };
    },
    models: async () => {
      const names = (await objects.list(`${scope}releases/`)).map((key) =>
        key.slice(`${scope}releases/`.length),
      );
      return names
        .filter((name) => name.endsWith('/live.json'))
        .map((name) => name.slice(0, -'/live.json'.length));
    },
    move: (next, etag) =>
      etag === undefined
        ? objects.create(live(next.model), print(next))
        : objects.replace(live(next.model), print(next), etag),
    archive: async (kept) => {
      const name =
        'release' in kept
          ? `${stamp(kept.release.startedAt)}-${kept.release.release}`
          : `${stamp(kept.at)}-unknown`;
      const text = 'release' in kept ? print(withoutUrl(kept.release)) : kept.text;
      const key = `${scope}releases/${kept.model}/${name}.json`;
      for (let written = await objects.create(key, text); written === 'changed'; ) {
        const found = await objects.get(key);
        // Whoever archived it lost against a tick, or could not begin the next one after all.
        const isNewer = 'release' in kept && revOf(found?.text) < kept.release.rev;
        if (found === undefined || !isNewer) return;
        written = await objects.replace(key, text, found.etag);
      }
    },
    version: async (record) => {
      const key = `${scope}versions/${record.model}/${record.version}`;
      for (let written = await objects.create(`${key}.json`, print(record)); written === 'changed'; ) {
        const found = await objects.get(`${key}.json`);
        if (found === undefined) throw new Error(`${key}.json is there and is not`);
        const before: VersionRecord = JSON.parse(found.text);
        if (before.fingerprint === record.fingerprint && before.identity === record.identity) {
          const { card: _, ...same } = before;
          const now = print({ ...same, ...(record.card && { card: record.card }) });
          if (now === print({ ...same, ...(before.card && { card: before.card }) })) return;
          written = await objects.replace(`${key}.json`, now, found.etag);
          continue;
        }
        // A function that is made anew counts from 1 again.
        await objects.create(`${key}-${stamp(before.at)}.json`, found.text);
        written = await objects.replace(`${key}.json`, print(record), found.etag);
      }
    },
    known: async (model, version) => {
      const found = await objects.get(`${scope}versions/${model}/${version}.json`);
      return found && (JSON.parse(found.text) as VersionRecord);
    },
    records: (model) => namesBelow(objects, `${scope}versions/${model}/`),
    recorded: (model, name) => ofSchema<VersionRecord>(objects, `${scope}versions/${model}/${name}.json`),
    keepSignature: async (record) => {
      await objects.create(signatureOf(record.model, record.fingerprint), print(record));
    },
    signature: async (model, fingerprint) => {
      const found = await objects.get(signatureOf(model, fingerprint));
      const document = found && json(found.text);
      return isSignature(document) ? document : undefined;
    },
    serves: (functionName, model) =>
      change(objects, `${scope}functions/${functionName}.json`, (before) =>
        before?.model === model ? undefined : { schema: 1, model },
      ),
    functions: () => namesBelow(objects, `${scope}functions/`),
    modelOf: async (functionName) => {
      const found = await objects.get(`${scope}functions/${functionName}.json`);
      const { model } = found === undefined ? {} : (JSON.parse(found.text) as { readonly model?: string });
      return model;
    },
    evidence: (model, release, next) =>
      change(objects, `${scope}releases/${model}/gate-${release}.json`, (before) =>
        next(before as GateEvidence | undefined),
      ),
    ended: (deployment, model, end) =>
      change(objects, `${scope}deployments/${deployment}.json`, (before) =>
        before === undefined
          ? undefined
          : { ...before, releases: { ...fields(before.releases), [model]: end } },
      ),
    deploy: async (deployment) => {
      const key = `${scope}deployments/${deployment.id}.json`;
      if ((await objects.create(key, print(deployment))) === 'changed') throw new Error(`${key} is there`);
    },
    failed: (deployment, failed) =>
      change(objects, `${scope}deployments/${deployment}.json`, (before) => before && { ...before, failed }),
    deployment: (id) => ofSchema<Deployment>(objects, `${scope}deployments/${id}.json`),
    deployments: () => namesBelow(objects, `${scope}deployments/`),
    archives: async (model) => {
      const names = await namesBelow(objects, `${scope}releases/${model}/`);
      return names.filter((name) => name !== 'live' && !name.startsWith('gate-'));
    },
    archived: async (model, name) => {
      const found = await ofSchema<StoredRelease>(objects, `${scope}releases/${model}/${name}.json`);
      return found && asRead(found).release;
    },
    found: (model, release) =>
      ofSchema<GateEvidence>(objects, `${scope}releases/${model}/gate-${release}.json`),
  };
}

/** A document of a schema that we know. */
async function ofSchema<T extends { readonly schema: 1 }>(
  objects: ObjectPort,
  key: string,
): Promise<T | undefined> {
  const found = await objects.get(key);
  const document = found && fields(JSON.parse(found.text));
  return document?.schema === SCHEMA ? (document as T) : undefined;
}

/** `<prefix><name>.json`, without the folders below. */
async function namesBelow(objects: ObjectPort, prefix: string): Promise<readonly string[]> {
  const names = (await objects.list(prefix)).map((key) => key.slice(prefix.length));
  return names.filter((name) => /^[^/]+\.json$/.test(name)).map((name) => name.slice(0, -'.json'.length));
}

const RACES = 8;

/** Reads, changes and writes until nobody was faster; `undefined` leaves it as it is. */
async function change(
  objects: ObjectPort,
  key: string,
  next: (before: Fields | undefined) => object | undefined,
): Promise<void> {
  for (let race = 0; race < RACES; race += 1) {
    const found = await objects.get(key);
    const wanted = next(found && fields(JSON.parse(found.text)));
    if (wanted === undefined) return;
    const written =
      found === undefined
        ? await objects.create(key, print(wanted))
        : await objects.replace(key, print(wanted), found.etag);
    if (written === 'ok') return;
  }
  throw new Error(`${key} changed under each of ${RACES} attempts`);
}

/** @returns undefined where it is no JSON */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const print = (document: object): string => `${JSON.stringify(document, null, 1)}\n`;
const stamp = (iso: string): string => iso.replace(/[^0-9TZ]/g, '');

/** The `rev` of a document of any schema; one without it is as old as can be. */
function revOf(text: string | undefined): number {
  const { rev } = fields(json(text ?? ''));
  return typeof rev === 'number' ? rev : 0;
}

/** The answer URL is a credential: it does not outlive its use. */
function withoutUrl({ waiting: _, ...release }: Release): Release {
  if (release.request === undefined) return release;
  const { url: __, ...request } = release.request;
  return { ...release, request };
}

const MALFORMED = 'MalformedDocument';

/**
 * The error that a document raises which is none of ours, in any schema: somebody wrote it, or a part of it
 * is lost.
 */
export type Malformed = Error & {
  readonly key: string;
  /** As far as it can still be read. */
  readonly functionName: string | undefined;
};
export const isMalformed = (error: unknown): error is Malformed =>
  error instanceof Error && error.name === MALFORMED;

/** @throws Malformed where the text is not a release of any schema. */
function read(text: string, key: string): Partial<AsRead> & { readonly core: Core } {
  const document = json(text);
  if (!isCore(document))
    throw Object.assign(new Error(`${key} is not a release document`), {
      name: MALFORMED,
      key,
      functionName: /"functionName"\s*:\s*"([\w-]+)"/.exec(text)?.[1],
    });
  return document.schema === SCHEMA
    ? { core: document, ...asRead(document as unknown as StoredRelease) }
    : { core: document };
}

function isCore(value: unknown): value is Core {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, functionName, alias, highest } = value as Record<string, unknown>;
  return (
    typeof schema === 'number' &&
    schema >= SCHEMA &&
    typeof functionName === 'string' &&
    typeof alias === 'string' &&
    typeof highest === 'number'
  );
}

/** What is compared is only told, so one that somebody damaged is as good as none. */
function isSignature(value: unknown): value is SignatureRecord {
  const { schema, inputs, outputs } = fields(value);
  return schema === SCHEMA && [inputs, outputs].every((specs) => Array.isArray(specs) && specs.every(isSpec));
}

function isSpec(value: unknown): boolean {
  const { name, datatype, shape } = fields(value);
  return (
    typeof name === 'string' &&
    typeof datatype === 'string' &&
    Array.isArray(shape) &&
    shape.every((dimension) => typeof dimension === 'number')
  );
}
