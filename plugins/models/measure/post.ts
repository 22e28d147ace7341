import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { proxied } from '../network/proxied.ts';
import type { Ask, Posted } from '../serve/ask.ts';

/**
 * Posts JSON over connections that stay open, as many as there are requests at once: a client with fewer
 * would measure its own queue.
 */
export function keptPost(url: URL): { readonly post: Ask; readonly close: () => void } {
  const kept = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, noDelay: true };
  const isTls = url.protocol === 'https:';
  const agent = proxied(kept) ?? (isTls ? new HttpsAgent(kept) : new HttpAgent(kept));
  const request = isTls ? httpsRequest : httpRequest;

  const anew = (): RequestOptions['agent'] => proxied({ keepAlive: false }) ?? false;

  const once = (body: string, signal: AbortSignal, isAgain: boolean): Promise<Posted> =>
    new Promise<Posted>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options: RequestOptions = { method: 'POST', headers, signal, agent: isAgain ? anew() : agent };
      const sent = request(url, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The server may close a connection that was idle just when it is used again; nothing was asked then:
        // https://nodejs.org/api/http.html#requestreusedsocket
        if (sent.reusedSocket && error.code === 'ECONNRESET' && !isAgain)
          once(body, signal, true).then(resolve, reject);
        else reject(error);
      });
      sent.end(body);
    });
  return { post: (body, signal) => once(body, signal, false), close: () => agent.destroy() };
}
