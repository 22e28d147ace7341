import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Ask, Posted } from '../serve/ask.ts';

/**
 * Posts JSON over connections that stay open, as many as there are requests at once: a client with fewer
 * would measure its own queue.
 */
export function keptPost(url: URL): { readonly post: Ask; readonly close: () => void } {
  const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, noDelay: true };
  const isTls = url.protocol === 'https:';
  const agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
  const request = isTls ? httpsRequest : httpRequest;
  const post: Ask = (body, signal) =>
    new Promise<Posted>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request(url, { method: 'POST', agent, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      sent.once('error', reject);
      sent.end(body);
    });
  return { post, close: () => agent.destroy() };
}
