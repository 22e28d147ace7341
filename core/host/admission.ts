/** Requests that may wait for each process, however long one takes. */
export const QUEUE_PER_WORKER = 4;

/** Where requests are short, as many may wait as are answered within so many seconds. */
const QUEUE_SECONDS = 0.25;

/** And never more, since each waits with its body in memory. */
const QUEUE_MOST = 1024;

/** How much one model has to do. */
export type ModelLoad = {
  /** Processes that it should have, whether they are up or not. */
  readonly workers: number;
  /** Requests in a process, waiting for one, or whose body is on its way and holds a place. */
  readonly places: number;
  /** How long a process takes for one, lately; 0 where none was answered yet. */
  readonly seconds: number;
};

/** Is there room for one more request? Decided on its headers alone, before anything of its body is read. */
export function hasRoom({ workers, places, seconds }: ModelLoad): boolean {
  const soon = seconds > 0 ? Math.floor((workers * QUEUE_SECONDS) / seconds) : 0;
  return places < workers + Math.max(workers * QUEUE_PER_WORKER, Math.min(soon, QUEUE_MOST));
}

/**
 * How long a request takes, after one more: the last twenty or so count. What is shorter counts at once,
 * since the first ones of a process are slow, and would have others refused that there is time for.
 */
export const smoothed = (seconds: number, last: number): number =>
  seconds === 0 ? last : seconds + (last - seconds) / (last < seconds ? 2 : 20);

/**
 * Work that lies with a process beyond the request that it has: for so long a request may wait for it while
 * another process is free. It is four requests where each computes for 1 ms; 2 ms would be one of them, and
 * 3 to 8 % fewer answers to 8 and to 64 callers.
 */
const AHEAD_SECONDS = 0.006;

/** One after another in one turn of its event loop; more would gain nothing. */
const AHEAD_MOST = 16;

/**
 * Where more wait than there are processes, no other one will be free, and the next request lies with a
 * process even where one takes so long: the front, which refuses meanwhile, comes late with it. 4 to 5 % more
 * answers under ten times what a transformer's two processes can do.
 */
const NEXT_SECONDS = 0.05;

/**
 * How many requests lie with a process at a time. One that computes for a tenth of a millisecond sleeps and
 * wakes for longer than that, and so does the front, where each of its requests is brought by itself.
 * @param seconds how long it takes for one, lately; 0 where none was answered yet
 * @param isFull do more wait than there are processes?
 */
export function requestsAhead(seconds: number, isFull: boolean): number {
  if (seconds <= 0) return 1;
  const next = isFull && seconds <= NEXT_SECONDS ? 1 : 0;
  return 1 + Math.max(next, Math.min(AHEAD_MOST, Math.floor(AHEAD_SECONDS / seconds)));
}

/** Bodies that are on their way, oldest first. */
export type Arriving = { readonly id: number; readonly bytes: number; readonly slow: boolean };

/**
 * Bodies that came by the byte must not keep memory from those that come at once.
 * @param room bytes for all together
 * @param last whose bytes have just come
 * @returns ids to give up: slow ones, oldest first, then the last itself; empty while there is room
 */
export function bodiesToDrop(arriving: readonly Arriving[], room: number, last: number): readonly number[] {
  let bytes = arriving.reduce((sum, one) => sum + one.bytes, 0);
  const given: number[] = [];
  const leaving = [
    ...arriving.filter(({ slow, id }) => slow && id !== last),
    ...arriving.filter(({ id }) => id === last),
  ];
  for (const one of leaving) {
    if (bytes <= room) break;
    bytes -= one.bytes;
    given.push(one.id);
  }
  return given;
}

/**
 * Milliseconds before a process that ended is started again: at once the first time, since one bad request is
 * no sign that the next ends it, too; then longer each time it ends without an answer in between.
 */
export const restartDelay = (deathsInARow: number): number =>
  deathsInARow <= 1 ? 0 : Math.min(10_000, 100 * 2 ** (deathsInARow - 2));

/** Refusals that are told one after another before anybody has to wait, and how many a second then. */
const REFUSALS_AT_ONCE = 100;
const REFUSALS_A_SECOND = 500;

/** As long as a refused client is told to wait: the seconds of `Retry-After`. */
export const RETRY_SECONDS = 1;

/**
 * Milliseconds: connections are read again together, in steps of the clock. One by one, each costs the front
 * and whoever asks a sleep and a wake.
 */
const PAUSE_STEP = 25;

/** First pauses, and all of gRPC, whose connections have many callers, differ by so much of their length. */
const PAUSE_SPREAD = 0.08;

/**
 * Callers that began together come back together, for good, and probes wait behind them. So one pause of each
 * is of any length, from which on they come evenly, and as seldom as they may: those after it are whole.
 */
const SPREAD_TURN = 2;

/** Refusals of late, by a bucket that leaks `REFUSALS_A_SECOND`. */
export type Refusals = { readonly left: number; readonly at: number };

export const NO_REFUSALS: Refusals = { left: 0, at: 0 };

/**
 * How long nothing is read of a connection that has been refused once more. A refusal costs the front about
 * 50 µs, whoever it is for: 500 a second are a fortieth of its processor.
 * @param now milliseconds, of any clock that does not go back
 * @param turn how many refusals it has had in a row, with this one
 * @param random in [0, 1)
 * @returns pause in milliseconds: 0 while refusals are few, and never longer than what the client was told
 */
export function afterRefusal(
  { left, at }: Refusals,
  now: number,
  turn: number,
  random: number,
): { readonly refusals: Refusals; readonly pause: number } {
  const most = REFUSALS_AT_ONCE + REFUSALS_A_SECOND * RETRY_SECONDS;
  const leaked = ((now - at) / 1000) * REFUSALS_A_SECOND;
  const count = Math.min(most, Math.max(0, left - leaked) + 1);
  const ms = (Math.max(0, count - REFUSALS_AT_ONCE) / REFUSALS_A_SECOND) * 1000;
  const shorter = turn < SPREAD_TURN ? PAUSE_SPREAD * random : turn === SPREAD_TURN ? random : 0;
  const due = now + ms * (1 - shorter);
  const pause = ms > 0 ? Math.max(1, Math.floor(due / PAUSE_STEP) * PAUSE_STEP - now) : 0;
  return { refusals: { left: count, at: now }, pause };
}
