import { z } from 'zod';
import { CARD_TEXT } from '../../../../core/card/contract.ts';
import { unseenIn } from '../../../../core/text/plain.ts';
import { key } from './key.ts';
import { map, number, text } from './kinds.ts';

/** `models.<name>.card`: what is told of a model, and changes nothing of what is deployed. */

/** It is shown in pages, tables and terminals. */
const said = text.max(CARD_TEXT).refine((value) => unseenIn(value) === undefined);
const line = `Write one line of at most ${CARD_TEXT} characters, all of which are seen`;

const metric = key(
  map({
    value: key(number, {
      unit: 'of the metric',
      description: 'What was measured; else what the registry of the artifact knows.',
      example: '0.91',
      fix: 'Write a number, for example 0.91.',
    }),
    on: key(said, {
      description: 'Name of the data that it was measured on.',
      example: 'eval-2026-11',
      fix: `${line}, for example eval-2026-11.`,
    }),
    min: key(number, {
      unit: 'of the metric, too',
      description: 'A model with less is refused when packaged.',
      example: '0.88',
      fix: 'Write a number, for example 0.88.',
    }),
  }),
  {
    required: true,
    description: 'One metric.',
    fix: 'Write {value: 0.91}, and `on` which data; or {min: 0.88}, where others know the value.',
  },
);

export const cardKey = key(
  map({
    dataset: key(
      map({
        file: key(said, {
          description: 'The training data: a file, which is hashed when packaged.',
          example: 'data/train.parquet',
          fix: 'Write the path of a file, relative to serverless.yml.',
        }),
        name: key(said, {
          description: 'What the training data are called.',
          example: 'churn-2026-11',
          fix: `${line}, for example churn-2026-11.`,
        }),
        sha256: key(
          z
            .string()
            .regex(/^[0-9a-f]{64}$/i)
            .transform((digest) => digest.toLowerCase()),
          {
            description: 'Digest of the training data; with `file`, the file must have it.',
            example: '9f86d081…',
            fix: 'Write the 64 hexadecimal digits that `sha256sum` prints.',
          },
        ),
      }),
      {
        description: 'What the model was trained on.',
        fix: 'Write {file: data/train.parquet}, or {name: churn-2026-11}.',
      },
    ),
    metrics: key(z.record(z.string(), metric), {
      description: 'What was measured of the model, by the name of the metric.',
      fix: 'Write {auc: {value: 0.91, on: eval-2026-11, min: 0.88}}, for example.',
    }),
    base: key(said, {
      description: 'The model that it was made from.',
      example: 'hf://org/repo@<commit>',
      fix: `${line}, for example hf://org/repo@<commit>.`,
    }),
    licence: key(said, {
      description: 'Its licence, best by its identifier of SPDX.',
      example: 'Apache-2.0',
      fix: `${line}, for example Apache-2.0.`,
    }),
    task: key(said, {
      description: 'What it does.',
      example: 'classification',
      fix: `${line}, for example classification.`,
    }),
    owner: key(said, {
      description: 'Who answers for it.',
      example: 'risk@example.com',
      fix: `${line}, for example risk@example.com.`,
    }),
  }),
  {
    description: 'What is told of the model, merged with what its registry knows; it starts no release.',
    fix: 'Write {licence: Apache-2.0, owner: risk@example.com}, for example.',
  },
);
