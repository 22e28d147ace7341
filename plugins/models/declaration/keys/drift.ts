import { z } from 'zod';
import { endingsOf, formatOf } from '../../../../core/tabular/formats.ts';
import { key } from './key.ts';
import { asShare, between, map, positive } from './kinds.ts';
import { anyOf, SUFFIXES, TABULAR_WORDS } from './tabular-words.ts';
import { seconds } from './units.ts';

const ENDINGS = TABULAR_WORDS.flatMap((name) => endingsOf(formatOf(name)))
  .map((ending) => ending.replaceAll('.', '\\.'))
  .join('|');

/** In σ, also of a model without `drift`. */
export const EXPECTED_SHIFT = 0.2;

export const SAMPLE_FIX = 'Write a share of all requests from 0.1% to 100%, for example 10%.';

/** `models.<name>.drift`. */
export const driftKey = key(
  map({
    /** A path, relative to the service. */
    baseline: key(z.string().regex(new RegExp(`^(?!s3:).+(${ENDINGS})$`, 'i')), {
      required: true,
      description: `Reference data that the model was not trained on, a row a case: ${anyOf(SUFFIXES.map((suffix) => `\`${suffix}\``))}. Quantiles of it are shipped, never a row.`,
      example: 'data/churn-reference.csv',
      fix: `Write the path of a ${anyOf(SUFFIXES)} file, relative to serverless.yml.`,
    }),
    // What CloudWatch takes for a window by the clock, two of which fit into an alarm:
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-cloudwatch-alarm-wallclockwindow.html
    window: key(z.enum(['5m', '1h', '1d']).transform(seconds), {
      unit: 'seconds',
      default: '1h',
      description:
        'Traffic that is compared at a time; two in a row make an alarm. `1d` where rows differ by the hour of the day.',
    }),
    budget: key(positive(1000), {
      unit: 'false alarms a month',
      default: 1,
      description: 'False alarms a month that you put up with; how sensitive the alarms are follows from it.',
    }),
    effect: key(between(0, 3), {
      unit: 'σ',
      default: 0.1,
      description: 'In σ of the reference: a smaller shift is not worth an alarm.',
    }),
    sample: key(asShare, {
      default: '100%',
      description:
        'Share of the requests that are scored, chosen by chance; less where traffic is very high.',
      fix: SAMPLE_FIX,
    }),
    outputs: key(
      map({
        expectedShift: key(between(0, 3), {
          unit: 'σ',
          default: EXPECTED_SHIFT,
          description: 'In σ: a new version may answer this much otherwise than the one before.',
        }),
      }),
      { default: {}, description: 'What a release allows.' },
    ),
  }),
  {
    description: 'Reference data that the live traffic is held against, and who is told.',
    fix: 'Write {baseline: data/churn-reference.csv}, for example.',
  },
);
