/**
 * `npm run demo`: deploys the service in this repository's root to a local AWS with the real `sls deploy`, talks to it
 * as a client would, and releases five versions of its model under traffic. It uses only commands and clients that a
 * user has, and leaves nothing running.
 *
 * `npm run demo -- --with mlflow`: a story of its own, of a model that comes from MLflow's registry.
 */
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { faultsOf, recordCalls, summaryOf } from '../local-aws/calls.ts';
import { mlflowStory } from './demo/mlflow.ts';
import { story } from './demo/story.ts';
import { seconds, terminal } from './demo/terminal.ts';

const args = process.argv.slice(2).join(' ');
if (args !== '' && args !== '--with mlflow') {
  console.error(`There is no ${args}; there is --with mlflow.`);
  process.exit(2);
}
const isOfMlflow = args !== '';

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

const recorded = recordCalls();
try {
  console.log(
    `It takes ${isOfMlflow ? 'a minute or two (and MLflow is installed once)' : 'four to five minutes'}, needs no account, and ends what it starts, also when interrupted.`,
  );
  if (isOfMlflow) await mlflowStory(root, cleanup);
  else await story(root, commands, cleanup);
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
