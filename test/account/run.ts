import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Check, type Finding, failed, isRun } from './check.ts';
import { CHECKS } from './checks.ts';
import { type Account, accountOf, type Clients, clientsFor } from './clients.ts';
import { confirmed } from './confirm.ts';
import { type Framework, framework } from './framework.ts';
import { interrupts, within } from './interrupt.ts';
import { nameOf, TAG } from './names.ts';
import type { Options } from './options.ts';
import { pageOf, placeOf } from './page.ts';
import { DEPLOY_MINUTES, type Item, quoteText, REMOVE_MINUTES } from './quote.ts';
import { type Left, leftLines, leftOf, removeRuns } from './remove.ts';
import { during, say } from './say.ts';
import type { Known } from './scene.ts';
import { sceneFor, sharedBy } from './scene-of.ts';
import { FIRST, makeFolder } from './service.ts';
import { STACK_MINUTES } from './stacks.ts';
import { endpointNow, type States } from './state.ts';

/** How it ended, as exit code. */
export const EXIT = { shown: 0, other: 1, notStarted: 2, left: 3, interrupted: 130 } as const;

/** The whole run: look, ask, deploy, check, remove, write. @returns the exit code */
export async function run(root: string, states: States, options: Options): Promise<number> {
  const account = await accountOf(options.region).catch((error: Error) => {
    console.error(`There is no account to run on: ${error.message}`);
    console.error(
      'Set credentials and a region: --profile, --region, or the environment that the AWS CLI reads.',
    );
  });
  if (account === undefined) return EXIT.notStarted;
  const clients = clientsFor(account.region);
  const name = nameOf(randomBytes(4).toString('hex'));
  const dir = states.folder(name);
  const sls = framework(root, dir);
  const interrupt = interrupts();
  const state = {
    ...{ name, account: account.id, region: account.region, endpoint: endpointNow() },
    ...{ begun: new Date().toISOString(), pid: process.pid },
  };
  try {
    await states.write({ ...state, phase: 'asking' });
    const known = await readKnown(root);
    const folder = await makeFolder(root, dir, { name, region: account.region }, known.request);
    await folder.write(FIRST);
    const chosen = CHECKS.filter((check) => options.only?.includes(check.name) ?? true);
    if (!(await agreed(clients, account, sls, name, chosen, options, interrupt.signal))) {
      await states.forget(name);
      return interrupt.signal.aborted ? EXIT.interrupted : EXIT.notStarted;
    }
    await states.write({ ...state, phase: 'creating' });
    const began = Date.now();
    const shared = sharedBy(name, account, clients, sls, folder, known);
    const findings = new Map<string, Finding>();
    let started = false;
    try {
      const { code } = await within(DEPLOY_MINUTES, interrupt.signal, () => sls.sls('deploy'));
      started = code === 0;
      if (started) {
        await states.write({ ...state, phase: 'checking' });
        for (const check of chosen) {
          interrupt.signal.throwIfAborted();
          findings.set(check.name, await findingOf(check, shared, sls, interrupt.signal));
        }
      }
    } catch (error) {
      if (!interrupt.signal.aborted) console.error(error instanceof Error ? error.message : error);
    }
    await sls.end();
    // Ctrl-C from here on takes nothing from what was seen.
    const isInterrupted = interrupt.signal.aborted;
    await states.write({ ...state, phase: 'removing' });
    const { left, kept } = await removed(clients, sls, name, started && !isInterrupted);
    if (left.length === 0) await states.forget(name);
    if (isInterrupted) return left.length > 0 ? EXIT.left : EXIT.interrupted;
    const seen = started ? 'It was not asked for: --only.' : 'The demo could not be deployed.';
    for (const check of CHECKS)
      if (!findings.has(check.name)) findings.set(check.name, { verdict: 'not run', seen });
    const place = await writePage(root, {
      isRehearsal: isLocal(account),
      account: account.id,
      region: account.region,
      begun: state.begun,
      minutes: Math.ceil((Date.now() - began) / 60_000),
      versions: await versionsOf(root),
      findings,
      kept,
      left,
    });
    say(`\n${place} is written.`);
    if (!started) console.error('The demo could not be deployed: no check was run.');
    if (left.length > 0) return EXIT.left;
    if (!started) return EXIT.notStarted;
    return [...findings.values()].some(({ verdict }) => verdict === 'other') ? EXIT.other : EXIT.shown;
  } finally {
    interrupt.done();
    await sls.end();
    clients.close();
  }
}

/** An endpoint of one's own, or an account that AWS gives nobody, is none of AWS. */
const isLocal = ({ id }: Account): boolean =>
  /^0+$/.test(id) ||
  Object.keys(process.env).some((key) => /^AWS_ENDPOINT_URL/.test(key) && process.env[key] !== '');

const readKnown = async (root: string): Promise<Known> =>
  JSON.parse(await readFile(join(root, 'examples', 'employment', 'answers.json'), 'utf8'));

/** Says what it will make and cost, and asks. */
async function agreed(
  clients: Clients,
  account: Account,
  { read }: Framework,
  name: string,
  checks: readonly Check[],
  { yes }: Options,
  interrupted: AbortSignal,
): Promise<boolean> {
  const { code, text } = await during('listing what would be created, without AWS', () =>
    read('models', 'plan', '--json'),
  );
  if (code !== 0) {
    console.error(`The plan could not be read:\n${text}`);
    return false;
  }
  const { creates } = JSON.parse(text.slice(text.indexOf('{'))) as { readonly creates: readonly Item[] };
  const earlier = await during('looking for earlier runs', () => leftOf(clients));
  say(`\n${quoteText(account, { name, tag: TAG }, checks, creates)}\n`);
  if (earlier.there.length > 0)
    say(
      `There are ${earlier.there.length} things of ${[...new Set(earlier.there.map(({ run }) => run))].join(', ')} already. If that run is over: npm run account -- --clean\n`,
    );
  if (earlier.unknown.length > 0)
    say(
      `It could not be looked for ${earlier.unknown.join('; ')}.\nSo it will not be known at the end whether some are left.\n`,
    );
  if (interrupted.aborted) return false;
  const answer = await confirmed('This spends money.', yes);
  if (answer === 'nobody')
    console.error('Nothing was made: there is no terminal to ask on. --yes answers beforehand.');
  if (answer === 'no') say('Nothing was made.');
  return answer === 'yes' && !interrupted.aborted;
}

async function findingOf(
  check: Check,
  shared: Parameters<typeof sceneFor>[0],
  sls: Framework,
  interrupted: AbortSignal,
): Promise<Finding> {
  if (!isRun(check)) return { verdict: 'not run', seen: check.notRun };
  const found = await during(`check ${check.name}`, () =>
    within(check.minutes, interrupted, (signal) => check.run(sceneFor(shared, signal))),
  ).catch(async (error: unknown) => {
    interrupted.throwIfAborted();
    await sls.end();
    return failed(error);
  });
  say(`${check.name}: ${found.verdict}. ${found.seen}`);
  return found;
}

/**
 * By the framework's own command where there is a service, then by name, within the minutes that were told
 * beforehand. A second Ctrl-C ends the program.
 */
async function removed(
  clients: Clients,
  framework: Framework,
  name: string,
  orderly: boolean,
): Promise<{ readonly left: readonly string[]; readonly kept: readonly string[] }> {
  const over = AbortSignal.timeout(REMOVE_MINUTES * 60_000);
  const code = orderly
    ? await within(STACK_MINUTES, over, () => framework.sls('remove')).then(
        (ran) => ran.code,
        () => undefined,
      )
    : undefined;
  await framework.end();
  const before = await leftOf(clients, [name]).catch((): Left => ({ there: [], unknown: [] }));
  const lines = before.there.map(({ line }) => line);
  if (code !== undefined)
    say(`sls remove ended with ${code} and left ${lines.length === 0 ? 'nothing' : lines.join('; ')}.`);
  const after = await removeRuns(clients, [name], over).catch(async (error: unknown) => {
    if (!over.aborted) throw error;
    return { ...(await leftOf(clients, [name])), refusals: [`not done within ${REMOVE_MINUTES} minutes`] };
  });
  const left = leftLines(after);
  say(
    left.length === 0
      ? 'Nothing is left.'
      : `LEFT:\n${[...left, ...after.refusals].map((line) => `  ${line}`).join('\n')}`,
  );
  return { left, kept: code === undefined ? [] : lines };
}

async function writePage(root: string, report: Parameters<typeof pageOf>[1]): Promise<string> {
  const page = pageOf(CHECKS, report);
  const existing = await readFile(join(root, 'docs', 'account.md'), 'utf8').catch(() => undefined);
  const place = placeOf(page, existing);
  await mkdir(dirname(join(root, place)), { recursive: true });
  await writeFile(join(root, place), page);
  // As `npm run check` wants the pages of this repository.
  if (place === 'docs/account.md')
    await promisify(execFile)(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', place], {
      cwd: root,
    });
  return place;
}

async function versionsOf(root: string): Promise<Readonly<Record<string, string>>> {
  const versionIn = async (...path: readonly string[]): Promise<string> =>
    (JSON.parse(await readFile(join(root, ...path), 'utf8')) as { readonly version: string }).version;
  return {
    'serverless-models': await versionIn('package.json'),
    osls: await versionIn('node_modules', 'osls', 'package.json'),
    'ONNX Runtime': await versionIn('layers', 'onnxruntime', 'layer.json'),
    Node: process.versions.node,
  };
}
