/**
 * The warm processes of a run, for all of its test files: `node test/warm-pool.ts <socket>`. A connection is
 * a command, one line of JSON; its answer is what the command left. Who goes away ends its command. All of it
 * ends when stdin closes.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { type Command, runHere } from './warm-sls.ts';

const [path = ''] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, (socket) => {
  const gone = new AbortController();
  socket.on('error', () => {});
  socket.on('end', () => gone.abort());
  socket.on('close', () => gone.abort());
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', async (part) => {
    text += part;
    if (!text.endsWith('\n')) return;
    const said = await runHere(JSON.parse(text) as Command, gone.signal);
    socket.end(JSON.stringify(said));
  });
}).listen(path);

process.stdin.resume();
process.stdin.on('end', () => {
  rmSync(path, { force: true });
  process.exit();
});
