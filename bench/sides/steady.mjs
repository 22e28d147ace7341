// Steady latency: `node steady.mjs <task.json>` warms each case up, runs them in turns, block after block,
// and writes {answer, otherAnswer, outputs, <case>: [p50 in µs], p95: …, cpu: …} to file descriptor 3. A
// task:
//   handler?: {file, event}        the handler, and the file of the event it is called with
//   other?: {file, event}          another handler, beside which it is measured
//   bare?: {model, options, tensor} `session.run` on a tensor that is made once: {name, shape, file} of
//   little-endian float32 warm, block: ms                 at least one call each blocks: number
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const task = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => 10_000 };
const cases = {};
const figures = () => ({ handler: [], other: [], bare: [] });
const result = { ...figures(), p95: figures(), cpu: figures() };

if (task.bare) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const { model, options, tensor } = task.bare;
  const session = await ort.InferenceSession.create(model, options);
  const bytes = readFileSync(tensor.file);
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const feeds = { [tensor.name]: new ort.Tensor('float32', values, tensor.shape) };
  const outputs = Object.entries(await session.run(feeds));
  result.outputs = Object.fromEntries(outputs.map(([name, { data }]) => [name, Array.from(data, Number)]));
  cases.bare = () => session.run(feeds);
}
for (const [name, answer] of [
  ['handler', 'answer'],
  ['other', 'otherAnswer'],
]) {
  if (!task[name]) continue;
  const { handler } = await import(pathToFileURL(task[name].file).href);
  const event = JSON.parse(readFileSync(task[name].event, 'utf8'));
  result[answer] = await handler(event, context);
  cases[name] = () => handler(event, context);
}

/**
 * Calls one case for so many milliseconds.
 *
 * @returns median, 95th percentile, and processor time a call, in microseconds
 */
async function block(call, ms) {
  const times = [];
  const cpu = process.cpuUsage();
  const end = performance.now() + ms;
  let before;
  do {
    before = performance.now();
    await call();
    times.push(performance.now() - before);
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const [p50, p95] = [0.5, 0.95].map((share) => times[Math.floor(times.length * share)] * 1000);
  return { p50, p95, cpu: (user + system) / times.length };
}

for (const name in cases) await block(cases[name], task.warm);
for (let i = 0; i < task.blocks; i++) {
  // Every second round goes the other way, so that neither case always runs on what the other one left
  // behind.
  const names = i % 2 === 0 ? Object.keys(cases) : Object.keys(cases).reverse();
  for (const name of names) {
    const { p50, p95, cpu } = await block(cases[name], task.block);
    result[name].push(p50);
    result.p95[name].push(p95);
    result.cpu[name].push(cpu);
  }
}
writeSync(3, `${JSON.stringify(result)}\n`);
process.exit(0);
