import type { IncomingHttpHeaders } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { refusal } from '../../core/errors/refusals.ts';
import { HOST_LIMITS } from '../../core/host/contract.ts';
import { turns } from '../../core/node/turns.ts';
import type { Bodies } from './bodies.ts';

/** A call’s one message. */
export type CallMessage = {
  readonly message: Buffer;
  /** The same as it came. */
  readonly packed: Buffer;
  readonly packing: 'identity' | 'gzip' | 'deflate';
};

/**
 * What came of a message: as of a body, or `crowded`: too many others have not come whole either. What is
 * whole counts until it is released.
 */
type Received = (CallMessage & { readonly release: () => void }) | Unread;
export type Unread = 'tooLarge' | 'late' | 'gone' | 'crowded';

/** Reads the messages of all connections of one front. */
export type Messages = {
  /**
   * @param most bytes of it, unpacked
   * @param slow called where it takes longer than messages do
   * @throws Refusal `INVALID_REQUEST`, `INVALID_ENCODING`, `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`
   */
  readonly read: (request: Http2ServerRequest, most: number, slow: () => void) => Promise<Received>;
};

/** A frame says whether its message is packed, and how long it is. */
const FRAME_BYTES = 5;

/**
 * A call takes memory before anything of its message is there, and few calls hold a place meanwhile: who asks
 * about a model needs none, and a slow message gives its own up. So their number is bounded by itself, over
 * all connections. Beyond it slow ones are given up, and then the one that comes.
 *
 * @param room calls whose message is not whole and unpacked yet
 */
export function createMessages(bodies: Bodies, room: number = HOST_LIMITS.comingCalls): Messages {
  let coming = 0;
  return {
    async read(request, most, slow) {
      if (coming >= room && !bodies.dropSlowCall()) return 'crowded';
      coming++;
      try {
        const read = await bodies.read(request, most + FRAME_BYTES, () => {}, slow);
        if (typeof read === 'string') return read;
        const { body, release } = read;
        try {
          return { ...(await unframed(body, request.headers, most)), release };
        } catch (error) {
          release();
          throw error;
        }
      } finally {
        coming--;
      }
    },
  };
}

const UNPACK = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** Messages that are unpacked at a time: a small one may become 6 MB, and nobody counts those. */
const UNPACKING = 4;
const inTurn = turns(UNPACKING);

/** @throws Refusal, as `Messages.read` */
async function unframed(body: Buffer, headers: IncomingHttpHeaders, most: number): Promise<CallMessage> {
  if (
    body.length < FRAME_BYTES ||
    body.readUInt32BE(1) !== body.length - FRAME_BYTES ||
    (body[0] as number) > 1
  )
    throw refusal('INVALID_REQUEST', 'The call must have one message, and have it whole.');
  const packed = body.subarray(FRAME_BYTES);
  if (body[0] === 0) return { message: packed, packed, packing: 'identity' };
  const packing = headers['grpc-encoding'];
  if (packing !== 'gzip' && packing !== 'deflate')
    throw refusal('UNSUPPORTED_MEDIA_TYPE', 'grpc-encoding must be gzip, deflate or identity.');
  try {
    const message = await inTurn(() => UNPACK[packing](packed, { maxOutputLength: most }));
    return { message, packed, packing };
  } catch (error) {
    const isLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw isLarge
      ? refusal('BODY_TOO_LARGE', `The message may have ${most} bytes when unpacked.`)
      : refusal('INVALID_ENCODING', 'The compressed message is broken.');
  }
}
