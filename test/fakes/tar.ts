/** An entry of an archive as anybody may write it, also as no program would. */
export type Entry = {
  readonly path: string;
  readonly content?: Uint8Array;
  /** 0 a file, 1 a hard link, 2 a symbolic one, 5 a folder. */
  readonly type?: '0' | '1' | '2' | '5';
  readonly link?: string;
  readonly executable?: true;
};

/**
 * A tar of these entries, in the format `ustar`.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(
    ({ path, content = new Uint8Array(), type = '0', link = '', executable }) => {
      const head = Buffer.alloc(512);
      head.write(path, 0, 100);
      head.write(executable ? '0000755\0' : '0000644\0', 100);
      head.write('0000000\0', 108);
      head.write('0000000\0', 116);
      head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
      head.write('00000000000\0', 136);
      head.write('        ', 148);
      head.write(type, 156);
      head.write(link, 157, 100);
      head.write('ustar\x0000', 257);
      const sum = head.reduce((all, byte) => all + byte, 0);
      head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return [head, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
    },
  );
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
