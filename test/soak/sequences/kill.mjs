// Preloaded into `sls deploy`: kills the command at the moment that SOAK_KILL names, and writes the file of
// SOAK_MARK once it asks the release worker. Moments are known by what the command asks of AWS, so that they
// do not depend on how fast it is.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

/** Read each time: one process runs many commands (test/warm-sls.cjs). */
const asked = () => ({ at: process.env.SOAK_KILL, mark: process.env.SOAK_MARK });

/** Before it is sent: is this the moment? */
function isDue(method, path, body) {
  const { at, mark } = asked();
  const asksWorker = method === 'POST' && path.includes('/invocations');
  if (asksWorker && mark) writeFileSync(mark, '');
  if (at === 'before the upload') return asksWorker || (method === 'PUT' && path.includes('/deployments/'));
  return at === 'after the upload' && /Action=(CreateChangeSet|UpdateStack)\b/.test(body);
}
const begins = (body) =>
  asked().at === 'in the operation' && /Action=(ExecuteChangeSet|UpdateStack)\b/.test(body);
const die = () => process.kill(process.pid, 'SIGKILL');

const original = http.request;
http.request = (...args) => {
  const request = original(...args);
  if (isDue(request.method, request.path, '')) die();
  for (const name of ['write', 'end']) {
    const send = request[name];
    request[name] = function (chunk, ...rest) {
      const body = typeof chunk === 'string' || chunk instanceof Uint8Array ? String(Buffer.from(chunk)) : '';
      if (isDue(request.method, '', body)) die();
      if (begins(body)) request.once('response', die);
      return send.call(this, chunk, ...rest);
    };
  }
  return request;
};
syncBuiltinESMExports();
