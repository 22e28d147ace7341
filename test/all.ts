/**
 * `npm test`: style, types, then every test project, what they asked of AWS, and one summary line at the end.
 * Arguments go to Vitest, so `npm test -- --project unit` runs one project. `npm test -- --changed [commit]`
 * runs what a change touches.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startForks } from '../local-aws/forks.ts';
import { callsOf } from './aws-calls/folder.ts';
import { testsSince } from './changed.ts';
import { bringTools, lackingTools } from './image-tools.ts';
import { lacking } from './needs.ts';
import { outcome } from './outcome.ts';
import { HEAVY, PURE } from './projects.ts';
import { stepAside } from './step-aside.ts';
import { endWarm, shareWarm } from './warm-sls.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const local = join(root, '.local');
/** What Vitest told of its runs. */
const reports: string[] = [];
const windows = process.platform === 'win32';
const words = process.argv.slice(2);
/** Files that a change touches; undefined: all. Before anything is made, which would be left. */
const chosen = words[0] === '--changed' ? changedTests(words.slice(1)) : undefined;

function changedTests([since, more]: readonly string[]): readonly string[] {
  try {
    if (more !== undefined || since?.startsWith('-'))
      throw new Error(
        `--changed takes a commit and nothing else, and got ${more ?? since}. For a project: npm test -- --project <name>.`,
      );
    return testsSince(root, since);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/**
 * What tests put into the machine's folder for temporary files; removed at the end, also of an interrupted
 * run.
 */
const tmp = mkdtempSync(join(tmpdir(), 'models-test-'));
// Root's tests try as nobody what root alone may do: to be found in it, not to list it.
chmodSync(tmp, 0o711);
const records = callsOf(process.pid);
const env = {
  // Test files and the commands that they run load the same modules hundreds of times.
  NODE_COMPILE_CACHE: join(local, 'compile-cache'),
  // The compiler is written in Go and ends soon: with garbage collected less often it takes a third less.
  // https://pkg.go.dev/runtime#hdr-Environment_Variables
  GOGC: '400',
  ...process.env,
  // The local AWSs of a run unpack and compile the same functions.
  MODELS_AWS_CODE: join(tmp, 'aws-code'),
  MODELS_AWS_CALLS: records.own,
  MODELS_AWS_FORKS: join(tmp, 'forks'),
  // And their commands go to processes that have run others: the start of one costs a second and a half.
  MODELS_WARM: windows ? `\\\\.\\pipe\\${basename(tmp)}` : join(tmp, 'warm'),
  ...(windows ? { TEMP: tmp, TMP: tmp } : { TMPDIR: tmp }),
};
/** What a step has until it is killed, after a signal. */
const GRACE_MS = 3000;

const running = new Set<ChildProcess>();
let interrupted = false;

/**
 * @param aside it takes the time of processors that nothing else wants
 * @returns true where the program ended with 0. It leads a process group, so that it can be ended with all
 * that it started.
 */
function run(command: string, args: readonly string[], aside = false): Promise<boolean> {
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: windows,
    detached: !windows,
  });
  running.add(child);
  if (aside && child.pid !== undefined) stepAside(child.pid);
  return new Promise((resolve) => {
    const ended = (success: boolean): void => {
      // What an interrupted one started may still be there.
      if (!interrupted) running.delete(child);
      resolve(success);
    };
    child.once('error', (error) => {
      console.error(error.message);
      ended(false);
    });
    child.once('exit', (code) => ended(code === 0));
  });
}

async function step(name: string, command: string, args: readonly string[], aside = false): Promise<boolean> {
  if (interrupted) return false;
  console.error(`\n— ${name}`);
  const began = performance.now();
  const success = await run(command, args, aside);
  console.error(`— ${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return success;
}

/** Sends a signal to all that was started. */
function end(signal: NodeJS.Signals): void {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(windows ? pid : -pid, signal);
    } catch {
      // It had ended.
    }
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true;
    end(signal);
    setTimeout(() => end('SIGKILL'), GRACE_MS).unref();
  });

shareWarm(env.MODELS_WARM);
mkdirSync(local, { recursive: true });
const lacks = await lacking();
if (lacks.length > 0) {
  console.error(['The tests cannot run on this machine.', ...lacks].join('\n'));
  process.exit(1);
}
// Chosen tests fetch what they need themselves.
const prepared = words.length === 0 ? run(process.execPath, [join(root, 'test', 'prepare.ts')]) : undefined;
// Until they are there, local AWSs start without.
const forks = prepared
  ?.then((success) =>
    success && process.platform === 'linux' ? startForks(env.MODELS_AWS_FORKS) : undefined,
  )
  .catch(console.error);
const style = (aside = false) => step('style', 'biome', ['check', '.'], aside);
const types = async (aside = false): Promise<boolean> =>
  (await step('types', 'tsc', ['--noEmit'], aside)) &&
  (await step('types of what browsers run', 'tsc', ['--noEmit', '-p', 'functions/catalog/browser'], aside));
/** One run of Vitest. */
function vitest(name: string, args: readonly string[], aside = false): Promise<boolean> {
  const report = join(tmp, `${name.replaceAll(' ', '-')}.json`);
  reports.push(report);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return step(name, 'vitest', ['run', ...reporters, ...args], aside);
}

const none = chosen?.length === 0;
if (none) console.error('No test file is touched by the change.');
const of = (projects: object): readonly string[] =>
  Object.keys(projects).flatMap((name) => ['--project', name]);

type Steps = { readonly styled: boolean; readonly typed: boolean; readonly tests: boolean };
/** Half of a heavy file’s time is waiting, for which all that only computes is just right. */
async function whole(): Promise<Steps> {
  const heavy = (async () => {
    await prepared;
    return vitest('tests', of(HEAVY));
  })();
  const checked = { styled: await style(true), typed: await types(true) };
  const pure = await vitest('pure tests', of(PURE), true);
  return { ...checked, tests: [pure, await heavy].every(Boolean) };
}
const part = async (): Promise<Steps> => ({
  styled: await style(),
  typed: await types(),
  tests: none || (await vitest('tests', chosen ?? words)),
});
const { styled, typed, tests } = await (prepared ? whole() : part());
await (await forks)?.end();
await endWarm();
const extent = words.length === 0 ? ['--whole'] : [];
const calls = await step('aws', process.execPath, [join(root, 'test', 'aws-calls.ts'), ...extent]);
if (interrupted) {
  end('SIGKILL');
  records.remove();
} else records.keep();
/** A run that left no report is one failure; one that was interrupted may have left half of one. */
const outcomes =
  none || interrupted
    ? []
    : reports.map((report) =>
        existsSync(report)
          ? outcome(JSON.parse(readFileSync(report, 'utf8')), root)
          : { passed: 0, failures: [`no report: ${basename(report)}`] },
      );
// A local AWS removes its files itself a moment after its starter has ended, maybe just now.
rmSync(tmp, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
if (interrupted) process.exit(130);

/** Seconds by the clock, and of processors where the system tells: of all processes that ended before. */
function spent(): string {
  const wall = `${(performance.now() / 1000).toFixed(0)} s`;
  try {
    // Behind the name, which may hold anything: own and children's time in ticks of 10 ms.
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .split(') ')[1]
      ?.split(' ')
      .slice(11, 15)
      .map(Number);
    const ticks = fields?.reduce((sum, one) => sum + one, 0) ?? 0;
    return `, ${wall} by the clock, ${(ticks / 100).toFixed(0)} s of processors`;
  } catch {
    return `, ${wall} by the clock`;
  }
}

const failures = outcomes.flatMap((one) => one.failures);
if (!tests && failures.length === 0) failures.push('Vitest ended with an error outside of its tests.');
for (const [name, success] of Object.entries({ style: styled, types: typed, aws: calls }))
  if (!success) failures.push(`step: ${name}`);
const tools = lackingTools();
if (tools.length > 0)
  console.log(
    `${tools.length} programs that read, keep or run images are not here, and their parts did not run: ${tools.join(', ')} (${bringTools(tools)})`,
  );
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((one) => `- ${one}`).join('\n')}\n`);
const passed =
  outcomes.reduce((sum, one) => sum + one.passed, 0) + [styled, typed, calls].filter(Boolean).length;
console.log(`${passed} passed, ${failures.length} failed${spent()}`);
process.exitCode = failures.length === 0 ? 0 : 1;
