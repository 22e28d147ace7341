/**
 * Callers of a server in a process of its own, on bare sockets: nothing of a client's comes into the figures.
 *
 *   node caller.ts '<CallTask as JSON>'      writes a Called as JSON
 */
import { connect, type Socket } from 'node:net';

export type CallTask = {
  readonly port: number;
  readonly path: string;
  /** What a POST sends; absent: a GET. */
  readonly body?: string;
  /** Milliseconds that count; more where no answer has come by then. */
  readonly ms: number;
  /** Milliseconds before anything counts: connections are made, and waits have found their length. */
  readonly settle?: number;
} & (
  | { readonly callers: number }
  /** Requests a second, whatever comes back: each takes a connection that is free, or a new one. */
  | { readonly rate: number; readonly connections: number }
  /** One request after the other, each on a connection of its own, and the pause between them. */
  | { readonly pause: number }
);

export type Called = {
  /** Answers of 200, those of 503, and all others. */
  readonly good: number;
  readonly refused: number;
  readonly other: number;
  /** Requests that no connection was there for. */
  readonly unsent: number;
  readonly seconds: number;
  /** Milliseconds of answers of 200. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
};

const BLANK = Buffer.from('\r\n\r\n');

/** Every answer is read into it: callers take the time of processors that they share with the host. */
const READ = Buffer.alloc(64 * 1024);

const task = JSON.parse(process.argv[2] ?? '') as CallTask;
const { port, path, body, ms, settle = 0 } = task;
const request = Buffer.from(
  `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\n` +
    (body === undefined
      ? '\r\n'
      : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
);
const count = { good: 0, refused: 0, other: 0, unsent: 0 };
const times: number[] = [];
let over = false;
let counts = settle === 0;

/** A connection with one request at a time. `done`: may it be asked again? */
function connection(done: (again: boolean) => void): { ask: () => void; end: () => void } {
  let began = 0;
  let waits = false;
  let gone = false;
  let head: Buffer = Buffer.alloc(0);
  let missing = -1;
  let closes = false;
  let status = 0;
  const hear = (chunk: Buffer): void => {
    let bytes = chunk;
    if (missing < 0) {
      if (head.length > 0) bytes = Buffer.concat([head, chunk]);
      const at = bytes.indexOf(BLANK);
      if (at < 0) {
        head = Buffer.from(bytes);
        return;
      }
      head = Buffer.alloc(0);
      const text = bytes.toString('latin1', 0, at).toLowerCase();
      status = Number(text.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
      if (length === undefined) throw new Error(`an answer without a length: ${text}`);
      closes = text.includes('\r\nconnection: close');
      missing = Number(length) - (bytes.length - at - 4);
    } else missing -= bytes.length;
    if (missing > 0) return;
    missing = -1;
    waits = false;
    if (over) return;
    if (!counts) {
      // It has not begun.
    } else if (status === 200) {
      count.good++;
      times.push(performance.now() - began);
    } else if (status === 503) count.refused++;
    else count.other++;
    if (closes) lost();
    else done(true);
  };
  const callback = (bytes: number): boolean => {
    hear(READ.subarray(0, bytes));
    return true;
  };
  const to = { port, host: '127.0.0.1', noDelay: true };
  const socket: Socket = connect({ ...to, onread: { buffer: READ, callback } });
  const end = (): void => {
    gone = true;
    socket.destroy();
  };
  const lost = (): void => {
    if (gone || over) return;
    if (waits && counts) count.other++;
    end();
    done(false);
  };
  socket.on('error', lost).on('close', lost);
  return {
    ask() {
      began = performance.now();
      waits = true;
      socket.write(request);
    },
    end,
  };
}

const all = new Set<{ end: () => void }>();
/** Asks until the time is over, on a new connection where one is gone or is to be new each time. */
function caller(pause?: number): void {
  const next = (again: boolean): void => {
    if (over) return;
    if (again && pause === undefined) one.ask();
    else {
      all.delete(one);
      one.end();
      setTimeout(() => over || caller(pause), pause ?? 0);
    }
  };
  const one = connection(next);
  all.add(one);
  one.ask();
}

/** Some requests together, as they come from many callers; a wake for each would cost what the host needs. */
const TICK_MS = 4;

function evenly(rate: number, connections: number): void {
  const free: ReturnType<typeof connection>[] = [];
  let open = 0;
  let sent = 0;
  const take = (): void => {
    const one = free.pop();
    if (one !== undefined) {
      one.ask();
      return;
    }
    if (open >= connections) {
      if (counts) count.unsent++;
      return;
    }
    open++;
    const made = connection((again) => {
      if (again) free.push(made);
      else {
        open--;
        const at = free.indexOf(made);
        if (at >= 0) free.splice(at, 1);
      }
    });
    all.add(made);
    made.ask();
  };
  const tick = (): void => {
    if (over) return;
    for (const until = ((performance.now() - start) / 1000) * rate; sent < until; sent++) take();
    setTimeout(tick, TICK_MS);
  };
  tick();
}

const start = performance.now();
let counted = start;
if (settle > 0)
  setTimeout(() => {
    counts = true;
    counted = performance.now();
  }, settle);
if ('callers' in task) for (let index = 0; index < task.callers; index++) caller();
else if ('rate' in task) evenly(task.rate, task.connections);
else caller(task.pause);
/** Milliseconds between two looks for the first answer, where none has come in the time. */
const LOOK_MS = 20;

function finish(): void {
  // On a starved machine one may take longer than all the time that there is: that is its figure.
  if (count.good + count.refused + count.other === 0) {
    setTimeout(finish, LOOK_MS);
    return;
  }
  over = true;
  const seconds = (performance.now() - counted) / 1000;
  times.sort((one, other) => one - other);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  const called: Called = { ...count, seconds, p50: at(0.5), p99: at(0.99), most: at(1) };
  for (const one of all) one.end();
  process.stdout.write(`${JSON.stringify(called)}\n`, () => process.exit());
}
setTimeout(finish, ms + settle);
