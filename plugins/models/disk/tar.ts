/** One regular file in an archive; `body` must be consumed before the next file is asked for. */
export type TarFile = {
  readonly path: string;
  readonly bytes: number;
  readonly body: AsyncIterable<Uint8Array>;
};

const BLOCK = 512;

/**
 * The regular files of a ustar archive, streamed: npm's tarball of ONNX Runtime is 300 MB and we need a sixth
 * of it. Reads what npm writes: names in the ustar header (pax and GNU long names are skipped with what they
 * name, which then counts as missing). Callers verify digests, so a misreading cannot pass unnoticed.
 *
 * @throws Error on a header that is no ustar header, and on an archive that ends early.
 */
export async function* tarFiles(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const reader = blocks(source);
  for (;;) {
    const header = await reader.exactly(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (text(header, 257, 5) !== 'ustar') throw new Error('not a tar archive');
    const bytes = octal(header);
    const kind = String.fromCharCode(header[156] ?? 0);
    const prefix = text(header, 345, 155);
    const path = `${prefix ? `${prefix}/` : ''}${text(header, 0, 100)}`;
    let left = bytes;
    const body = (async function* () {
      while (left > 0) {
        const chunk = await reader.atMost(left);
        left -= chunk.length;
        yield chunk;
      }
    })();
    if (kind === '0' || kind === '\0') yield { path, bytes, body };
    while (left > 0) left -= (await reader.atMost(left)).length;
    const padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    if (padding > 0) await reader.exactly(padding);
  }
}

function text(header: Uint8Array, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

function octal(header: Uint8Array): number {
  const digits = text(header, 124, 12).trim();
  if (!/^[0-7]{1,11}$/.test(digits)) throw new Error('a tar header has no readable size');
  return Number.parseInt(digits, 8);
}

function blocks(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let held = new Uint8Array(0);
  const fill = async (): Promise<void> => {
    while (held.length === 0) {
      const next = await iterator.next();
      if (next.done) throw new Error('the tar archive ends early');
      held = new Uint8Array(next.value);
    }
  };
  const atMost = async (length: number): Promise<Uint8Array> => {
    await fill();
    const chunk = held.subarray(0, length);
    held = held.subarray(chunk.length);
    return chunk;
  };
  const exactly = async (length: number): Promise<Uint8Array> => {
    const whole = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const chunk = await atMost(length - at);
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  };
  return { atMost, exactly };
}
