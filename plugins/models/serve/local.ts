import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogManifest } from '../../../core/catalog/contract.ts';
import type { HostConfig, HostModel } from '../../../core/host/contract.ts';
import type { Service } from '../context/context.ts';
import { catalogModel } from '../contracts/catalog-model.ts';
import type { Facts, Http, Model } from '../declaration/model.ts';
import { groupsOf } from '../plan/endpoint/routes.ts';
import { slowEdgesOf } from '../plan/watch/metrics.ts';
import { problemError } from '../problems/errors.ts';
import { environmentOf } from './environment.ts';
import { type HostRefusal, startHostProcess } from './host-process.ts';
import { spokenLine } from './lines.ts';
import { portProblem } from './listen.ts';

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
  /** A folder of its own, for the host's program. */
  readonly folder: string;
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** The same for gRPC; absent: HTTP alone. */
  readonly grpc?: number | undefined;
  /** Processes a model. */
  readonly workers: number;
  /** Bundles a model into a folder of its own, as deploy does. */
  readonly ship: (model: Model, version: number) => Promise<ShippedModel>;
  /** Lines for the person who watches. */
  readonly notice: (text: string) => void;
};

/** The service's models on this machine, behind the host. */
export type Local = {
  readonly url: string;
  readonly port: number;
  /** gRPC’s, on the same address. */
  readonly grpc: number | undefined;
  /** The host's process. */
  readonly pid: number;
  /** Milliseconds until it listened, with every model up. */
  readonly started: number;
  readonly manifest: () => CatalogManifest;
  /** Ships a model again; the old one serves until the new one is up. @throws why the new one cannot serve */
  readonly reload: (name: string) => Promise<'same' | 'reloaded'>;
  readonly stop: () => Promise<void>;
  /** Resolves once the host has ended, stopped or not. */
  readonly ended: Promise<void>;
};

type Slot = {
  readonly model: Model;
  readonly version: number;
  readonly shipped: ShippedModel;
  /** Text of the bundle: manifest and transform are in it, so equal texts serve the same. */
  readonly handler: string;
};

const HANDLER_FILE = 'handler.mjs';
const ADDRESS = '127.0.0.1';

/** Ships every model and starts the host. @throws a ProblemError, or what a handler's initialisation threw */
export async function serveLocally(options: LocalOptions): Promise<Local> {
  const slots = new Map<string, Slot>();
  const open = async (model: Model, version: number): Promise<Slot> => {
    const shipped = await options.ship(model, version);
    return { model, version, shipped, handler: await readFile(join(shipped.dir, HANDLER_FILE), 'utf8') };
  };
  for (const model of options.models) slots.set(model.name, await open(model, 1));
  const manifest = (): CatalogManifest => manifestOf([...slots.values()], options);
  const config: HostConfig = {
    schema: 1,
    address: ADDRESS,
    port: options.port,
    ...(options.grpc !== undefined && { grpc: options.grpc }),
    local: true,
    drain: 0,
    catalog: manifest(),
    models: [...slots.values()].map((slot) => hostModel(slot, options)),
  };
  const host = await startHostProcess(options.folder, options.page, config, (name, line) => {
    const text = spokenLine(line);
    if (text !== undefined) options.notice(`${name}: ${text}`);
  });
  if ('refused' in host) throw refused(host, options);

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
    const after = new Map(slots).set(name, next);
    try {
      await host.replace(hostModel(next, options), manifestOf([...after.values()], options));
    } catch (error) {
      throw notStarting(name, error instanceof Error ? error.message : String(error));
    }
    slots.set(name, next);
    await rm(old.shipped.dir, { recursive: true, force: true });
    return 'reloaded';
  };
  return {
    url: `http://${ADDRESS}:${host.port}`,
    port: host.port,
    grpc: host.grpc,
    pid: host.pid,
    started: host.started,
    manifest,
    stop: host.stop,
    ended: host.ended,
    reload(name) {
      const result = reloading.then(() => reload(name));
      reloading = result.catch(() => {});
      return result;
    },
  };
}

function hostModel({ model, version, shipped }: Slot, options: LocalOptions): HostModel {
  const around = { ...options, runtime: shipped.runtime.folder };
  const environment = environmentOf(model, version, shipped.dir, around);
  // As many threads as its memory buys on Lambda are for one process; several have one each.
  if (options.workers > 1) delete environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE;
  const slowEdges = slowEdgesOf(model.latency?.p95);
  return {
    name: model.name,
    handler: join(shipped.dir, HANDLER_FILE),
    version: String(version),
    timeout: model.timeout,
    workers: options.workers,
    environment,
    ...(slowEdges && { slowEdges }),
  };
}

function refused({ refused: text, model, port }: HostRefusal, asked: LocalOptions): Error {
  if (model !== undefined) return notStarting(model, text);
  if (port === undefined) return new Error(text);
  const taken = 'is taken, or not ours to use';
  return port === 'grpc'
    ? portProblem(asked.grpc ?? 0, taken, '--grpc-port')
    : portProblem(asked.port, taken);
}

const notStarting = (name: string, text: string): Error =>
  problemError([
    {
      code: 'MODELS_ARTIFACT_INVALID',
      key: `models.${name}.artifact`,
      message: `Its handler does not start: ${text}`,
      fix: 'Correct what it names, or the transform beside the artifact.',
    },
  ]);

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
        models: members.flatMap((model) => {
          const { name } = model;
          const found = facts.get(name);
          return found === undefined
            ? []
            : [catalogModel({ name, function: name, auth: 'none' }, model, found)];
        }),
        ...(only !== undefined && second === undefined && { bare: only.name }),
      };
    }),
  };
}
