import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openCard } from '../../../core/card/bounded.ts';
import { catalog, type Endpoints } from '../../../core/catalog/catalog.ts';
import { type CatalogManifest, LIVE } from '../../../core/catalog/contract.ts';
import {
  fromAnswer,
  gatewayAnswer,
  type HttpAnswer,
  type HttpRequest,
  toEvent,
} from '../../../core/host/gateway.ts';
import { nodeBase64 } from '../../../core/node/base64.ts';
import { type EndpointRequest, readEvent, writeAnswer } from '../../../core/protocol/event.ts';
import type { Service } from '../context/context.ts';
import type { Facts, Http, Model } from '../declaration/model.ts';
import { groupsOf } from '../plan/endpoint/routes.ts';
import { problemError } from '../problems/errors.ts';
import { endpoint, type Invocation, type LocalEndpoint } from './endpoint.ts';
import { environmentOf } from './environment.ts';
import { spokenLine } from './lines.ts';

/** Lambda's payload, each way. */
const LAMBDA_BYTES = 6 * 1024 * 1024;

/** What shipping a model gives: the unzipped function, what is known of the artifact, and what loads it. */
export type ShippedModel = {
  readonly dir: string;
  readonly facts: Facts;
  /** `folder`: `node_modules` that hold it for this machine. */
  readonly runtime: { readonly version: string; readonly folder: string };
};

export type LocalOptions = {
  readonly models: readonly Model[];
  readonly service: Service;
  /** `provider.environment`. */
  readonly environment: unknown;
  /** This package's. */
  readonly version: string;
  /** The docs page's script. */
  readonly page: string;
  /** Bundles a model into a folder of its own, as deploy does. */
  readonly ship: (model: Model, version: number) => Promise<ShippedModel>;
  /** Lines for the person who watches. */
  readonly notice: (text: string) => void;
};

/** The service's models on this machine. */
export type Local = {
  readonly manifest: () => CatalogManifest;
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Ships a model again; the old one serves until the new one is up. @throws why the new one cannot serve */
  readonly reload: (name: string) => Promise<'same' | 'reloaded'>;
  readonly stop: () => Promise<void>;
};

type Slot = {
  readonly model: Model;
  readonly version: number;
  readonly shipped: ShippedModel;
  /** Text of the bundle: manifest and transform are in it, so equal texts serve the same. */
  readonly handler: string;
  readonly endpoint: LocalEndpoint;
};

const HANDLER_FILE = 'handler.mjs';

/** Ships and starts every model. @throws a ProblemError, or what a handler's initialisation threw */
export async function serveLocally(options: LocalOptions): Promise<Local> {
  const slots = new Map<string, Slot>();
  const open = async (model: Model, version: number): Promise<Slot> => {
    const shipped = await options.ship(model, version);
    const file = join(shipped.dir, HANDLER_FILE);
    const handler = await readFile(file, 'utf8');
    const made = endpoint({
      file,
      timeout: model.timeout,
      env: environmentOf(model, version, shipped.dir, { ...options, runtime: shipped.runtime.folder }),
      log: (line) => {
        const text = spokenLine(line);
        if (text !== undefined) options.notice(`${model.name}: ${text}`);
      },
    });
    return { model, version, shipped, handler, endpoint: made };
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...slots.values()].map((slot) => slot.endpoint.stop(true)));
  };
  try {
    for (const model of options.models) {
      const slot = await open(model, 1);
      slots.set(model.name, slot);
      slots.set(model.name, await started(slot));
    }
  } catch (error) {
    await stop();
    throw error;
  }

  const manifest = (): CatalogManifest => manifestOf([...slots.values()], options);
  const invoke = async (name: string, event: unknown): Promise<Invocation> => {
    const slot = slots.get(name);
    if (slot === undefined) return { failure: 'crash', text: 'There is no such model.' };
    const invocation = await slot.endpoint.invoke(event);
    if ('failure' in invocation) options.notice(`${name}: ${invocation.text}`);
    return invocation;
  };
  const versionOf = (name: string): string => String(slots.get(name)?.version ?? 0);
  const here = (name: string, version: string): boolean => version === LIVE || version === versionOf(name);

  // One after another: each ships into the folder of the version after the one that serves.
  let reloading: Promise<unknown> = Promise.resolve();
  const reload = async (name: string): Promise<'same' | 'reloaded'> => {
    const old = slots.get(name);
    if (old === undefined) throw new Error(`There is no model ${name}.`);
    const next = await open(old.model, old.version + 1);
    if (next.handler === old.handler) {
      await rm(next.shipped.dir, { recursive: true, force: true });
      return 'same';
    }
    slots.set(name, await started(next));
    await old.endpoint.stop();
    await rm(old.shipped.dir, { recursive: true, force: true });
    return 'reloaded';
  };

  return {
    manifest,
    stop,
    async handle(request) {
      const event = toEvent(request, randomUUID(), new Date());
      if (Buffer.byteLength(JSON.stringify(event)) > LAMBDA_BYTES) {
        return gatewayAnswer(413, 'Request Entity Too Large');
      }
      const now = manifest();
      const read = readEvent(event);
      const name = endpointOf(read, now);
      if (name !== undefined) return answerOf(await invoke(name, event));
      const endpoints: Endpoints = {
        async invoke(model, version, passed) {
          if (!here(model, version)) return { failure: 'absent' };
          const invocation = await invoke(model, passed);
          return 'answer' in invocation ? invocation : { failure: 'failed' };
        },
        state: async (model, version) => (here(model, version) ? 'Active' : undefined),
        versions: async (model) => [versionOf(model)],
      };
      const answer = await catalog(now, endpoints, options.page)(read);
      return fromAnswer('passed' in answer ? answer.passed : writeAnswer(read, answer, nodeBase64));
    },
    reload(name) {
      const result = reloading.then(() => reload(name));
      reloading = result.catch(() => {});
      return result;
    },
  };
}

async function started(slot: Slot): Promise<Slot> {
  const { model } = slot;
  try {
    await slot.endpoint.start();
  } catch (error) {
    throw problemError([
      {
        code: 'MODELS_ARTIFACT_INVALID',
        key: `models.${model.name}.artifact`,
        message: `Its handler does not start: ${error instanceof Error ? error.message : error}`,
        fix: 'Correct what it names, or the transform beside the artifact.',
      },
    ]);
  }
  return slot;
}

/**
 * What the gateway makes of an invocation: whatever a function throws or does not finish in time is the same
 * to a client.
 */
function answerOf(invocation: Invocation): HttpAnswer {
  if ('failure' in invocation) return gatewayAnswer(500, 'Internal Server Error');
  const { answer } = invocation;
  const size = Buffer.byteLength(JSON.stringify(answer) ?? '');
  return size > LAMBDA_BYTES ? gatewayAnswer(500, 'Internal Server Error') : fromAnswer(answer);
}

/** The model whose own function has this route; the catalog has all others. */
function endpointOf({ method, path }: EndpointRequest, { groups }: CatalogManifest): string | undefined {
  if (method !== 'POST') return undefined;
  for (const { path: prefix, models, bare } of groups) {
    const base = prefix === '/' ? '' : prefix;
    if (bare !== undefined && path === `${base}/invocations`) return bare;
    const found = models.find(
      ({ name }) =>
        path === `${base}/v2/models/${name}/infer` || path === `${base}/models/${name}/invocations`,
    );
    if (found !== undefined) return found.name;
  }
  return undefined;
}

const LOCAL_HTTP: Http = { auth: 'none', path: '/', throttle: { rate: 0, burst: 0 } };

/** Who serves what here: models that are invoke-only on AWS stand at `/`, and nothing asks who calls. */
function manifestOf(slots: readonly Slot[], { service, version }: LocalOptions): CatalogManifest {
  const models = slots.map(({ model }) => ({ ...model, http: model.http ?? LOCAL_HTTP }));
  const declared = groupsOf(slots.map(({ model }) => model));
  const facts = new Map(slots.map(({ model, shipped }) => [model.name, shipped.facts]));
  return {
    schema: 1,
    service: `${service.name}-${service.stage}`,
    version,
    runtime: [...new Set(slots.map(({ shipped }) => shipped.runtime.version))].join(', '),
    groups: groupsOf(models).map(({ path, models: members }) => {
      // The bare paths belong to the one model that has them on AWS, where invoke-only models have none.
      const open = declared.find((group) => group.path === path)?.models ?? members;
      const [only, second] = open;
      return {
        path,
        auth: 'none' as const,
        models: members.flatMap(({ name }) => {
          const found = facts.get(name);
          if (found === undefined) return [];
          const { identity, opset, signature, card } = found;
          const told = card && { card: openCard(card) };
          return [{ name, function: name, identity, opset, signature, auth: 'none' as const, ...told }];
        }),
        ...(only !== undefined && second === undefined && { bare: only.name }),
      };
    }),
  };
}
