/** docs/bench.md: one section a group, each with the machine that it was measured on. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Claim, FULL, GROUPS, type Group, type Result } from './claims.ts';
import { median } from './median.ts';

const PAGE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'bench.md');

const COMMANDS = new Intl.ListFormat('en').format(GROUPS.map((group) => `\`npm run bench -- ${group}\``));

const HEAD = `# Measured claims

Written by the bench itself: ${COMMANDS}. Do not edit.

Every claim is held against another way of doing the same work, and both sides run in turns in the same run, on the
same machine, with the same request: so a busy or slow machine shifts both. Each side's answer is compared with the
other's before anything counts. A figure is the median of ${FULL.repeats} measurements a side (${FULL.repeats * 2 + 1} of cold starts), in
brackets the least and the greatest; in the serving table, each measurement is itself the median latency of a block of requests. The generated
handler is the very content of the zip that \`sls deploy\` uploads, called with the event of an HTTP API. Nothing here
was measured on AWS: trust the ratios, not the milliseconds. The models are made by \`bench/models.py\`, with random
weights where training does not change the work.`;

/** The heading of each group's section, and what its figures are. */
const TITLES: Readonly<Record<Group, string>> = {
  serving: `## Serving

Latency inside one process, after warming up; no network and no gateway. Requests follow each other without a pause.
At a quota of one vCPU ONNX Runtime's default threads use up a period's time in half of it and wait for the next, so that
some requests are quick and the others late: the median falls on either side, and one thread is the even one. It also
spends less processor time a request, which is what is billed.`,
  cold: `## Cold start

From the spawning of the process to its first answer, model files in the page cache. One core: pinned to it. One vCPU:
all cores visible, a CFS quota of one, as Lambda gives at 1,769 MB. Downloading the code to the host is not in it.`,
  release: `## Release

The judge of releases ([judge.md](judge.md)), simulated from seeds: no figure depends on the machine. All tables, with the
rules of others beside it, are in [judge-bench.md](judge-bench.md).`,
  drift: `## Drift

How often drift is called and missed, simulated from seeds: no figure depends on the machine, but Evidently's on the
versions of its packages. All tables are in [drift-bench.md](drift-bench.md).`,
  batch: `## Batch

From an object's bytes to those of the scored parts, on local disk: S3's own time is not in it. The model is the demo's, gradient
boosting over 16 columns; one thread on either side. An invocation has a process of its own, so that several score side by side. The
answers in csv are compared, of the others the number of rows is. Memory is of one run a size.`,
  capacity: `## Capacity

What \`sls models bench\` says ([bench-method.md](bench-method.md)), and what \`sls models plan --capacity\` promises
([capacity.md](capacity.md)). Both are simulated from seeds, half with fixed and half with exponential service: those figures do
not depend on the machine. The generator’s lateness does.`,
  sources: `## Sources

A model of a registry ([artifact.md](artifact.md#from-a-registry-of-models)) against the registry’s own client, from one server on
the same machine, into an empty cache each time. The model is as MLflow logs it: a graph, and its weights in another file. What is
deployed does not know where it came from, so that nothing is added to a request.`,
  host: `## Host

[The host](host.md) outside Lambda, and servers of models from PyPI, each with two processes that compute and one thread of ONNX Runtime
in each. All are up at once and asked in turns: the same request in JSON over kept connections, by callers that ask again as soon as they are
answered. Callers and servers share the machine’s cores, so all figures are below what a machine of its own gives, of either side.
Requests/s are 1,000,000 by the µs of a request. Capacity is what the host answers with two requests for each process.`,
  image: `## Image

What goes to a registry ([image.md](image.md)) where another version of the model is there: weights of chance, which no packing
makes less. No figure depends on the machine.`,
};

const begin = (group: Group): string => `<!-- begin ${group} -->`;
const end = (group: Group): string => `<!-- end ${group} -->`;

/** Replaces one group's section and keeps the others. */
export async function writeSection(
  group: Group,
  results: readonly Result[],
  machine: Readonly<Record<string, string>>,
): Promise<void> {
  const before = await readFile(PAGE, 'utf8').catch(() => '');
  const sections = GROUPS.map((name) => {
    const kept = new RegExp(`${begin(name)}[\\s\\S]*?${end(name)}`).exec(before)?.[0];
    return name === group ? [begin(name), section(group, results, machine), end(name)].join('\n') : kept;
  });
  await mkdir(dirname(PAGE), { recursive: true });
  await writeFile(PAGE, `${[HEAD, ...sections.filter((text) => text !== undefined)].join('\n\n')}\n`);
}

function section(
  group: Group,
  results: readonly Result[],
  machine: Readonly<Record<string, string>>,
): string {
  const rows = results.map((result) => {
    const { claim, verdict } = result;
    const [ours = '', other = '', beside] = sidesOf(result);
    const what = `\`${claim.name}\`: ${claim.about}${beside === undefined ? '' : ` (${beside})`}`;
    return [what, ours, other, value(result), limit(claim), verdict];
  });
  return [
    TITLES[group],
    '',
    table(['what', 'this plugin', 'beside it', 'measured', 'at most', ''], rows),
    '',
    table(['machine and versions', ''], Object.entries(machine)),
  ].join('\n');
}

/** What was measured on either side and beside them, or why nothing was. */
export function sidesOf({ claim, measured }: Result): readonly string[] {
  if ('unmeasured' in measured) return [measured.unmeasured];
  const ours = `${claim.ours}: ${figures(measured.ours, claim)}`;
  const other = claim.other === undefined ? '' : `${claim.other}: ${figures(measured.other, claim)}`;
  return [ours, other, measured.beside ?? ''].filter((text) => text !== '');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function figures(values: readonly number[], { unit }: Claim): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const middle = `${short(median(values))} ${unit}`;
  return least === most ? middle : `${middle} (${short(least)}–${short(most)})`;
}

const short = (figure: number): string => (figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3));

function value({ value, claim }: Result): string {
  if (value === undefined) return '–';
  if (claim.compare === 'ratio') return `${value.toFixed(2)}×`;
  return `${claim.compare === 'difference' ? '+' : ''}${short(value)} ${claim.unit}`;
}

function limit({ compare, limit, unit }: Claim): string {
  if (compare === 'ratio') return `${limit}×`;
  return `${compare === 'difference' ? '+' : ''}${limit} ${unit}`;
}
