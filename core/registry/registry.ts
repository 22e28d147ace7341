import type { GateEvidence } from '../gate/contract.ts';
import type { ObjectPort } from '../ports/aws.ts';
import { asRead, type StoredRelease } from '../release/document/as-read.ts';
import type { Release } from '../release/document/contract.ts';
import type { Deployment, VersionRecord } from '../release/document/history-contract.ts';
import { documentIn, fields, isSignature, json, releaseIn, revOf, SCHEMA } from './document.ts';
import type { Registry } from './port.ts';

export function registry(objects: ObjectPort, scope: string): Registry {
  const live = (model: string): string => `${scope}releases/${model}/live.json`;
  const signatureOf = (model: string, fingerprint: string): string =>
    `${scope}signatures/${model}/${fingerprint}.json`;
  return {
    release: async (model) => {
      const found = await objects.get(live(model));
      return found === undefined ? undefined : { ...releaseIn(found.text, live(model)), ...found };
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
        const before = fields(json(found.text)) as Partial<VersionRecord>;
        if (before.fingerprint === record.fingerprint && before.identity === record.identity) {
          const { card: _, ...same } = before;
          const now = print({ ...same, ...(record.card && { card: record.card }) });
          if (now === print({ ...same, ...(before.card && { card: before.card }) })) return;
          written = await objects.replace(`${key}.json`, now, found.etag);
          continue;
        }
        // A function that is made anew counts from 1 again.
        const at = typeof before.at === 'string' ? stamp(before.at) : 'unknown';
        await objects.create(`${key}-${at}.json`, found.text);
        written = await objects.replace(`${key}.json`, print(record), found.etag);
      }
    },
    known: async (model, version) => {
      const key = `${scope}versions/${model}/${version}.json`;
      const found = await objects.get(key);
      return found && (documentIn(found.text, key) as VersionRecord);
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
      const key = `${scope}functions/${functionName}.json`;
      const found = await objects.get(key);
      const { model } =
        found === undefined ? {} : (documentIn(found.text, key) as { readonly model?: string });
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
      const text = print(deployment);
      if ((await objects.create(key, text)) === 'ok') return;
      // The answer to a write that succeeded may be lost, and the SDK repeats it.
      if ((await objects.get(key))?.text !== text) throw new Error(`${key} is there`);
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
    // A gate that did not know what it has found would begin anew at each tick: this one throws.
    found: (model, release) =>
      ofSchema<GateEvidence>(objects, `${scope}releases/${model}/gate-${release}.json`, documentIn),
  };
}

/** A document of a schema that we know; one that is damaged is of none. */
async function ofSchema<T extends { readonly schema: 1 }>(
  objects: ObjectPort,
  key: string,
  parse: (text: string, key: string) => unknown = json,
): Promise<T | undefined> {
  const found = await objects.get(key);
  const document = found && fields(parse(found.text, key));
  return document?.schema === SCHEMA ? (document as T) : undefined;
}

/** `<prefix><name>.json`, without the folders below. */
async function namesBelow(objects: ObjectPort, prefix: string): Promise<readonly string[]> {
  const names = (await objects.list(prefix)).map((key) => key.slice(prefix.length));
  return names.filter((name) => /^[^/]+\.json$/.test(name)).map((name) => name.slice(0, -'.json'.length));
}

/** Who loses one lost it to somebody who got on: all models of a deploy may write to its record at once. */
const RACES = 100;

/** Reads, changes and writes until nobody was faster; `undefined` leaves it as it is. */
async function change(
  objects: ObjectPort,
  key: string,
  next: (before: ReturnType<typeof fields> | undefined) => object | undefined,
): Promise<void> {
  for (let race = 0; race < RACES; race += 1) {
    const found = await objects.get(key);
    const wanted = next(found && fields(documentIn(found.text, key)));
    if (wanted === undefined) return;
    const written =
      found === undefined
        ? await objects.create(key, print(wanted))
        : await objects.replace(key, print(wanted), found.etag);
    if (written === 'ok') return;
  }
  throw new Error(`${key} changed under each of ${RACES} attempts`);
}

const print = (document: object): string => `${JSON.stringify(document, null, 1)}\n`;
const stamp = (iso: string): string => iso.replace(/[^0-9TZ]/g, '');

/** The answer URL is a credential: it does not outlive its use. */
function withoutUrl({ waiting: _, ...release }: Release): Release {
  if (release.request === undefined) return release;
  const { url: __, ...request } = release.request;
  return { ...release, request };
}
