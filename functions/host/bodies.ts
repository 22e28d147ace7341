import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type Arriving, bodiesToDrop } from '../../core/host/admission.ts';
import { HOST_LIMITS } from '../../core/host/contract.ts';

/** What came of a body. `late`: it was slow, and its memory went to others. `gone`: so has its client. */
type Received = Whole | 'tooLarge' | 'late' | 'gone';

/** Its bytes count until they are released, since a request may wait for a process for long. */
type Whole = { readonly body: Buffer; readonly release: () => void };

/** A request of either HTTP. */
type Incoming = Readable & { readonly headers: IncomingHttpHeaders; readonly httpVersionMajor: number };

/**
 * Reads bodies: those that come, and those that wait for a process, are within one bound of memory. What says
 * how long it is, and does not fit, is late before anything of it is read.
 */
export type Bodies = {
  /**
   * @param most bytes of it
   * @param begin called before the first of it is read
   * @param slow called where it takes longer than bodies do
   */
  readonly read: (request: Incoming, most: number, begin: () => void, slow: () => void) => Promise<Received>;
  /** Gives up the slow body of HTTP/2 that came first. @returns false where there is none */
  readonly dropSlowCall: () => boolean;
};

/** `bytes`: those that have come; of one that is not slow, those that it says it has. */
type Reading = { -readonly [Key in keyof Arriving]: Arriving[Key] } & {
  /** It came by HTTP/2, whose connections have many. */
  readonly isCall: boolean;
  end: (how: Received) => void;
};

/** @param room bytes of all together */
export function createBodies(room: number = HOST_LIMITS.bodyBytes): Bodies {
  const reading = new Map<number, Reading>();
  let count = 0;
  /** Bytes that come, and bytes of whole bodies that nobody has released. */
  let total = 0;
  let kept = 0;
  const heavier = (one: Reading, bytes: number): void => {
    total += bytes - one.bytes;
    one.bytes = bytes;
  };
  /** Has slow ones give way. @returns whether there is room then */
  const hasRoomFor = (size: number): boolean => {
    if (total + kept + size <= room) return true;
    const all = [...reading.values(), { id: NEW, bytes: size, slow: false }];
    const given = bodiesToDrop(all, room - kept, NEW);
    if (given.includes(NEW)) return false;
    for (const one of given) reading.get(one)?.end('late');
    return true;
  };
  const keep = (body: Buffer): Whole => {
    let held = body.length;
    kept += held;
    const release = (): void => {
      kept -= held;
      held = 0;
    };
    return { body, release };
  };
  return {
    dropSlowCall() {
      for (const one of reading.values()) {
        // Those behind it came later.
        if (!one.slow) return false;
        if (!one.isCall) continue;
        one.end('late');
        return true;
      }
      return false;
    },
    read(request, most, begin, slow) {
      const stated = request.headers['content-length'];
      const size = stated === undefined ? undefined : Number(stated);
      if (size !== undefined && size > most) return Promise.resolve('tooLarge');
      const untold = size === undefined && request.headers['transfer-encoding'] === undefined;
      // HTTP/2 needs neither of them.
      if (size === 0 || (untold && request.httpVersionMajor < 2))
        return Promise.resolve(keep(Buffer.alloc(0)));
      if (size !== undefined && !hasRoomFor(size)) return Promise.resolve('late');
      return new Promise((resolve) => {
        const id = ++count;
        const chunks: Buffer[] = [];
        let come = 0;
        const timer = setTimeout(() => {
          one.slow = true;
          heavier(one, come);
          slow();
        }, HOST_LIMITS.slowBodyMs);
        const one: Reading = {
          id,
          bytes: 0,
          slow: false,
          isCall: request.httpVersionMajor >= 2,
          end: (how) => {
            clearTimeout(timer);
            if (!reading.delete(id)) return;
            total -= one.bytes;
            request.off('data', hear);
            resolve(how);
          },
        };
        const hear = (chunk: Buffer): void => {
          come += chunk.length;
          chunks.push(chunk);
          if (come > one.bytes || one.slow) heavier(one, come);
          if (come > most) one.end('tooLarge');
          else if (total + kept > room)
            for (const given of bodiesToDrop([...reading.values()], room - kept, id))
              reading.get(given)?.end('late');
        };
        reading.set(id, one);
        heavier(one, size ?? 0);
        begin();
        request.on('data', hear);
        request.once('end', () => {
          // It was given up before.
          if (!reading.has(id)) return;
          one.end(keep(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, come)));
        });
        // Cut off in the middle, by the client or for want of time; after an end it says nothing new.
        request.once('close', () => one.end('gone'));
        request.once('error', () => one.end('gone'));
      });
    },
  };
}

/** No body’s that comes. */
const NEW = 0;

/**
 * Reads on what is left of a refused request, since most clients look for an answer only once all is sent;
 * but not for long, and it stays nowhere.
 */
export function dropRest(request: IncomingMessage): void {
  if (request.complete) return;
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > HOST_LIMITS.droppedBytes) request.destroy();
  });
  request.on('error', () => {});
}
