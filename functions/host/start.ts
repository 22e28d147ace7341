import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import { hostPorts, readHostConfig } from '../../core/host/config.ts';
import {
  HOST_CONFIG,
  HOST_GRPC_PORT,
  HOST_LIMITS,
  type HostModel,
  type HostNews,
  type HostOrder,
} from '../../core/host/contract.ts';
import type { Behind } from './behind.ts';
import { createBodies } from './bodies.ts';
import { ownCpus } from './cpus.ts';
import { type Front, openFront } from './front.ts';
import { openPool, type Pool } from './pool.ts';
import { serveLambda } from './runtime-api.ts';

/** What a shell expects of a program that a signal ended: 128 and the signal's number. */
const ENDED = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * The server of models outside Lambda. Reads its configuration from the file that the environment names,
 * serves until SIGTERM, then answers what it has taken and ends with 0; at once with the second signal.
 *
 * In an image function it is Lambda's runtime instead, and opens no port.
 *
 * Whoever starts it over IPC hears how it goes, and may have models replaced; it ends when that channel does.
 * @param child path of the program of a model's process
 * @param page script of the docs page
 */
export async function startHost(child: string, page: string): Promise<void> {
  // Who reads its log may end before it does: what is written then is lost, and nothing else.
  process.stdout.on('error', () => {});
  process.stdout.on('drain', tellLost);
  const pools = new Map<string, Pool>();
  let state: 'starting' | 'serving' | 'draining' = 'starting';
  const fronts: Front[] = [];
  const fail = async (news: Extract<HostNews, { refused: string }>): Promise<void> => {
    await tell(news);
    process.exit(1);
  };

  const file = process.env[HOST_CONFIG] ?? '';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail({
      refused: `${HOST_CONFIG} names ${JSON.stringify(file)}, which cannot be read: ${textOf(error)}. Name the file of the host’s configuration there.`,
    });
  }
  let config: ReturnType<typeof readHostConfig>;
  try {
    config = readHostConfig(text);
  } catch (error) {
    return fail({ refused: textOf(error) });
  }
  const { AWS_LAMBDA_RUNTIME_API: lambda } = process.env;
  if (lambda !== undefined) {
    const [model, second] = config.models;
    if (model === undefined || second !== undefined)
      return fail({
        refused: `On Lambda a host has one model; found ${config.models.length}. Leave one in models.`,
      });
    // Its files lie beside the handler, wherever in the image that is.
    process.env.LAMBDA_TASK_ROOT = dirname(model.handler);
    try {
      return await serveLambda(lambda, model.handler);
    } catch (error) {
      return fail({ refused: textOf(error), model: model.name });
    }
  }
  // Lambda has no ports, and variables of these names may be somebody's own there.
  let ports: ReturnType<typeof hostPorts>;
  try {
    ports = hostPorts(config, process.env);
  } catch (error) {
    return fail({ refused: textOf(error) });
  }
  let catalog: CatalogManifest = config.catalog;
  const cpus = ownCpus();
  const open = (model: HostModel): Promise<Pool> =>
    openPool({
      model,
      workers: model.workers ?? cpus,
      child,
      write: (lines) => void tell({ line: lines.trimEnd(), model: model.name }),
      // A log has the lines of all models; who started this over IPC sees the name beside them.
      notice: (text) =>
        void tell({ line: process.send ? text : `${model.name}: ${text}`, model: model.name }),
    });

  const drain = async (): Promise<void> => {
    state = 'draining';
    await new Promise((resolve) => setTimeout(resolve, config.drain ?? HOST_LIMITS.drainMs));
    await Promise.all(fronts.map((front) => front.close()));
    process.exit(0);
  };
  for (const signal of Object.keys(ENDED) as (keyof typeof ENDED)[])
    process.on(signal, () => {
      if (state === 'draining') process.exit(ENDED[signal]);
      void drain();
    });
  process.once('disconnect', () => process.exit());

  const behind: Behind = {
    catalog: () => catalog,
    page,
    pool: (name) => pools.get(name),
    pools: () => [...pools.values()],
    state: () => state,
    local: config.local === true,
  };
  const bodies = createBodies();
  const { address } = config;
  const { port, grpc } = ports;
  try {
    fronts.push(await openFront(behind, port, address, bodies));
  } catch (error) {
    return fail({
      ...(addressProblem(address, error) ?? {
        refused: `Port ${port} cannot be used: ${textOf(error)}. Set another with PORT.`,
        port: 'http',
      }),
    });
  }
  if (grpc !== undefined) {
    try {
      const { openGrpc } = await import('./grpc.ts');
      fronts.push(await openGrpc(behind, bodies, grpc, address));
    } catch (error) {
      return fail({
        refused: `Port ${grpc} cannot be used for gRPC: ${textOf(error)}. Set another with ${HOST_GRPC_PORT}, or in the configuration’s grpc.`,
        port: 'grpc',
      });
    }
  }
  for (const model of config.models) {
    try {
      pools.set(model.name, await open(model));
    } catch (error) {
      // A signal to the whole group ends a process that is starting, too: the host ends as it was told to.
      if (behind.state() === 'draining') return;
      return fail({ refused: textOf(error), model: model.name });
    }
  }
  if (state === 'starting') state = 'serving';
  const [http, calls] = fronts;
  await tell({ listening: { port: http?.port ?? port, ...(calls && { grpc: calls.port }) } });

  // One after another, as they come.
  let replacing: Promise<void> = Promise.resolve();
  process.on('message', ({ replace, catalog: next }: HostOrder) => {
    replacing = replacing.then(async () => {
      try {
        const pool = await open(replace);
        const old = pools.get(replace.name);
        pools.set(replace.name, pool);
        catalog = next;
        await tell({ replaced: replace.name });
        await old?.idle();
        await old?.stop();
      } catch (error) {
        await tell({ kept: replace.name, reason: textOf(error) });
      }
    });
  });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** No port helps where the address is none of this machine’s. */
function addressProblem(address: string | undefined, error: unknown): { refused: string } | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (address === undefined || !NO_ADDRESS.includes(code)) return undefined;
  return {
    refused: `The host’s configuration: address is ${JSON.stringify(address)}, where it cannot listen: ${textOf(error)}. Write an address of this machine, or leave it out for all.`,
  };
}
const NO_ADDRESS: readonly string[] = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'];

/** To whoever started the host over IPC, else to its log. */
function tell(news: HostNews): Promise<void> {
  if (process.send !== undefined)
    return new Promise((resolve) => {
      process.send?.(news, undefined, undefined, () => resolve());
    });
  writeLog('line' in news ? news.line : JSON.stringify(news));
  return Promise.resolve();
}

/** What whoever reads the log has not taken lies in memory; beyond so many bytes, entries are left out. */
const LOG_BYTES = 16 * 1024 * 1024;
let lost = 0;

function writeLog(entry: string): void {
  if (process.stdout.writableLength > LOG_BYTES) lost++;
  else process.stdout.write(`${entry}\n`);
}

function tellLost(): void {
  const entries = lost;
  lost = 0;
  if (entries > 0) writeLog(`${entries} entries of this log were left out, since nobody took those before.`);
}
