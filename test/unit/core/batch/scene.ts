import { type Entry, KEYS, type Owner } from '../../../../core/batch/contract.ts';
import { folderOf, type Job } from '../../../../core/batch/job.ts';
import { againText, readAgain } from '../../../../core/batch/message.ts';
import type { BatchWorld } from '../../../../core/batch/ports.ts';
import { finishLargeJob, receiveMessage, scorePart } from '../../../../core/batch/receive.ts';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { fakeBucket } from '../../../fakes/bucket.ts';
import { type Chaos, calm } from '../../../fakes/chaos.ts';

export const ENTRY: Entry = {
  input: { bucket: 'in', prefix: 'rows/', suffix: '.csv' },
  output: { bucket: 'out', prefix: 'scored/' },
  format: 'csv',
  outputFormat: 'csv',
  tolerate: 0.5,
  ids: [],
  join: false,
  emit: [],
};

export const OWNER: Owner = {
  schema: 1,
  account: '123456789012',
  region: 'us-east-1',
  service: 'shop',
  stage: 'dev',
};

const MANIFEST: Manifest = {
  schema: 1,
  model: 'sum',
  identity: '0123456789abcdef'.repeat(4),
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    omitted: [],
  },
  opset: 17,
  file: 'model/model.onnx',
  remote: [],
};

/** Adds the two numbers of each row. */
const run = ({ x }: Tensors): Tensors => {
  const values = (x?.data ?? new Float32Array()) as Float32Array;
  const sums = new Float32Array(values.length / 2).map(
    (_, i) => (values[2 * i] ?? 0) + (values[2 * i + 1] ?? 0),
  );
  return { y: { datatype: 'FP32', shape: [sums.length, 1], data: sums } };
};

/** S3 has them of several lengths; here the later one is greater, as none is shorter. */
const sequencerOf = (write: number): string => write.toString(16).toUpperCase().padStart(18, '0');

/** A batch function among fakes: buckets, queues, and a map that runs the parts one after another. */
export function scene(
  options: {
    readonly entry?: Partial<Entry>;
    readonly manifest?: Partial<Manifest>;
    readonly chaos?: Chaos;
    readonly whole?: number;
    readonly part?: number;
    readonly file?: number;
    readonly owner?: Owner;
    /** Milliseconds that the model takes for a row; an invocation is killed after 15 minutes. */
    readonly pace?: () => number;
  } = {},
) {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  let end = Number.POSITIVE_INFINITY;
  const chaos: Chaos = async (point) => {
    if (clock.now > end) throw new Error('ran out of time');
    await (options.chaos ?? calm)(point);
  };
  const invocation = async <T>(work: () => Promise<T>): Promise<T> => {
    end = clock.now + 900_000;
    return work().finally(() => {
      end = Number.POSITIVE_INFINITY;
    });
  };
  const input = fakeBucket(chaos, () => clock.now);
  const output = fakeBucket(chaos, () => clock.now);
  const failed: { readonly body: string; readonly code: string; readonly reason: string }[] = [];
  const again: string[] = [];
  /** When the attempts began that go on. */
  const since: (string | undefined)[] = [];
  /** What the queue says beside each message in `again`. */
  const attributes: string[] = [];
  const counted: Record<string, number> = {};
  const spread: Job[] = [];
  /** Folders of jobs whose parts run. */
  const busy: string[] = [];
  const entry: Entry = { ...ENTRY, ...options.entry };
  const world: BatchWorld = {
    manifest: { ...MANIFEST, ...options.manifest },
    entries: [entry],
    owner: options.owner ?? OWNER,
    version: '7',
    run: (rows) => {
      const outputs = run(rows);
      for (let row = outputs.y?.shape[0] ?? 0; row > 0; row--) clock.now += options.pace?.() ?? 0;
      return { outputs };
    },
    sizes: { whole: options.whole ?? 1_000_000, part: options.part ?? 40, file: options.file ?? 1_000_000 },
    head: input.head,
    source: input.source,
    files: () => output.files,
    queue: {
      fail: async (body, { code, reason }) => {
        await chaos('before fail');
        failed.push({ body, code, reason });
        await chaos('after fail');
      },
      again: async (body, _, began, isAsked) => {
        await chaos('before again');
        again.push(body);
        since.push(began);
        attributes.push(againText(began, isAsked));
      },
      later: async () => {},
    },
    running: async (folder) => {
      await chaos('before running');
      return { own: busy.includes(folder.prefix), others: busy.some((other) => other !== folder.prefix) };
    },
    spread: async (job, folder) => {
      await chaos('before spread');
      if (busy.includes(folder.prefix)) return 'running';
      spread.push(job);
      await chaos('after spread');
      return 'started';
    },
    left: () => Math.min(900_000, end - clock.now),
    clock: () => clock.now,
    count: (metrics) => {
      for (const [name, value] of Object.entries(metrics)) counted[name] = (counted[name] ?? 0) + value;
    },
    log: () => {},
  };
  let sequence = 0;
  return {
    world,
    input,
    output,
    failed,
    again,
    since,
    attributes,
    counted,
    spread,
    busy,
    clock,
    /** Uploads, and gives the event that S3 sends of it. */
    upload: (key: string, body: Uint8Array | string): string => {
      const { etag, bytes } = input.set(key, body);
      sequence += 1;
      return JSON.stringify({
        source: 'aws.s3',
        'detail-type': 'Object Created',
        detail: {
          bucket: { name: 'in' },
          object: { key, etag, size: bytes.length, sequencer: sequencerOf(sequence) },
        },
      });
    },
    send: (body: string, byHand = false, began?: string): Promise<void> =>
      invocation(() =>
        receiveMessage(world, { body, again: byHand, ...(began !== undefined && { since: began }) }),
      ),
    /** All that asked to come again comes again, as the queue has it. */
    sendAgain: async (): Promise<void> => {
      since.length = 0;
      const told = attributes.splice(0);
      for (const [i, body] of again.splice(0).entries())
        await invocation(() => receiveMessage(world, { body, ...readAgain(told[i]) }));
    },
    /** The map, with every part tried and tried again as the state machine does, then the end. */
    map: async (job: Job, tries = 3): Promise<void> => {
      const folder = folderOf(job, entry);
      const plan = output.objects.get(`${folder.prefix}${KEYS.plan}`);
      const parts = JSON.parse(Buffer.from(plan?.bytes ?? []).toString()) as Part[];
      for (const part of parts) {
        for (let left = tries; left > 0; left--) {
          try {
            while ((await invocation(() => scorePart(world, JSON.parse(JSON.stringify(job)), part))).more);
            break;
          } catch {
            // The state machine tries again, then goes on: `finish` sees what is missing.
          }
        }
      }
      await invocation(() => finishLargeJob(world, job));
    },
    /** What was written, by the end of its key: text. */
    files: (): Record<string, string> =>
      Object.fromEntries(
        [...output.objects]
          .map(
            ([key, { bytes }]) =>
              [key.replace(/^.*\/[0-9a-f]{64}\//, ''), Buffer.from(bytes).toString()] as const,
          )
          .sort(([one], [other]) => (one < other ? -1 : 1)),
      ),
  };
}

/** What does not depend on when and how often it was tried. */
export function steady(files: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(files)
      .filter(([name]) => name !== KEYS.plan)
      .map(([name, text]) => {
        if (!name.endsWith('.json')) return [name, text];
        return [
          name,
          JSON.parse(text, (key, value) =>
            /^(startedAt|finishedAt|failedAt|modified|ms|sequencer)$/.test(key) ? undefined : value,
          ),
        ];
      }),
  );
}
