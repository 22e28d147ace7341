import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a run wrote down before it made anything, so that one that was killed is found again. */
export type State = {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** The local AWS’s; empty for AWS itself. Two may have one account’s number. */
  readonly endpoint: string;
  /** ISO 8601 */
  readonly begun: string;
  readonly phase: 'asking' | 'creating' | 'checking' | 'removing';
  /** The run’s process. */
  readonly pid: number;
};

export type States = {
  /** Where the service of a run lies. */
  readonly folder: (name: string) => string;
  readonly write: (state: State) => Promise<void>;
  readonly all: () => Promise<readonly State[]>;
  readonly forget: (name: string) => Promise<void>;
};

/** Does its process still run? */
export function isUnderWay({ pid }: State): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Where the SDK sends everything, if that is not AWS. */
export const endpointNow = (): string => process.env.AWS_ENDPOINT_URL ?? '';

/** @param dir the project's own, `.local/account` */
export function statesIn(dir: string): States {
  const file = (name: string): string => join(dir, `${name}.json`);
  return {
    folder: (name) => join(dir, name),
    write: async (state) => {
      await mkdir(dir, { recursive: true });
      await writeFile(file(state.name), `${JSON.stringify(state, null, 2)}\n`);
    },
    all: async () => {
      const names = await readdir(dir).catch(() => []);
      const files = names.filter((name) => name.endsWith('.json'));
      return Promise.all(
        files.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8')) as State),
      );
    },
    forget: async (name) => {
      await rm(file(name), { force: true });
      await rm(join(dir, name), { recursive: true, force: true });
    },
  };
}
