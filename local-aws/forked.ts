import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string>>;

/** A process of an emulator, which ends when this one does. */
export type Started = {
  readonly pid: number | undefined;
  readonly end: Promise<void>;
  /** Until it has ended, this process goes on. */
  ref(): void;
  /** To its stdin. */
  write(text: string): void;
};

type Asked = { readonly env: Environment; readonly cwd: string; readonly log: string };

/**
 * Each local AWS has its own, and nothing reads them while it is loaded; but for the port and the folder, which a fork replaces.
 */
const OWN: readonly string[] = [
  'GATEWAY_PORT',
  'TMPDIR',
  'MODELS_AWS_DIR',
  'MODELS_AWS_CODE',
  'MODELS_AWS_CALLS',
  'MODELS_AWS_WITHOUT',
  'MODELS_AWS_ROOM',
  'MODELS_AWS_SPEED',
  'MODELS_AWS_EPOCH',
];

/** Where the process listens that is forked for such an environment: in `folder`, by all that is not a local AWS's own. */
export function forksSocket(folder: string, env: Environment): string {
  const same = Object.entries(env).filter(([name]) => !OWN.includes(name));
  const digest = createHash('sha256').update(JSON.stringify(same.toSorted(([a], [b]) => (a < b ? -1 : 1))));
  return join(folder, digest.digest('hex').slice(0, 16));
}

/**
 * A fork of the process that `MODELS_AWS_FORKS` of this process tells the folder of (see `forks.ts`): what `python -m semantics`
 * would be, with all of it loaded. Undefined where none listens for such an environment.
 */
export async function forked(module: string, asked: Asked): Promise<Started | undefined> {
  const folder = process.env.MODELS_AWS_FORKS;
  if (!folder || module !== 'semantics') return undefined;
  const socket = connect(forksSocket(folder, asked.env));
  const end = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (!isThere) return undefined;
  socket.on('error', () => {});
  socket.write(`${JSON.stringify(asked)}\n`);
  const pid = await new Promise<number | undefined>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(Number(text));
    });
    void end.then(() => resolve(undefined));
  });
  socket.unref();
  return { pid, end, ref: () => socket.ref(), write: (text) => void socket.write(text) };
}
