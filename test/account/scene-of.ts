import type { Account, Clients } from './clients.ts';
import type { Framework, Ran } from './framework.ts';
import { stackOf } from './names.ts';
import type { Known, Scene } from './scene.ts';
import { FIRST, type Folder, type Variant } from './service.ts';
import { atRest } from './stacks.ts';

/** What all checks share; each has a signal of its own. */
export type Shared = Omit<Scene, 'signal' | 'deploy' | 'ensure'> & {
  readonly deploy: (change: Partial<Variant>, signal: AbortSignal) => Promise<Ran>;
  readonly ensure: (change: Partial<Variant>, signal: AbortSignal) => Promise<void>;
};

/** The service as it is deployed, and as it changes. */
export function sharedBy(
  name: string,
  account: Account,
  clients: Clients,
  { sls }: Pick<Framework, 'sls'>,
  folder: Pick<Folder, 'write'>,
  known: Known,
): Shared {
  let there: Variant = FIRST;
  const deploy = async (change: Partial<Variant>, signal: AbortSignal): Promise<Ran> => {
    const next = { ...there, ...change };
    // One that was given up may be at work.
    await atRest(clients, stackOf(name), signal);
    await folder.write(next);
    const ran = await sls('deploy');
    if (ran.code === 0) there = next;
    else await folder.write(there);
    return ran;
  };
  return {
    name,
    account,
    clients,
    sls,
    known,
    deploy,
    ensure: async (change, signal) => {
      if (Object.entries(change).every(([key, value]) => there[key as keyof Variant] === value)) return;
      const { code, text } = await deploy(change, signal);
      if (code !== 0) throw new Error(`sls deploy ended with ${code}: ${text.slice(-400)}`);
    },
  };
}

export const sceneFor = ({ deploy, ensure, ...shared }: Shared, signal: AbortSignal): Scene => ({
  ...shared,
  signal,
  deploy: (change) => deploy(change, signal),
  ensure: (change) => ensure(change, signal),
});
