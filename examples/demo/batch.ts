import { performance } from 'node:perf_hooks';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Success } from '../../core/batch/job.ts';
import type { Client } from './client.ts';
import { laterYears } from './later-years.ts';
import { count, type Environment, expect, seconds, type Terminal, title } from './terminal.ts';

export type BatchScene = {
  readonly sls: Terminal['sls'];
  readonly env: Environment;
  readonly client: Client;
  /** Names of the model's inputs, in their order. */
  readonly columns: readonly string[];
};

const INPUT = 'employment-demo-rows';
const OUTPUT = 'employment-demo-scored';
const KEY = '2016-2018.csv';

/** Every so many rows one is broken, in every way that such files are. */
const BROKEN = 20_000;
const BREAKS: readonly ((line: string) => string)[] = [
  (line) => line.replace(/^\d+/, 'forty'),
  (line) => line.replace(/,\d+$/, ''),
  (line) => line.replace(/,\d+,/, ',,'),
];

/** Seconds, by our clock, that an upload may take until it is scored. */
const PATIENCE = 60;

/** All later rows as one file in a bucket: scored, counted, and not a second time. */
export async function batch({ sls, env, client, columns }: BatchScene): Promise<void> {
  title('14. All people of 2016 to 2018 at once: a file in a bucket');
  const [header = '', ...people] = await laterYears(columns);
  const lines = people.map((line, i) =>
    i % BROKEN === 7 ? (BREAKS[((i / BROKEN) % 3) | 0]?.(line) ?? line) : line,
  );
  const body = `${[header, ...lines].join('\n')}\n`;
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const upload = () => s3.send(new PutObjectCommand({ Bucket: INPUT, Key: KEY, Body: body }));
  const text = async (key: string): Promise<string> =>
    (await (await s3.send(new GetObjectCommand({ Bucket: OUTPUT, Key: key }))).Body?.transformToString()) ??
    '';
  const written = async () =>
    ((await s3.send(new ListObjectsV2Command({ Bucket: OUTPUT }))).Contents ?? [])
      // But for what points to the latest write.
      .filter(({ Key = '' }) => !Key.includes('/latest/'))
      .map(({ Key = '', ETag, LastModified }) => ({ key: Key, ETag, at: LastModified?.toISOString() }));
  try {
    console.log(
      `${count(people.length)} rows, ${(body.length / 1e6).toFixed(1)} MB; one in ${count(BROKEN)} is broken`,
    );
    const since = performance.now();
    await upload();
    const success = await completed(async () => (await written()).map(({ key }) => key), text);
    console.log(`scored ${seconds(since)} after the upload, by version ${success.version}`);
    for (const { key, rows, errors } of success.files)
      console.log(`  s3://${OUTPUT}/${key}: ${count(rows - errors)} answers`);
    expect(success.rows === people.length, `every row is counted: ${success.rows}`);
    const errors = lines.filter((line, i) => line !== people[i]).length;
    expect(success.errors === errors, `${errors} rows are broken, ${success.errors} are told`);
    const [file] = success.files;
    const answers = (await text(file?.key ?? '')).split('\n').length - 2;
    expect(answers === people.length - errors, `the others have an answer each: ${answers}`);

    const faults = await text(file?.errorsKey ?? '');
    console.log(`${errors} rows could not be scored, each listed with its reason:`);
    for (const fault of faults.trim().split('\n').slice(0, 3)) console.log(`  ${fault}`);

    title('15. The same file again');
    const before = JSON.stringify(await written());
    await upload();
    await sls(['models', 'batch', '--input', `s3://${INPUT}/${KEY}`, '--wait'], { env });
    expect(
      JSON.stringify(await written()) === before,
      'nothing was scored, and nothing written, a second time',
    );
    console.log('nothing was scored, and nothing written, a second time');
    await sls(['models', 'batch', '--status', '--input', `s3://${INPUT}/`], { env });
  } finally {
    s3.destroy();
  }
}

async function completed(
  keys: () => Promise<readonly string[]>,
  text: (key: string) => Promise<string>,
): Promise<Success> {
  const end = performance.now() + PATIENCE * 1000;
  for (;;) {
    const found = (await keys()).find((key) => key.endsWith('_SUCCESS.json'));
    if (found !== undefined) return JSON.parse(await text(found));
    expect(performance.now() < end, `the file is scored within ${PATIENCE} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
