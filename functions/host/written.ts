/** Metrics for CloudWatch, a line a request: the host counts itself, so they go no further. */
const EMBEDDED = '{"_aws":';

/** Gives what a process writes to `write`, in whole lines with their ends. */
export function eachLines(stream: NodeJS.ReadableStream, write: (lines: string) => void): void {
  let rest = '';
  const take = (lines: string): void => {
    for (const line of lines.split('\n')) if (line !== '' && !line.startsWith(EMBEDDED)) write(`${line}\n`);
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const end = chunk.lastIndexOf('\n');
    if (end < 0) {
      rest += chunk;
      if (rest.length > LINE_CHARACTERS) {
        take(rest);
        rest = '';
      }
      return;
    }
    take(rest + chunk.slice(0, end));
    rest = chunk.slice(end + 1);
  });
  stream.on('end', () => take(rest));
}

/** A longer line is cut: it must not fill memory. */
const LINE_CHARACTERS = 1024 * 1024;
