/**
 * The generator by itself, as `sls models bench` runs it: prints its own lateness, and that of a run which
 * sends nothing. The latter is the machine's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { poissonArrivals } from '../../core/capacity/arrivals.ts';
import { openLoop } from '../../core/capacity/generator.ts';
import { lateness } from '../../core/capacity/lateness.ts';
import { keptPost } from '../../plugins/models/measure/post.ts';
import { exactTiming } from '../../plugins/models/measure/timing.ts';

const [rate = '1000', seconds = '5', seed = '1'] = process.argv.slice(2);
const child = fork(join(import.meta.dirname, 'target.ts'), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
if (child.stdout === null) throw new Error('no output');
const [port] = (await once(child.stdout, 'data')) as [Buffer];
const { post, close } = keptPost(new URL(`http://127.0.0.1:${port.toString().trim()}/`));
const ended = new AbortController().signal;
const run = (length: number, ask: (patience: number) => Promise<unknown>) => {
  const arrivals = poissonArrivals(Number(rate), length, Number(seed));
  const loop = { arrivals, outstanding: 1000, end: length * 1000 + 5000 };
  return openLoop(exactTiming(ended), loop, (_, patience) => ask(patience));
};
const send = (patience: number) => post('{}', AbortSignal.timeout(Math.ceil(patience)));
// Compiled and connected before anything counts.
await run(Math.min(1, Number(seconds)), send);
const idle = await run(Number(seconds), async () => undefined);
const busy = await run(Number(seconds), send);
close();
child.disconnect();
const late = ({ issued }: typeof idle) =>
  lateness(
    issued.map((one) => one.lateness),
    0,
  ).p99;
console.log(JSON.stringify({ idle: late(idle), busy: late(busy) }));
