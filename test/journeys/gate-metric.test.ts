/**
 * A gate that measures: models that scikit-learn trained, better and worse ones, on labelled rows, deployed
 * to a local AWS.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GateEvidence } from '../../core/gate/contract.ts';
import { client, deployed } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import type { Past } from '../../plugins/models/releases/history/past.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { runPython } from '../python.ts';
import { PLUGIN, prepareService, type Ran, type Service } from './service.ts';

/** Stands in a labelled row, and nowhere else: 4711.25 is a float of 32 bits. */
const MARK = '4711.25';

/**
 * `good` and `other` know all columns, `worse` is trained on one of them, `bad` on labels that were shuffled.
 * Labels are texts, as people write them; `few.csv` has the first rows of `rows.csv`.
 */
const TRAIN = `
import sys
import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

X, y = make_classification(4000, 6, n_informative=4, n_redundant=0, class_sep=1.2, flip_y=0.05, random_state=3)
X = X.astype("float32")
train, test = slice(0, 2000), slice(2000, 4000)

def save(name, rows, labels, columns=slice(None)):
    kept = np.zeros_like(rows)
    kept[:, columns] = rows[:, columns]
    model = LogisticRegression().fit(kept, labels)
    to = to_onnx(model, rows[:1], target_opset=18, options={"zipmap": False})
    open(f"{sys.argv[1]}/{name}.onnx", "wb").write(to.SerializeToString())
    return roc_auc_score(y[test], model.predict_proba(X[test])[:, 1])

shuffled = np.random.default_rng(1).permutation(y[train])
areas = {
    "good": save("good", X[train], y[train]),
    "other": save("other", X[:1000], y[:1000]),
    "worse": save("worse", X[train], y[train], [0, 1]),
    "bad": save("bad", X[train], shuffled),
}
table = pd.DataFrame(X[test], columns=[f"c{i}" for i in range(6)])
table["left"] = np.where(y[test] == 1, "yes", "no")
table["customer"] = np.arange(2000)
table.to_csv(f"{sys.argv[1]}/rows.csv", index=False)
table[:80].to_csv(f"{sys.argv[1]}/few.csv", index=False)
marked = table.copy()
marked.loc[7, "c0"] = ${MARK}
marked.to_csv(f"{sys.argv[1]}/marked.csv", index=False)
print({k: round(float(v), 4) for k, v in areas.items()})
`;

const METRIC = 'label: left, classes: [no, yes], worseThanLive: 1%';
const yaml = (
  artifact: string,
  metric = `cases: rows.csv, name: auc, min: 0.75, ${METRIC}`,
  more = '',
): string => `service: measured
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: ${artifact}.onnx
    columns: [c0, c1, c2, c3, c4, c5]
    release: {strategy: allAtOnce, rollbackWindow: 0}
    gate: {metric: {${metric}}}
${more}`;

let aws: LocalAws;
let service: Service;
let areas: Readonly<Record<string, number>>;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  service = await prepareService({ yaml: yaml('good') }, aws);
  const printed = await runPython('-c', [TRAIN, service.dir], { timeout: 240_000 });
  areas = JSON.parse(printed.trim().split('\n').at(-1)?.replaceAll("'", '"') ?? '{}');
});
afterAll(() => aws?.stop());

const outputOf = ({ stdout, stderr }: Ran): string => stdout + stderr;

async function deploy(text: string): Promise<Ran> {
  await writeFile(join(service.dir, 'serverless.yml'), text.replace('serverless-models', PLUGIN));
  return service.sls('deploy', '--verbose');
}

async function history(): Promise<readonly Past[]> {
  const ran = await service.sls('models', 'history', '--model', 'churn', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout).churn;
}

/** What the registry keeps of the gates, the latest last. */
async function evidence(): Promise<readonly GateEvidence[]> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const [stack] = await deployed(aws.endpoint);
  const Bucket = stack?.resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  const Prefix = `models/${ACCOUNT}/${REGION}/measured/dev/releases/churn/gate-`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const all = await Promise.all(
    Contents.map(async ({ Key }): Promise<GateEvidence> => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '');
    }),
  );
  s3.destroy();
  return all.toSorted((a, b) => a.at.localeCompare(b.at));
}

test('a first version that is good enough goes live, and its number is evidence', async () => {
  const first = await deploy(yaml('good'));
  expect(first.code, outputOf(first)).toBe(0);
  const [past] = await history();
  expect(past).toMatchObject({
    outcome: 'promoted',
    gate: { verdict: 'pass', metric: { name: 'auc', rows: 2000, done: 2000 } },
  });
  const { estimate, live } = past?.gate?.metric?.result ?? {};
  // As scikit-learn measured its own model, before it was exported.
  expect(estimate?.value).toBeCloseTo(areas.good ?? 0, 3);
  expect(live).toBeUndefined();
  expect((await evidence()).at(-1)?.scores?.own).toHaveLength(2000);
  const text = await service.sls('models', 'history', '--model', 'churn');
  expect(text.stdout).toMatch(
    /gate +pass: it starts; auc 0\.\d+ \(0\.\d+ to 0\.\d+\), min 0\.75: pass; \d+ MB at most/,
  );
  const status = await service.sls('models', 'status', '--model', 'churn');
  expect(status.stdout).toMatch(/gate +pass: it starts; auc 0\.\d+/);
});

test('one that is worse than the live one is refused, though above the floor', async () => {
  expect(areas.worse).toBeGreaterThan(0.78);
  const ran = await deploy(yaml('worse'));
  expect(ran.code).toBe(1);
  expect(outputOf(ran)).toMatch(
    /models\.churn\.gate: version 2 did not pass\. auc 0\.\d+ \(95 % interval 0\.\d+ to 0\.\d+\) on 2000 rows; it keeps to min 0\.75; live version 1 has 0\.\d+, difference -0\.\d+ \(-0\.\d+ to -0\.\d+\), worse by more than 0\.01\.\n/,
  );
  expect(outputOf(ran)).toContain('Version 1 keeps all traffic.');
  const { scores, gate } = (await evidence()).at(-1) ?? {};
  expect(gate?.metric?.result).toMatchObject({
    verdict: 'fail',
    limit: { verdict: 'pass' },
    live: { version: '1', verdict: 'fail' },
  });
  expect(gate?.metric?.result?.live?.value).toBeCloseTo(areas.good ?? 0, 3);
  expect(scores?.live).toMatchObject({ version: '1' });
  expect(scores?.live?.scores).toHaveLength(2000);
});

test('one that learnt nothing is refused by the floor', async () => {
  const ran = await deploy(
    yaml('bad', 'cases: rows.csv, name: auc, min: 0.75, label: left, classes: [no, yes]'),
  );
  expect(ran.code).toBe(1);
  expect(outputOf(ran)).toMatch(/on 2000 rows; all of the interval is beyond min 0\.75\./);
  // The live version is not asked where nothing is compared with it.
  expect((await evidence()).at(-1)?.scores?.live).toBeUndefined();
});

test('rows that cannot decide are no pass, unless they may be', async () => {
  const few = `cases: few.csv, name: auc, min: 0.9, ${METRIC}`;
  const ran = await deploy(yaml('other', few));
  expect(ran.code).toBe(1);
  expect(outputOf(ran)).toMatch(/on 80 rows; .*these rows cannot decide/);
  expect(outputOf(ran)).toContain('Label more rows, write another limit');
  expect(outputOf(ran)).not.toContain('Fix the model');
  const allowed = await deploy(yaml('other', `${few}, onNoData: pass`));
  expect(allowed.code, outputOf(allowed)).toBe(0);
  expect((await history())[0]).toMatchObject({
    outcome: 'promoted',
    gate: { verdict: 'pass', metric: { result: { verdict: 'nodata' } } },
  });
});

test('another memory size of the same artifact is as good, on however few rows; another limit is no release', async () => {
  const few = `cases: few.csv, name: accuracy, output: label, min: 0.5, label: y, worseThanLive: 1%`;
  const rows = (await readFile(join(service.dir, 'few.csv'), 'utf8'))
    .replace('left', 'y')
    .replaceAll(',yes,', ',1,')
    .replaceAll(',no,', ',0,');
  await writeFile(join(service.dir, 'few.csv'), rows);
  const ran = await deploy(yaml('other', few, '    memory: 2000\n'));
  expect(ran.code, outputOf(ran)).toBe(0);
  const [newest, ...before] = await history();
  expect(newest?.gate?.metric?.result?.live).toMatchObject({
    verdict: 'pass',
    difference: { value: 0, low: 0, high: 0 },
  });
  const again = await deploy(yaml('other', few.replace('0.5', '0.4'), '    memory: 2000\n'));
  expect(again.code, outputOf(again)).toBe(0);
  expect(await history()).toHaveLength(before.length + 1);
});

test('sls models gate says the same, of a version and on this machine', async () => {
  const metric = `cases: marked.csv, name: auc, min: 0.75, ${METRIC}`;
  await writeFile(
    join(service.dir, 'serverless.yml'),
    yaml('good', metric).replace('serverless-models', PLUGIN),
  );
  const asked = await service.sls('models', 'gate', '--qualifier', '1', '--json');
  expect(asked.code, asked.stderr).toBe(0);
  const { gate } = JSON.parse(asked.stdout);
  expect(gate.metric.result.estimate.value).toBeCloseTo(areas.good ?? 0, 2);
  expect(gate.metric.result.live).toMatchObject({ verdict: 'pass' });
  const here = await service.sls('models', 'gate', '--local');
  expect(here.code, here.stderr).toBe(0);
  expect(here.stdout).toMatch(
    /pass\. It starts; auc 0\.\d+ .* on 2000 rows; it keeps to min 0\.75; there is no live version to compare with\./,
  );
});

test('no value of a row is in a log', async () => {
  const ran = await deploy(
    yaml('good', `cases: marked.csv, name: auc, min: 0.75, ${METRIC}, onNoData: pass`),
  );
  expect(ran.code, outputOf(ran)).toBe(0);
  const { logs } = await service.deploy();
  const lines = [...(await logs('churn')), ...(await logs('models-release'))].join('\n');
  expect(lines).toContain('gate');
  expect(lines).not.toContain(MARK);
  expect(outputOf(ran)).not.toContain(MARK);
});
