import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BenchDocument, SCENARIOS } from '../../../core/capacity/contract.ts';
import { LEAST_RUNS } from '../../../core/capacity/promise.ts';
import { type Command, type Context, modelOf, usage } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { ownVersion } from '../disk/own-version.ts';
import { benchUrl } from '../measure/at-url.ts';
import { benchHtml } from '../measure/bench-html.ts';
import { benchText } from '../measure/bench-words.ts';
import { benchDeployed } from '../measure/deployed.ts';
import { benchDocument } from '../measure/document.ts';
import { benchHere } from '../measure/here.ts';
import { type BenchMeasured, type MeasureGiven, measure } from '../measure/measure.ts';
import { benchOptions, OUTSTANDING, ROWS, SECONDS } from '../measure/options.ts';
import { benchRequests } from '../measure/requests.ts';
import type { BenchTarget } from '../measure/target.ts';
import { exactTiming } from '../measure/timing.ts';
import { untilInterrupted } from '../serve/interrupt.ts';

/** Where packages lie, too: out of version control, and of the zips of the service's own functions. */
const OUTPUT = '.serverless/bench';
/** The framework removes that folder before it packages. */
const PASSING = 'The next package or deploy empties .serverless: to keep them, name a folder by --output.';

/** `sls models bench`: latency, throughput and ceilings, measured, with what each number promises. */
export const command: Command = {
  usage: 'Measure latency, throughput and ceilings of a model, here, at an address or deployed',
  options: {
    model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
    url: { usage: 'Measure what answers at this address, for example a running `serve`', type: 'string' },
    qualifier: {
      usage: 'Measure this deployed version or alias; without --url and --qualifier, this machine',
      shortcut: 'q',
      type: 'string',
    },
    scenario: { usage: `One of ${SCENARIOS.join(', ')} (default: all)`, type: 'string' },
    duration: { usage: `Seconds of a scenario (default: ${SECONDS})`, type: 'string' },
    strict: { usage: 'MLPerf’s least durations and counts: 600 s a scenario', type: 'boolean' },
    rate: {
      usage: 'Requests a second of Server (default: traffic, else half of what one caller reaches)',
      type: 'string',
    },
    slo: { usage: 'Objective, for example p99=50 in ms (default: latency.p95)', type: 'string' },
    arrivals: {
      usage: 'poisson (default), even, or a file with a time in seconds a line, which is replayed',
      type: 'string',
    },
    runs: {
      usage: `Runs with different seeds that share Server’s time (default: ${LEAST_RUNS})`,
      type: 'string',
    },
    seed: { usage: 'Seed of the first run (default: 1)', type: 'string' },
    curve: {
      usage: 'Measure Server at many rates, too: knee, and the largest rate that keeps the objective',
      type: 'boolean',
    },
    path: {
      usage: 'File of requests, JSON lines of {inputs, outputs} (default: the gate’s cases)',
      shortcut: 'p',
      type: 'string',
    },
    rows: { usage: `Rows of a request in Offline (default: ${ROWS})`, type: 'string' },
    outstanding: { usage: `Requests out at once at most (default: ${OUTSTANDING})`, type: 'string' },
    output: { usage: `Folder for bench.json and bench.html (default: ${OUTPUT}/<model>)`, type: 'string' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const model = modelOf(context);
    const { flags, progress } = context;
    if (flags.url !== undefined && flags.qualifier !== undefined)
      throw usage('--qualifier', 'does not go with --url.', 'Name one of them.');
    const options = await benchOptions(model, context);
    const facts = (await context.facts([model])).get(model.name);
    if (facts === undefined) throw new Error(`Nothing is known of ${model.name}.`);
    const path = typeof flags.path === 'string' ? flags.path : undefined;
    // What was measured would be lost where it cannot be written.
    await folderFor(folderOf(model, flags.output, context.service.dir));
    const requests = await benchRequests(model, facts.signature, path, context.service.dir, context.notice);
    const ending = new AbortController();
    const over = new AbortController();
    void untilInterrupted(over.signal).then(() => {
      if (!over.signal.aborted) ending.abort();
    });
    const work = async (target: BenchTarget): Promise<void> => {
      const given: MeasureGiven = {
        ...{ model, options, requests, target },
        signature: facts.signature,
        timing: exactTiming(ending.signal),
        ended: ending.signal,
        progress: (text) => progress(`Measuring ${model.name} at ${target.name}: ${text}`),
        notice: context.notice,
      };
      const measured = await measure(given).finally(() => progress(undefined));
      await keep(given, measured, facts, context);
    };
    try {
      if (typeof flags.url === 'string') await benchUrl(model, flags.url, work);
      else if (typeof flags.qualifier === 'string')
        await benchDeployed(model, flags.qualifier, context, options.outstanding, work);
      else await benchHere(model, context, work);
    } finally {
      over.abort();
      progress(undefined);
    }
  },
};

/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

async function keep(
  given: MeasureGiven,
  measured: BenchMeasured,
  facts: Facts,
  context: Context,
): Promise<void> {
  const { flags, print, service, warning } = context;
  const { gone } = measured;
  const about = { at: new Date().toISOString(), plugin: await ownVersion() };
  const document = benchDocument(given, measured, facts, about);
  const folder = folderOf(given.model, flags.output, service.dir);
  const files = { json: join(folder, 'bench.json'), html: join(folder, 'bench.html') };
  // What an earlier bench found is more than nothing.
  const isMeasured = document.scenarios.length > 0;
  try {
    if (isMeasured) await writeFile(files.json, `${JSON.stringify(document, null, 1)}\n`);
    if (isMeasured) await writeFile(files.html, benchHtml(document));
  } catch (error) {
    throw unwritable(folder, error);
  }
  const registered = await register(document, benchHtml(document), context).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    warning(`The bench is not kept in the registry: ${why}`);
    return undefined;
  });
  const last = flags.output === undefined ? [PASSING] : [];
  const places = isMeasured
    ? [files.json, files.html, ...(registered ? [`registry: ${registered}`] : last)]
    : ['Nothing was measured, so that nothing is written.'];
  print(
    flags.json
      ? JSON.stringify(
          { ...document, ...(isMeasured && { files }), ...(registered && { registered }) },
          null,
          2,
        )
      : benchText(
          document,
          places.map((place) => `  ${place}`),
        ),
  );
  if (document.interrupted) process.exitCode = INTERRUPTED;
  else if (document.scenarios.some(({ verdict }) => verdict === 'INVALID')) process.exitCode = 1;
  if (gone === undefined) return;
  if (!flags.json) throw gone;
  // One document on stdout.
  warning(gone.message);
  process.exitCode = 1;
}

async function folderFor(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

function unwritable(folder: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return usage('--output', `${folder} cannot be written: ${why}.`, 'Name a folder that can be written.');
}

/** Beside the version's record. @returns the key; undefined where what was measured is no version */
async function register(
  document: BenchDocument,
  page: string,
  context: Context,
): Promise<string | undefined> {
  const { version } = document.target;
  if (version === undefined || document.scenarios.length === 0) return undefined;
  const { atDesk } = await import('../releases/session.ts');
  const bench = { ...document, target: { ...document.target, version } };
  return atDesk(context, ({ benches }) => benches.keep(bench, page));
}

const folderOf = ({ name }: Model, output: Context['flags'][string], dir: string): string =>
  resolve(dir, typeof output === 'string' ? output : join(OUTPUT, name));
