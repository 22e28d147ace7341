import type { CardDocument, DeclaredCard } from '../core/card/contract.ts';
import { type CardKnown, mergeCard } from '../core/card/merge.ts';
import type { ArtifactOrigin } from '../core/origin/contract.ts';

/** Cards of all kinds, for whatever reads or writes one. */

const SHA = { a: 'a'.repeat(64), b: 'b'.repeat(64), c: 'c'.repeat(64) };

const MLFLOW: ArtifactOrigin = {
  from: 'mlflow',
  at: 'https://mlflow.example.com',
  name: 'churn',
  version: '3',
  alias: 'champion',
  run: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  by: 'ann',
  licence: 'apache-2.0',
  task: 'classification',
  datasets: [
    { name: 'churn-2026-11', digest: '9766b1a6', context: 'training' },
    { name: 'churn-eval', digest: '00000001', context: 'evaluation' },
  ],
  metrics: [
    { name: 'auc', value: 0.9134, dataset: 'churn-eval' },
    { name: 'log_loss', value: 0.31 },
  ],
};

const HUB: ArtifactOrigin = {
  from: 'huggingface',
  at: 'https://hub.example.com',
  name: 'org/tiny',
  version: '1234567890'.repeat(4),
  licence: 'Some Licence of Its Own v1',
  task: 'text-classification',
  bases: ['org/big'],
};

/** Whatever is written by others may be meant for a page, a table, a terminal or a parser. */
const HOSTILE =
  '<img src=x><script>alert(1)</script> | a` [x](javascript:alert(1)) \u001b[31m *b* \u2028 "&amp; https://evil.example @all';

const document = (
  model: string,
  given: DeclaredCard,
  known: CardKnown,
  more: Partial<CardDocument> = {},
): CardDocument => ({
  schema: 1,
  model,
  card: mergeCard(given, known).card,
  artifact: { sha256: SHA.a, files: [{ path: 'model.onnx', sha256: SHA.b, bytes: 1234 }], opset: 20 },
  ...(known.origin && { origin: known.origin }),
  runtime: { name: 'ONNX Runtime', version: '1.30.0', purl: 'pkg:npm/onnxruntime-node@1.30.0' },
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
  ...more,
});

export const CARDS: Readonly<Record<'bare' | 'mlflow' | 'hub' | 'hostile', CardDocument>> = {
  /** Nobody says anything. */
  bare: document('bare', {}, {}, { runtime: { name: 'ONNX Runtime', version: '1.30.0' } }),
  mlflow: document(
    'churn',
    {
      dataset: { file: 'data/train.parquet', name: 'churn-2026-11' },
      metrics: { auc: { value: 0.91, on: 'churn-eval', min: 0.88 } },
      licence: 'Apache-2.0',
      owner: 'risk@example.com',
    },
    { origin: MLFLOW, data: { sha256: SHA.c, bytes: 56_789 } },
    { signedBy: 'the key 0123456789ab…' },
  ),
  hub: document(
    'tiny',
    { base: `hf://org/big@${'0123456789'.repeat(4)}`, dataset: { sha256: SHA.a } },
    { origin: HUB },
    {
      artifact: {
        sha256: SHA.a,
        files: [
          { path: 'model.onnx', sha256: SHA.b, bytes: 1 },
          { path: 'weights/w.bin', sha256: SHA.c, bytes: 2 },
        ],
        opset: 0,
      },
    },
  ),
  hostile: document(
    'hostile',
    { owner: 'o' },
    {
      origin: {
        ...MLFLOW,
        name: HOSTILE,
        version: HOSTILE,
        by: HOSTILE,
        run: HOSTILE,
        licence: HOSTILE,
        task: HOSTILE.repeat(100),
        bases: [HOSTILE],
        datasets: [{ name: HOSTILE, digest: HOSTILE, context: HOSTILE }],
        metrics: [{ name: HOSTILE, value: -1e-300, dataset: HOSTILE }],
      },
    },
    {
      inputs: [{ name: HOSTILE, datatype: 'FP32', shape: [] }],
      artifact: { sha256: SHA.a, files: [{ path: HOSTILE, sha256: SHA.b, bytes: 0 }], opset: 20 },
      signedBy: HOSTILE,
    },
  ),
};
