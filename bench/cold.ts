import { join } from 'node:path';
import { pythonBin } from '../test/python.ts';
import { mustAgree, outputsOf } from './answers.ts';
import { type Command, inTurns, run, SIDES } from './children.ts';
import type { Claim, Effort, Measured } from './claims.ts';
import { type Constraint, oneCore, oneVcpuQuota } from './constrain.ts';
import type { ModelName } from './events.ts';
import { event, original, otherSurroundings, ownSurroundings, peers, shipped } from './stage.ts';

type Side = Omit<Command, 'prefix'>;

const answerOnce = async (handler: string, name: ModelName) => ({
  program: process.execPath,
  args: [join(SIDES, 'cold.mjs'), handler, await event(name, 'json')],
});

async function generated(name: ModelName): Promise<Side> {
  const { dir } = await shipped(name);
  return { ...(await answerOnce(join(dir, 'handler.mjs'), name)), ...(await ownSurroundings(dir)) };
}

async function naive(name: ModelName): Promise<Side> {
  const around = await otherSurroundings(SIDES, await original(name));
  return { ...(await answerOnce(join(SIDES, 'naive.mjs'), name)), ...around };
}

async function middy(name: ModelName): Promise<Side> {
  const folder = await peers();
  const around = await otherSurroundings(folder, await original(name));
  return { ...(await answerOnce(join(folder, 'handler.mjs'), name)), ...around };
}

async function python(name: ModelName): Promise<Side> {
  return {
    program: await pythonBin(),
    args: [join(SIDES, 'cold.py'), await event(name, 'json')],
    ...(await otherSurroundings(SIDES, await original(name))),
  };
}

/** Milliseconds from the spawning of a process to its first answer; files are in the page cache for both. */
async function compare(
  name: ModelName,
  other: (name: ModelName) => Promise<Side>,
  constrain: () => Constraint,
  effort: Effort,
): Promise<Measured> {
  const constraint = constrain();
  if ('unmeasured' in constraint) return constraint;
  const sides = { ours: await generated(name), other: await other(name) };
  const once = async (side: Side) => run({ ...side, prefix: constraint.prefix });
  const answers = [await once(sides.ours), await once(sides.other)].map(({ text }) =>
    outputsOf(JSON.parse(text)),
  );
  mustAgree(answers[0] ?? {}, answers[1] ?? {});
  // Twice as many as elsewhere: a start is short, and one figure each.
  return inTurns(effort.repeats * 2 + 1, {
    ours: async () => (await once(sides.ours)).first,
    other: async () => (await once(sides.other)).first,
  });
}

export const COLD: readonly Claim[] = [
  {
    name: 'cold-minilm',
    group: 'cold',
    about: '89 MB model (MiniLM-L6’s layout), one core',
    ours: 'generated handler',
    other: 'naive handler: original model, defaults',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.6,
    measure: (effort) => compare('minilm', naive, oneCore, effort),
  },
  {
    name: 'cold-minilm-one-vcpu',
    group: 'cold',
    about: 'the same at a quota of one vCPU',
    ours: 'generated handler',
    other: 'naive handler: original model, defaults',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.5,
    measure: (effort) => compare('minilm', naive, oneVcpuQuota, effort),
  },
  {
    name: 'cold-logreg-middy',
    group: 'cold',
    about: 'logistic regression, one core',
    ours: 'generated handler',
    other: 'middy 7 from node_modules with normaliser, JSON parser, validator, error handler',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.3,
    measure: (effort) => compare('logreg', middy, oneCore, effort),
  },
  {
    name: 'cold-logreg-python',
    group: 'cold',
    about: 'logistic regression, one core',
    ours: 'generated handler',
    other: 'Python onnxruntime handler, one thread',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.85,
    measure: (effort) => compare('logreg', python, oneCore, effort),
  },
  {
    name: 'cold-minilm-python',
    group: 'cold',
    about: '89 MB model, one core',
    ours: 'generated handler',
    other: 'Python onnxruntime handler, one thread',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.85,
    measure: (effort) => compare('minilm', python, oneCore, effort),
  },
];
