import { z } from 'zod';
import { key } from './key.ts';
import { asShare, flag, inPercent, inSeconds, integer, list, map } from './kinds.ts';
import { written } from './units.ts';

/** Percent, and seconds. */
type Steps = readonly { readonly weight: number; readonly bake: number }[];

/** Where `release.steps` is not written. */
const STEPS: Steps = [5, 25, 50].map((weight) => ({ weight, bake: 600 }));
/** The steps of `linear`, which repeats the first one. */
const LINEAR: Steps = [{ weight: 10, bake: 600 }];

/** `5, 25 and 50 %` */
const weightsOf = (steps: Steps): string =>
  `${steps
    .map(({ weight }) => weight)
    .join(', ')
    .replace(/, (?=\d+$)/, ' and ')} %`;

/** `models.<name>.release`. */
const declared = map({
  strategy: key(z.enum(['auto', 'canary', 'linear', 'blueGreen', 'allAtOnce']), {
    default: 'auto',
    description: '`auto`: by `steps` if the traffic can fill them, else all at once.',
  }),
  steps: key(
    list(
      map({
        weight: key(inPercent, {
          required: true,
          description: 'The candidate’s share of traffic.',
          fix: 'Write a share of the traffic from 1% to 99%, for example 5%.',
        }),
        bake: key(inSeconds, { required: true, description: 'How long at least.' }),
      }),
      1,
    ),
    {
      description: `Default: ${weightsOf(STEPS)}, \`${written(600)}\` each; of \`linear\`, which repeats its one step: ${weightsOf(LINEAR)}.`,
      fix: 'Write steps, for example {weight: 5%, bake: 10m}, or leave the key out.',
    },
  ),
  minRequests: key(integer(1, 1_000_000), {
    unit: 'requests',
    default: 100,
    description: 'Requests of each version in a step; fewer give no verdict.',
  }),
  increase: key(asShare, {
    default: '1%',
    description: 'Share of all requests that the next step may waste if the candidate is worse.',
    fix: 'Write a share of all requests from 0.1% to 100%, for example 1%.',
  }),
  maxWait: key(inSeconds, {
    default: '2h',
    description: 'A step may wait so long for a verdict, beyond its bake.',
  }),
  onNoData: key(z.enum(['hold', 'pass', 'rollback']), { default: 'hold', description: 'And then?' }),
  rollbackWindow: key(inSeconds, {
    default: '24h',
    description: 'After promotion, an alarm may bring the last good version back; `0` never does.',
  }),
  dryRun: key(flag, { default: false, description: 'Judge and log, do not act.' }),
});

export const releaseKey = key(declared, {
  default: {},
  description: 'How a new version gets its traffic.',
  fix: 'Write {strategy: canary}, for example.',
});

type Declared = z.output<typeof declared>;

/** With the steps that a release takes by its strategy. */
export const rulesOf = ({ steps, ...rules }: Declared) => ({
  ...rules,
  steps: stepsOf(rules.strategy, steps),
});

/** `linear`: spelled out; `blueGreen` and `allAtOnce`: none. */
function stepsOf(strategy: Declared['strategy'], given: Steps | undefined): Steps {
  if (strategy === 'blueGreen' || strategy === 'allAtOnce') return [];
  if (strategy !== 'linear') return given ?? STEPS;
  const [{ weight, bake } = { weight: 100, bake: 0 }] = given ?? LINEAR;
  // A step has 99 % at most, since what it leaves the stable version must be enough for a verdict. In binary
  // 99 / 1.1 is a little less than 90.
  const count = weight > 0 ? Math.min(Math.floor(99 / weight + 1e-9), 99) : 0;
  // And 3 · 12.3 is 36.900000000000006.
  return Array.from({ length: count }, (_, index) => ({
    weight: Number((weight * (index + 1)).toPrecision(12)),
    bake,
  }));
}
