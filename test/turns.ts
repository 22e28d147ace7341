/**
 * How many heavy test files run at a time. Half of such a file's time is waiting, and not the same half: with
 * four of them two processors were idle for a third of a run, with eight they were too few for the deploys of
 * the busiest minutes. So a file waits for its turn, and turns are given by what the processors do.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { availableParallelism, cpus, freemem, loadavg } from 'node:os';

/** Files that may run whatever the processors do. */
const LEAST = 4;
/** Files that wait or run: as many processes are there. */
export const MOST = 10;
/** As often, one more file may begin: the first second of one shows little of what it will need. */
const EVERY_MS = 3000;
/** What must be left over for one more file, in processors. */
const SPARE = 0.35;
/** Processes that want each processor at most: what steps aside for a file that does not is another's. */
const LOAD = 5;
/** What one more file may need, with its local AWS and its functions. */
const MEMORY = 2 * 2 ** 30;

/** What the machine has left. */
export type Left = {
  /** Processors that nothing used, or only what has stepped aside (`step-aside.ts`). */
  readonly idle: number;
  /** Processes that want each processor, of the last minute. */
  readonly load: number;
  /** Bytes. */
  readonly memory: number;
};

/** Milliseconds of all processors, and those of them that nothing else wanted. */
export type Spent = { readonly all: number; readonly free: number };

/** Processors that were left over between two looks. */
export const spare = (before: Spent, after: Spent, processors: number): number =>
  after.all > before.all ? ((after.free - before.free) / (after.all - before.all)) * processors : 0;

export const mayBegin = (running: number, { idle, load, memory }: Left): boolean =>
  running < LEAST || (running < MOST && idle >= SPARE && load <= LOAD && memory >= MEMORY);

function spent(): Spent {
  let [all, free] = [0, 0];
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.irq + times.idle;
    free += times.idle + times.nice;
  }
  return { all, free };
}

export type Turns = {
  /** For `MODELS_TEST_TURNS` of who waits for one (`take-turn.ts`). */
  readonly port: number;
  end(): void;
};

/** Gives turns, in the order in which they are asked for; who closes its connection, or dies, is done. */
export async function giveTurns(look = spent): Promise<Turns> {
  const waiting: Socket[] = [];
  const running = new Set<Socket>();
  let before = look();
  const processors = availableParallelism();
  const begin = (idle: number): void => {
    const left = { idle, load: (loadavg()[0] ?? 0) / processors, memory: freemem() };
    while (waiting.length > 0 && mayBegin(running.size, left)) {
      const next = waiting.shift();
      if (next === undefined) return;
      running.add(next);
      next.write('go\n');
      // One more by what was left over, then another look.
      if (running.size > LEAST) return;
    }
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('close', () => {
      running.delete(socket);
      const at = waiting.indexOf(socket);
      if (at >= 0) waiting.splice(at, 1);
      begin(0);
    });
    socket.resume();
    waiting.push(socket);
    begin(0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timer = setInterval(() => {
    const after = look();
    begin(spare(before, after, processors));
    before = after;
  }, EVERY_MS);
  timer.unref();
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the turns have no port');
  return {
    port: address.port,
    end: () => {
      clearInterval(timer);
      server.close();
      for (const socket of [...waiting, ...running]) socket.destroy();
    },
  };
}
