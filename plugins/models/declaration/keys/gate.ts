import { z } from 'zod';
import { MEASURES, type Measure } from '../../../../core/quality/contract.ts';
import { key, kind } from './key.ts';
import { between, inSeconds, list, map, number, positive, text } from './kinds.ts';
import { percentOf } from './units.ts';

const measures = Object.keys(MEASURES) as [Measure, ...Measure[]];

/** `1%` and 0.01: a number in the measure’s own unit, and whether it was written in percent. */
const margin = kind(
  z
    .preprocess(
      (value: number | string) => (typeof value === 'number' ? String(value) : value),
      z.string().regex(/^\d{1,15}(\.\d{1,20})?(e-?\d{1,2})?\s*%?$/i),
    )
    .transform((written) => {
      const percent = written.trim().endsWith('%');
      return { by: percent ? percentOf(written) / 100 : Number(written), percent };
    }),
  { type: 'number, or percent', fix: 'Write a number of the metric’s own unit, for example 0.01, or 1%.' },
);

/** `models.<name>.gate.metric`. */
const metricKey = key(
  map({
    cases: key(text, {
      required: true,
      description: 'Labelled rows: a table of the model’s inputs with a column for the label.',
      example: 'tests/labelled.csv',
      fix: 'Write the path of a table that ends in .csv, .jsonl or .parquet.',
    }),
    name: key(z.enum(measures), { required: true, description: 'What is measured.' }),
    label: key(text, { default: 'label', description: 'The column that has the label.' }),
    output: key(text, {
      description: 'The output that is the prediction; else the only one that can be.',
      example: 'probabilities',
      fix: 'Write the name of an output, which `sls models list` shows.',
    }),
    classes: key(list(text, 2), {
      description: 'Labels that are texts: names of the output’s columns, in their order.',
      example: '[stays, leaves]',
      fix: 'Write a list of the labels, in the order of the output’s columns.',
    }),
    min: key(number, {
      unit: 'of the metric',
      description: 'The least that a version may have, of accuracy, auc and r2.',
      example: '0.85',
      fix: 'Write a number, for example 0.85.',
    }),
    max: key(number, {
      unit: 'of the metric',
      description: 'The most that a version may have, of logLoss, mae and rmse.',
      example: '0.4',
      fix: 'Write a number, for example 0.4.',
    }),
    worseThanLive: key(margin, {
      description: 'By so much it may be worse than the live version on the same rows.',
      example: '1%',
    }),
    onNoData: key(z.enum(['refuse', 'pass']), {
      default: 'refuse',
      description: 'And where the rows cannot decide?',
    }),
  }),
  {
    description: 'How good a version must be on labelled rows, measured by asking it.',
    fix: 'Write {cases: tests/labelled.csv, name: auc, min: 0.85}, for example.',
  },
);

/** `models.<name>.gate`. */
export const gateKey = key(
  map({
    /** A path, relative to the service. */
    cases: key(text, {
      description: 'JSON lines of `{inputs, outputs}` as the protocol writes them, answered as expected.',
      example: 'tests/churn.jsonl',
      fix: 'Write the path of a file with a case a line.',
    }),
    /** The endpoint's name alone. */
    reference: key(
      z
        .string()
        .regex(/^sagemaker:[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/)
        .transform((reference) => reference.replace(/^sagemaker:/, '')),
      {
        description: 'A running endpoint that answers the cases, instead of `outputs`.',
        example: 'sagemaker:churn-prod',
        fix: 'Write sagemaker:<name of the endpoint>.',
      },
    ),
    tolerance: key(between(0, 1), {
      unit: 'difference, of values beyond 1 relative to the value',
      default: 1e-4,
      description: 'Largest difference, of values beyond 1 relative to the value.',
    }),
    metric: metricKey,
    load: key(
      map({
        // The worker has a third of a vCPU: beyond this it would measure itself.
        rate: key(positive(100), {
          unit: 'requests a second',
          required: true,
          description: 'Requests a second.',
        }),
        duration: key(inSeconds, {
          default: '30s',
          description: 'How long.',
          fix: 'Write a duration, for example 30s.',
        }),
      }),
      { description: 'Synthetic requests; their p95 must keep to `latency`.' },
    ),
  }),
  {
    description: 'What a version must pass before any traffic.',
    fix: 'Write {cases: tests/churn.jsonl}, for example.',
  },
);
