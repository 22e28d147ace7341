import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { exampleRequest } from '../../../core/catalog/example.ts';
import { shellWord } from '../../../core/text/shell.ts';
import type { Command, Context } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { ownVersion } from '../disk/own-version.ts';
import { isProblemError, problemError } from '../problems/errors.ts';
import { untilInterrupted } from '../serve/interrupt.ts';
import { portOf, portProblem } from '../serve/listen.ts';
import { type Local, serveLocally } from '../serve/local.ts';
import { shipHere } from '../serve/shipped.ts';
import { watchModels } from '../serve/watch.ts';
import { pageScript } from '../ship/page-script.ts';

const PORT = '8080';

/**
 * `sls models serve`: every model on this machine, with the handlers that a deploy would ship. Ends with
 * Ctrl-C.
 */
export const command: Command = {
  usage: 'Serve the models on this machine, without AWS: the protocol, the docs page, reloading',
  options: {
    port: { usage: `Port on 127.0.0.1 (default: ${PORT}; 0 picks a free one)`, type: 'string' },
    'grpc-port': {
      usage: 'Port on 127.0.0.1 for gRPC (default: HTTP alone; 0 picks a free one)',
      type: 'string',
    },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { models, service, flags, notice, progress } = context;
    const { environment } = context.plan.host.provider;
    const port = portOf(flags.port, PORT);
    const asked = flags['grpc-port'];
    const grpc = asked === undefined ? undefined : portOf(asked, '', '--grpc-port');
    if (grpc !== undefined && grpc === port && grpc !== 0)
      throw portProblem(grpc, 'is the port of HTTP already', '--grpc-port');
    if (models.length === 0) throw nothingToServe();

    const ending = untilInterrupted();
    const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
    let preparing = true;
    // Preparing may take minutes, and Ctrl-C has ended esbuild's own process already: nothing of it is worth
    // waiting for.
    void ending.then(() => {
      if (!preparing) return;
      rmSync(folder, { recursive: true, force: true });
      process.exit(INTERRUPTED);
    });
    const prepared = async (): Promise<Local> =>
      serveLocally({
        models,
        service,
        environment,
        version: await ownVersion(),
        page: await pageScript(),
        folder: join(folder, '.host'),
        port,
        grpc,
        workers: Math.max(1, Math.min(MOST_WORKERS, Math.floor(availableParallelism() / models.length))),
        notice,
        ship: (model, version) => {
          progress(`Preparing ${model.name}`);
          const outDir = join(folder, model.name, String(version));
          const { aws } = context;
          const { dir: serviceDir } = service;
          return shipHere(model, { serviceDir, outDir, progress, environment, aws, withPlaces: true });
        },
      });
    try {
      const local = await prepared().catch(async (error: unknown) => {
        // That esbuild's process is gone may be heard before the signal that ended it and is on its way to
        // us. After a stall timers come first: signals are looked at before what is immediate.
        await Promise.race([ending, sleep(SIGNAL_MS).then(() => immediate())]);
        throw error;
      });
      preparing = false;
      progress(undefined);
      try {
        await serveUntil(ending, local, context);
      } finally {
        await local.stop();
      }
    } finally {
      preparing = false;
      progress(undefined);
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Processes a model: each has the model in memory once more. */
const MOST_WORKERS = 4;

/** Milliseconds in which a signal arrives that a child of ours has got already. */
const SIGNAL_MS = 500;

/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Linux has a limit for each user: https://man7.org/linux/man-pages/man7/inotify.7.html */
const unwatched = (model: string, { code, message }: NodeJS.ErrnoException): string =>
  `Changes of ${model} are not seen: ${message}. It is served as it is; start again after a change${
    code === 'ENOSPC' ? ', or raise `sysctl fs.inotify.max_user_watches`' : ''
  }.`;

async function serveUntil(ending: Promise<void>, local: Local, context: Context): Promise<void> {
  const { models, service, notice, progress } = context;
  const unwatch = watchModels(
    models,
    service.dir,
    (model) => {
      reload(model, local, notice).finally(() => progress(undefined));
    },
    ({ name }, error) => notice(unwatched(name, error)),
  );
  try {
    context.print(
      context.flags.json
        ? JSON.stringify(described(local.url, local.port, local), null, 2)
        : spoken(local.url, models, local),
    );
    await Promise.race([
      ending,
      local.ended.then(() => {
        throw new Error('The server’s process has ended.');
      }),
    ]);
  } finally {
    unwatch();
  }
}

async function reload(model: Model, local: Local, notice: (text: string) => void): Promise<void> {
  try {
    const outcome = await local.reload(model.name);
    if (outcome === 'reloaded') notice(`${model.name}: reloaded`);
  } catch (error) {
    // A person is in the middle of changing it: say what is wrong, and go on with what works.
    const text =
      isProblemError(error) || !(error instanceof Error) ? String(error) : (error.stack ?? error.message);
    notice(`${model.name}: not reloaded, still serving what was there before. ${text}`);
  }
}

function described(url: string, port: number, local: Local) {
  return {
    url,
    port,
    ...(local.grpc !== undefined && { grpc: { address: grpcAddress(local.grpc), port: local.grpc } }),
    models: local.manifest().groups.flatMap(({ path, models }) => {
      const base = `${url}${path === '/' ? '' : path}`;
      return models.map(({ name }) => ({ name, url: `${base}/v2/models/${name}`, docs: `${base}/docs` }));
    }),
  };
}

const grpcAddress = (port: number): string => `127.0.0.1:${port}`;

function spoken(url: string, models: readonly Model[], local: Local): string {
  const { groups } = local.manifest();
  const shown = described(url, 0, local).models;
  const width = Math.max('docs'.length, ...shown.map(({ name }) => name.length));
  const lines = shown.map((model) => {
    const closed = models.find(({ name }) => name === model.name)?.http === undefined;
    return `${model.name.padEnd(width)}  ${model.url}${closed ? '  (invoke only once deployed)' : ''}`;
  });
  const docs = [...new Set(shown.map((model) => model.docs))].map(
    (page) => `${'docs'.padEnd(width)}  ${page}`,
  );
  const grpc = local.grpc === undefined ? [] : [`${'grpc'.padEnd(width)}  ${grpcAddress(local.grpc)}`];
  return [
    ...lines,
    ...docs,
    ...grpc,
    '',
    tryOut(url, groups),
    '',
    'Ctrl-C ends it; a changed artifact or transform is loaded by itself.',
  ].join('\n');
}

/** One line that works when pasted: a request made of the first model's signature. */
function tryOut(url: string, groups: ReturnType<Local['manifest']>['groups']): string {
  for (const { path, models } of groups) {
    for (const { name, signature } of models) {
      const request = exampleRequest(signature.inputs);
      const base = `${url}${path === '/' ? '' : path}/v2/models/${name}`;
      if (request === undefined) return `curl ${base}`;
      return `curl ${base}/infer -d ${shellWord(JSON.stringify(request))}`;
    }
  }
  return `curl ${url}/v2`;
}

const nothingToServe = () =>
  problemError([
    {
      code: 'MODELS_USAGE',
      key: 'models',
      message: 'There are no models to serve.',
      fix: 'Declare one under models:.',
    },
  ]);
