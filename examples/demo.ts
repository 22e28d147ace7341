/**
 * `npm run demo`: deploys the service in this repository's root to a local AWS with the real `sls deploy`, talks to it
 * as a client would, and releases five versions of its model under traffic. It uses only commands and clients that a
 * user has, and leaves nothing running.
 *
 * `npm run demo -- --with mlflow` and `-- --with image` are stories of their own.
 */
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faultsOf, recordCalls, summaryOf } from '../local-aws/calls.ts';
import { seconds, terminal } from './demo/terminal.ts';

const usage = `npm run demo                     a service on a local AWS: five versions under traffic, drift, a file of 208,892 rows
npm run demo -- --with mlflow    a model that comes from MLflow’s registry, and MLflow is told what is live
npm run demo -- --with image     a model as a container image: made without Docker, pushed, run, asked; files for Kubernetes
                                 and SageMaker
    [--base host/repository@sha256:…]   what the image is laid over; else this machine’s own Node.js
    [--short]                           a hundredth of the questions, as the tests ask them`;

function asked() {
  try {
    return parseArgs({
      options: {
        with: { type: 'string' },
        base: { type: 'string' },
        short: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}

const { with: chosen, base, short, help } = asked();
if (help) {
  console.log(usage);
  process.exit(0);
}
if (chosen !== 'image' && (base !== undefined || short))
  fail(`--${short ? 'short' : 'base'} is for --with image.`);

type Told = {
  /** How long it takes. */
  readonly takes: string;
  /** Whether it asks a local AWS, whose calls are looked at then. */
  readonly onAws: boolean;
  tell(): Promise<void>;
};
/** Imported when told: what one needs is no matter of the others. */
const releases: Told = {
  takes: 'four to five minutes',
  onAws: true,
  tell: async () => (await import('./demo/story.ts')).story(root, commands, cleanup),
};
const others: Readonly<Record<string, Told>> = {
  mlflow: {
    takes: 'a minute or two (and MLflow is installed once)',
    onAws: true,
    tell: async () => (await import('./demo/mlflow.ts')).mlflowStory(root, cleanup),
  },
  image: {
    takes: 'a minute or two',
    onAws: false,
    tell: async () => (await import('./demo/image.ts')).imageStory(root, cleanup, { base, isShort: short }),
  },
};
const told = chosen === undefined ? releases : Object.hasOwn(others, chosen) && others[chosen];
if (!told) fail(`There is no --with ${chosen}; there are ${Object.keys(others).join(' and ')}.`);

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const began = performance.now();
const commands = terminal(root);
const cleanup: (() => Promise<void> | void)[] = [];

let ending: Promise<void> | undefined;
/** Ends commands that run, then what was started, last first; a second call waits for the first. */
function end(): Promise<void> {
  ending ??= (async () => {
    await commands.end();
    for (const step of cleanup.reverse()) await step();
  })();
  return ending;
}
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true;
    end().finally(() => process.exit(130));
  });

const recorded = told.onAws ? recordCalls() : async () => undefined;
try {
  console.log(`It takes ${told.takes}, needs no account, and ends what it starts, also when interrupted.`);
  await told.tell();
  await end();
  console.log(`\nthe story took ${seconds(began)}`);
  const report = await recorded();
  if (report !== undefined) {
    console.log(summaryOf(report));
    const faults = faultsOf(report);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }
  console.log('demo: ok');
} catch (error) {
  await end();
  // The commands that were ended fail, too; that is not what happened.
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  console.log('demo: failed');
  process.exitCode = 1;
}
