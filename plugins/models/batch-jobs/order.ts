import { entryFor } from '../../../core/batch/job.ts';
import { isFolderMark, isOwnDocument } from '../../../core/batch/passed-over.ts';
import { type Problem, problemError } from '../problems/errors.ts';
import type { Cloud, Listed } from './cloud.ts';
import { type Followed, followed, type OfModel } from './jobs.ts';

/** What is asked for: the jobs of an object, or of all below a prefix. */
export type JobOrder = OfModel & { readonly identity: string; readonly queue: string };

/** Bodies that are sent at once. */
const AT_ONCE = 80;

/** Jobs that are shown. */
const SHOWN_JOBS = 1_000;

/**
 * Sends a message for each object, and gives the jobs once they are asked for: a page of objects at a time,
 * in the order of their keys. Objects that no entry takes are passed over.
 *
 * @param before what is to be known of a job before its message is sent
 * @throws ProblemError where there is nothing to score
 */
export async function* order(
  cloud: Pick<Cloud, 'head' | 'objects' | 'send'>,
  asked: JobOrder,
  input: string,
  before?: (job: Followed) => Promise<Followed>,
): AsyncIterable<readonly Followed[]> {
  const { bucket, key } = placeIn(input, asked);
  let [isEmpty, isNone] = [true, true];
  for await (const page of objectsOf(cloud, bucket, key)) {
    if (page.length > 0) isEmpty = false;
    const all = jobsOf(asked, bucket, page);
    if (all.length === 0) continue;
    isNone = false;
    const jobs: Followed[] = [];
    for (let first = 0; first < all.length; first += AT_ONCE) {
      const now = all.slice(first, first + AT_ONCE);
      jobs.push(...(before === undefined ? now : await Promise.all(now.map(before))));
      const some = now.map(({ object }) => JSON.stringify({ object: { bucket, key: object.key } }));
      const tens = Array.from({ length: Math.ceil(some.length / 10) }, (_, i) =>
        some.slice(i * 10, i * 10 + 10),
      );
      await Promise.all(tens.map((ten) => cloud.send(asked.queue, ten)));
    }
    yield jobs;
  }
  if (isEmpty) throw problemError([absent(input)]);
  if (isNone) throw problemError([nothing(input, asked)]);
}

/**
 * The first thousand jobs of an object, or of all below a prefix, that were or would be asked for. `none`:
 * why there is no job.
 */
export async function jobsIn(
  cloud: Pick<Cloud, 'head' | 'objects'>,
  asked: JobOrder,
  input: string,
): Promise<{ readonly jobs: readonly Followed[]; readonly isMore: boolean; readonly none?: string }> {
  const { bucket, key } = placeIn(input, asked);
  const jobs: Followed[] = [];
  let isEmpty = true;
  for await (const page of objectsOf(cloud, bucket, key)) {
    if (page.length > 0) isEmpty = false;
    jobs.push(...jobsOf(asked, bucket, page));
    if (jobs.length > SHOWN_JOBS) return { jobs: jobs.slice(0, SHOWN_JOBS), isMore: true };
  }
  if (jobs.length > 0) return { jobs, isMore: false };
  const { message, fix } = isEmpty ? absent(input) : nothing(input, asked);
  return { jobs, isMore: false, none: `${message} ${fix}` };
}

const jobsOf = (asked: JobOrder, bucket: string, page: readonly Listed[]): readonly Followed[] =>
  page.flatMap((object) => {
    const entry = asked.entries[entryFor(asked.entries, bucket, object.key)];
    // The function passes over them without a word: nobody is to wait for them.
    const isPassed = isOwnDocument(object.key) || isFolderMark(object.key, object.bytes);
    return entry === undefined || isPassed
      ? []
      : [followed(asked.model, asked.identity, entry, bucket, object)];
  });

/** The object of this very key, else all whose keys begin so. */
async function* objectsOf(
  cloud: Pick<Cloud, 'head' | 'objects'>,
  bucket: string,
  key: string,
): AsyncIterable<readonly Listed[]> {
  const head = key === '' || key.endsWith('/') ? undefined : await cloud.head(bucket, key);
  if (head !== undefined) yield [{ key, ...head }];
  else yield* cloud.objects(bucket, key);
}

/**
 * S3 is not asked about a bucket of which nothing is taken: it might be another’s, or not there.
 *
 * @throws ProblemError
 */
function placeIn(input: string, asked: JobOrder): { readonly bucket: string; readonly key: string } {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(input);
  const [, bucket, key = ''] = found ?? [];
  if (bucket !== undefined) {
    if (asked.entries.every((entry) => entry.input.bucket !== bucket))
      throw problemError([nothing(input, asked)]);
    return { bucket, key };
  }
  throw problemError([
    {
      code: 'MODELS_USAGE',
      key: '--input',
      message: `${input} is no place in S3.`,
      fix: 'Write s3://bucket/key, or s3://bucket/prefix/ for all below it.',
    },
  ]);
}

const absent = (input: string): Problem => ({
  code: 'MODELS_USAGE',
  key: '--input',
  message: `There is no object whose place begins with ${input}.`,
  fix: 'Write the place of one that is there, or s3://bucket/prefix/ for all below it.',
});

const nothing = (input: string, { model, entries }: JobOrder): Problem => ({
  code: 'MODELS_USAGE',
  key: '--input',
  message: `Nothing below ${input} is taken by ${model}.`,
  fix: `Its entries under batch take ${entries.map(({ input: of }) => `s3://${of.bucket}/${of.prefix}*${of.suffix}`).join(', ')}.`,
});
