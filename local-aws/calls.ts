import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { awsPython, local } from './aws-python.ts';
import { localAws } from './start.ts';

/**
 * Who asks: a command of ours, the framework around it, a function of ours, or an adapter that a test calls.
 */
export type Asker = 'command' | 'framework' | 'function' | 'adapter';

/** What was seen of an operation of AWS. */
export type SeenOperation = {
  /** AWS's `serviceId`, for example `CloudWatch Logs`. */
  readonly service: string;
  readonly operation: string;
  readonly by: readonly Asker[];
  /** Who sent a member of the input, by its name. */
  readonly members: Readonly<Record<string, readonly Asker[]>>;
};

export type CallReport = {
  /** Its version: the service models are of its day. */
  readonly botocore: string;
  /** Distinct ones of each process. */
  readonly calls: number;
  readonly operations: readonly SeenOperation[];
  /** Statuses and error codes that the local AWS answered. */
  readonly answers: readonly {
    readonly service: string;
    readonly operation: string;
    readonly kinds: readonly string[];
  }[];
  /** What AWS would not take, or would not answer. */
  readonly violations: readonly Counted[];
  /** Exceptions within the local AWS, each with its last frames. What is answered then is one of AWS's own errors. */
  readonly crashes: readonly Counted[];
};

type Counted = { readonly text: string; readonly times: number };

/**
 * What was written to a folder that `MODELS_AWS_CALLS` named, held against AWS's service models. A folder
 * that is not there holds nothing.
 */
export async function callReport(folder: string): Promise<CallReport> {
  if (!existsSync(folder))
    return { botocore: '', calls: 0, operations: [], answers: [], violations: [], crashes: [] };
  const python = await awsPython(console.error);
  const text = await new Promise<string>((resolve, reject) => {
    const child = spawn(python, ['-m', 'semantics.calls', folder], {
      cwd: localAws,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(parts).toString())
        : reject(new Error(`The records in ${folder} could not be read: Python ended with ${code}.`)),
    );
  });
  return JSON.parse(text) as CallReport;
}

/** One line. */
export function summaryOf(report: CallReport): string {
  const { operations, calls, answers, violations, crashes, botocore } = report;
  if (calls === 0 && answers.length === 0) return 'aws: nothing was asked';
  const kinds = answers.reduce((sum, { kinds: some }) => sum + some.length, 0);
  return `aws: ${operations.length} operations, ${calls} calls, ${kinds} kinds of answers, internal errors of local AWS ${crashes.length}, violations ${violations.length} (botocore ${botocore})`;
}

/** What a run fails for, a line each: violations, and what went wrong within the local AWS. */
export const faultsOf = ({ violations, crashes }: CallReport): readonly string[] => [
  ...violations.map(line),
  ...crashes.map((crash) => `internal error of local AWS: ${line(crash)}`),
];

const line = ({ text, times }: Counted): string => `${text}${times > 1 ? ` (${times} times)` : ''}`;

/**
 * From now on everything that this process starts writes its calls down. Where whoever started this process
 * wants them already, they are theirs.
 * @returns ends it, and tells what was seen; undefined where they are somebody else's
 */
export function recordCalls(): () => Promise<CallReport | undefined> {
  if (process.env.MODELS_AWS_CALLS) return async () => undefined;
  const folder = join(local, `aws-calls-${process.pid}`);
  process.env.MODELS_AWS_CALLS = folder;
  return async () => {
    delete process.env.MODELS_AWS_CALLS;
    const report = await callReport(folder);
    await rm(folder, { recursive: true, force: true });
    return report;
  };
}
