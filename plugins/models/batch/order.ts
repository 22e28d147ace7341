import type { Entry } from '../../../functions/batch/contract.ts';
import { entryFor } from '../../../functions/batch/job.ts';
import { type Problem, problemError } from '../errors.ts';
import type { Cloud, Listed } from './cloud.ts';
import { type Followed, followed } from './jobs.ts';

/** What is asked for: the jobs of an object, or of all below a prefix. */
export type Asked = {
  readonly model: string;
  readonly identity: string;
  readonly entries: readonly Entry[];
  readonly queue: string;
};

/** Bodies that are sent at once. */
const AT_ONCE = 80;

/**
 * Sends a message for each object. Objects that no entry takes are passed over.
 *
 * @param told after each page: objects sent so far
 * @returns the jobs, in the order of their keys
 * @throws ProblemError where there is nothing to score
 */
export async function order(
  cloud: Cloud,
  asked: Asked,
  input: string,
  told: (sent: number) => void,
): Promise<readonly Followed[]> {
  const { bucket, key } = s3Url(input);
  const jobs: Followed[] = [];
  for await (const page of objectsOf(cloud, bucket, key)) {
    const bodies: string[] = [];
    for (const object of page) {
      const entry = asked.entries[entryFor(asked.entries, bucket, object.key)];
      if (entry === undefined) continue;
      jobs.push(followed(asked.model, asked.identity, entry, bucket, object));
      bodies.push(JSON.stringify({ object: { bucket, key: object.key } }));
    }
    for (let first = 0; first < bodies.length; first += AT_ONCE) {
      const some = bodies.slice(first, first + AT_ONCE);
      const tens = Array.from({ length: Math.ceil(some.length / 10) }, (_, i) =>
        some.slice(i * 10, i * 10 + 10),
      );
      await Promise.all(tens.map((ten) => cloud.send(asked.queue, ten)));
    }
    told(jobs.length);
  }
  if (jobs.length === 0) throw problemError([nothing(input, asked)]);
  return jobs;
}

/** The jobs of an object, or of all below a prefix, that were or would be asked for: the first thousand. */
export async function jobsIn(cloud: Cloud, asked: Asked, input: string): Promise<readonly Followed[]> {
  const { bucket, key } = s3Url(input);
  for await (const page of objectsOf(cloud, bucket, key)) {
    return page.flatMap((object) => {
      const entry = asked.entries[entryFor(asked.entries, bucket, object.key)];
      return entry === undefined ? [] : [followed(asked.model, asked.identity, entry, bucket, object)];
    });
  }
  return [];
}

/** The object of this very key, else all whose keys begin so. */
async function* objectsOf(cloud: Cloud, bucket: string, key: string): AsyncIterable<readonly Listed[]> {
  const head = key === '' || key.endsWith('/') ? undefined : await cloud.head(bucket, key);
  if (head !== undefined) yield [{ key, ...head }];
  else yield* cloud.objects(bucket, key);
}

/** @throws ProblemError */
export function s3Url(input: string): { readonly bucket: string; readonly key: string } {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(input);
  if (found?.[1] !== undefined) return { bucket: found[1], key: found[2] ?? '' };
  throw problemError([
    {
      code: 'MODELS_USAGE',
      key: '--input',
      message: `${input} is no place in S3.`,
      fix: 'Write s3://bucket/key, or s3://bucket/prefix/ for all below it.',
    },
  ]);
}

const nothing = (input: string, { model, entries }: Asked): Problem => ({
  code: 'MODELS_USAGE',
  key: '--input',
  message: `Nothing below ${input} is taken by ${model}.`,
  fix: `Its entries under batch take ${entries.map(({ input: of }) => `s3://${of.bucket}/${of.prefix}*${of.suffix}`).join(', ')}.`,
});
