/** Sequences of deploys, commands and accidents, the command line included, against a reference of a page. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play, type Step, step } from './sequences/sequences.ts';
import { openService } from './sequences/service.ts';

const deploy = { a: 'same', b: 'same', isForced: false, waits: false, isBroken: false } as const;

/** A version that was refused is given all traffic by somebody, and asked for again. */
const GIVEN_ALL_TRAFFIC: readonly Step[] = [
  { do: 'deploy', ...deploy, b: 'bad', killed: undefined },
  { do: 'traffic' },
  { do: 'move alias', model: 'b', to: 1 },
  { do: 'deploy', ...deploy, killed: undefined },
];

const good: Step = { do: 'deploy', ...deploy, b: 'good', waits: true, killed: undefined };
const failing: Step = { do: 'deploy', ...deploy, b: 'good', isBroken: true, killed: undefined };
const rollback: Step = { do: 'command', model: 'b', verb: 'rollback', to: null };

/** Whoever asks for a rollback may still mean what was undone before a deploy that failed. */
const FAILED_AFTER_ROLLBACK: readonly Step[] = [
  good,
  { do: 'deploy', ...deploy, b: 'bad', waits: true, killed: undefined },
  failing,
  rollback,
];
const FAILED_AFTER_PUT_BACK: readonly Step[] = [
  good,
  { do: 'move alias', model: 'b', to: 0 },
  rollback,
  failing,
  failing,
  rollback,
];

/** A deploy of what is live does not change what was undone, whether it takes a candidate's weight or not. */
const again: Step = { do: 'deploy', ...deploy, b: 'live', killed: undefined };
const LIVE_AFTER_ROLLBACK: readonly Step[] = [
  good,
  { do: 'deploy', ...deploy, b: 'bad', waits: true, killed: undefined },
  again,
  rollback,
];
const LIVE_IN_A_CANARY: readonly Step[] = [
  good,
  { do: 'deploy', ...deploy, b: 'good', killed: undefined },
  again,
  rollback,
];

/** What is live was deployed in vain: the framework would skip it when it is deployed again. */
const LIVE_IN_VAIN: readonly Step[] = [
  { do: 'deploy', ...deploy, b: 'bad', killed: undefined },
  { do: 'deploy', ...deploy, b: 'live', isBroken: true, killed: undefined },
  { do: 'traffic' },
  { do: 'deploy', ...deploy, isBroken: true, killed: undefined },
  { do: 'deploy', ...deploy, killed: undefined },
  { do: 'deploy', ...deploy, killed: undefined },
];

/** Version by version, each time long after the one before; then by name to what the first one left. */
const traffic: Step = { do: 'traffic' };
const FURTHER_BACK: readonly Step[] = [
  ...[good, good, rollback],
  ...[traffic, traffic, traffic, rollback],
  { do: 'command', model: 'b', verb: 'rollback', to: 1 },
];

/** By force each time, with what was refused last the same: another model's. */
const FORCED_TWICE: readonly Step[] = [
  { do: 'deploy', ...deploy, a: 'bad', b: 'bad', waits: true, killed: undefined },
  { do: 'deploy', ...deploy, b: 'earlier', isForced: true, killed: undefined },
  { do: 'command', model: 'b', verb: 'rollback', to: 1 },
  { do: 'deploy', ...deploy, isForced: true, killed: undefined },
];

/** Held with a weight, which a deploy whose stack fails takes away; then what is live is asked for again. */
const GAVE_UP_IN_VAIN: readonly Step[] = [
  { do: 'deploy', ...deploy, b: 'good', waits: true, killed: undefined },
  { do: 'deploy', ...deploy, b: 'bad', killed: undefined },
  { do: 'command', model: 'b', verb: 'hold', to: null },
  { do: 'deploy', ...deploy, b: 'good', isBroken: true, killed: undefined },
  { do: 'deploy', ...deploy, b: 'live', killed: undefined },
  { do: 'command', model: 'b', verb: 'rollback', to: null },
];

/** An alias that somebody deleted comes back with the rollback of a stack that asked for what is refused. */
const REFUSED_WITHOUT_ALIAS: readonly Step[] = [
  { do: 'deploy', ...deploy, b: 'good', killed: undefined },
  { do: 'command', model: 'b', verb: 'rollback', to: null },
  { do: 'deploy', ...deploy, b: 'live', killed: undefined },
  { do: 'lose alias', model: 'b' },
  { do: 'deploy', ...deploy, b: 'refused', killed: undefined },
];

it('all that can be asked agrees after each of them', async () => {
  const runs = Number(process.env.FC_RUNS ?? 2000);
  let played = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }),
      async (steps: readonly Step[]) => {
        await play(openService(), steps);
        played += 1;
      },
    ),
    {
      numRuns: runs,
      examples: [
        GIVEN_ALL_TRAFFIC,
        FAILED_AFTER_ROLLBACK,
        FAILED_AFTER_PUT_BACK,
        LIVE_AFTER_ROLLBACK,
        LIVE_IN_A_CANARY,
        LIVE_IN_VAIN,
        FURTHER_BACK,
        FORCED_TWICE,
        GAVE_UP_IN_VAIN,
        REFUSED_WITHOUT_ALIAS,
      ].map((steps): [readonly Step[]] => [steps]),
    },
  );
  expect(played).toBe(runs);
  // Thirty seconds of a processor; a busy machine took six minutes for them.
});
