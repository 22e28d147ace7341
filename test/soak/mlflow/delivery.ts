import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

const WEBHOOK = join(import.meta.dirname, '..', '..', '..', 'examples', 'registry-changes', 'webhook.mjs');
const RECORDED = join(import.meta.dirname, '..', '..', 'fixtures', 'mlflow', 'delivery.json');
const SECRET = 'the secret of a test';
const PATIENCE_MS = 60_000;

/** What its server needs to send to this machine, and to keep a secret. */
export const WEBHOOKS = {
  MLFLOW_WEBHOOK_ALLOWED_SCHEMES: 'http,https',
  MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true',
  // A key of Fernet: 32 bytes.
  MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url').padEnd(44, '='),
  // It keeps for 60 s who is told of a kind of event, also that nobody is: an alias was set before.
  MLFLOW_WEBHOOK_CACHE_TTL: '0',
};

/**
 * Has MLflow's server tell of an alias that moves: the recipe of `examples/registry-changes` takes what it
 * signs, and nothing else. `UPDATE=1` keeps the delivery.
 */
export async function deliveryIsSigned(python: string, address: string): Promise<void> {
  const receiver = createServer();
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  try {
    const got = once(receiver, 'request', { signal: AbortSignal.timeout(PATIENCE_MS) });
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/mlflow`;
    await promisify(execFile)(python, [join(import.meta.dirname, 'webhook.py'), url, SECRET], {
      env: { ...process.env, MLFLOW_TRACKING_URI: address },
    });
    const [request, response] = await got;
    const body = await buffer(request);
    response.end('{}');
    const { signedDelivery } = await import(WEBHOOK);
    const now = Date.now() / 1000;
    const id = signedDelivery(request.headers, body, SECRET, now);
    if (id === undefined || id !== request.headers['x-mlflow-delivery-id'])
      throw new Error(`What MLflow signed is not taken: ${JSON.stringify(request.headers)}`);
    if (signedDelivery(request.headers, Buffer.concat([body, body]), SECRET, now) !== undefined)
      throw new Error('What MLflow did not sign is taken');
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => name.startsWith('x-mlflow-')),
    );
    const kept = { secret: SECRET, headers, body: body.toString() };
    if (process.env.UPDATE) await writeFile(RECORDED, `${JSON.stringify(kept, null, 2)}\n`);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
}
