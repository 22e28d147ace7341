import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const module = pathToFileURL(join(process.cwd(), 'plugins/models/serve/interrupt.ts')).href;

/** What a command does that has something to remove: it says so, takes a while, and says what it found. */
const work = (before: string) => `
  import { untilInterrupted } from ${JSON.stringify(module)};
  setTimeout(() => process.exit(9), 60_000);
  const interrupted = untilInterrupted();
  process.stdout.write('begun');
  ${before}
  await interrupted;
  process.stderr.write('Interrupted.');
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.stdout.write('removed');
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.exit(130);`;

const started = (code: string, stderr: 'pipe' | number = 'pipe') =>
  spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', stderr] });

it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'after %s a command comes to its end where nobody reads what it writes',
  async (signal) => {
    const child = started(work(''));
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([130, null]);
  },
);

it.skipIf(process.platform === 'win32')('that nobody reads any more interrupts, too', async () => {
  const child = started(work(`setInterval(() => process.stdout.write('still at it'), 20);`));
  await once(child.stdout ?? child, 'data');
  child.stdout?.destroy();
  expect(await once(child, 'exit')).toEqual([130, null]);
});

it.skipIf(process.platform !== 'linux')('a full disk is no interruption', async () => {
  const child = started(work(`process.stderr.write('a line');`), openSync('/dev/full', 'w'));
  expect(await once(child, 'exit')).toEqual([1, null]);
});
