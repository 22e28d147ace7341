/** Evidently from its own package, in an environment of its own: not quoted but run. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { venvPython } from '../../local-aws/venv.ts';
import { percent, type Table } from '../release/cells.ts';
import { SIZES } from './pool.ts';
import { type Ours, share } from './power.ts';

const FOLDER = join(import.meta.dirname, 'evidently');
const LIMIT_MS = 10 * 60_000;

type Asked = {
  readonly sizes: readonly number[];
  /** σ */
  readonly shifts: readonly number[];
  /** Rows of the reference: Evidently takes another test above 1000. */
  readonly references: readonly number[];
  /** Windows a cell. */
  readonly repeats: number;
};
const ASKED: Asked = { sizes: SIZES, shifts: [0, 0.25, 0.5], references: [1000, 10_000], repeats: 300 };

type Row = {
  readonly reference: number;
  readonly n: number;
  readonly shift: number;
  readonly method: string;
  readonly threshold: number;
  /** Share of the windows. */
  readonly drifted: number;
};
export type Evidently = { readonly version: string; readonly rows: readonly Row[] };

let ran: Promise<Evidently> | undefined;
/** Every cell of the table; run once. */
export function evidently(): Promise<Evidently> {
  ran ??= run();
  return ran;
}

async function run(): Promise<Evidently> {
  const python = await venvPython({
    name: 'venv-evidently',
    requirements: join(FOLDER, 'requirements.txt'),
    // The pinned numpy's least.
    least: [3, 11],
    who: 'The bench of drift',
    announce: 'Evidently for the bench: installing into .local/venv-evidently (about 1 GB, a minute) …',
    log: (line) => console.error(line),
  });
  const child = spawn(python, [join(FOLDER, 'drift.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    // It sends nothing, and asks nobody.
    env: { ...process.env, DO_NOT_TRACK: '1', PYTHONDONTWRITEBYTECODE: '1' },
  });
  child.stdin.end(JSON.stringify(ASKED));
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`Evidently ended with ${code ?? `its limit of ${LIMIT_MS} ms`}.`);
  return JSON.parse(Buffer.concat(parts).toString());
}

export function rateOf({ rows }: Evidently, reference: number, n: number, shift: number): number {
  const row = rows.find((one) => one.reference === reference && one.n === n && one.shift === shift);
  if (row === undefined) throw new Error(`Evidently was not asked for ${reference}, ${n}, ${shift}.`);
  return row.drifted;
}

/** @param ours S2 beside it, where it was simulated */
export function evidentlyTable(
  found: Evidently,
  ours: (reference: number, n: number) => Ours | undefined,
): Table {
  const rows = ASKED.references.flatMap((reference) =>
    ASKED.sizes.map((n) => {
      const first = found.rows.find((row) => row.reference === reference && row.n === n);
      const [still, ...drifted] = ASKED.shifts.map((shift) => rateOf(found, reference, n, shift));
      return [
        `${reference}`,
        `${n}`,
        `${first?.method}, ${first?.threshold}`,
        percent(still ?? Number.NaN),
        ...drifted.map(share),
        `${Math.round(20 * 720 * (still ?? Number.NaN))}`,
        ...besideOf(ours(reference, n)),
      ];
    }),
  );
  return {
    title: 'Evidently’s defaults',
    about: `Evidently ${found.version} as installed, one numeric column of normal values, ${ASKED.repeats} windows a cell: the test and the threshold are its own choice. Windows without drift that it calls drifted, %; shares of shifted ones; and the first as false alarms a month of 20 columns and 720 hours. Beside it S2 at 0.001, and set to find as many windows that moved by 0.25 σ, false alarms in %: a small shift of a normal variable is what Wasserstein’s distance sees best.`,
    head: [
      'reference',
      'rows',
      'its test, threshold',
      'false, %',
      '0.25 σ',
      '0.5 σ',
      'false a month',
      'S2, false',
      'S2, at equal power',
    ],
    rows,
  };
}

function besideOf(ours: Ours | undefined): readonly string[] {
  return ours === undefined ? ['–', '–'] : [percent(ours.falseAlarms), percent(ours.equal)];
}
