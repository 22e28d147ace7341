import type { Base64 } from '../ports/base64.ts';

/** By Node's Buffer, which skips what is no base64. */
export const nodeBase64: Base64 = {
  read(text, { buffer, offset }, size) {
    const bytes = Buffer.from(buffer, offset, size);
    return bytes.write(text, 0, size, 'base64') === size ? bytes : undefined;
  },
  write: ({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
};
