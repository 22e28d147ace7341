/** A registry of images over real HTTP, in memory, which may be made to misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Asked = {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
};

/** Answers in the registry's place. @returns false to leave it to the registry */
type Misbehave = (asked: Asked, request: IncomingMessage, response: ServerResponse) => boolean;

export type ImageRegistry = {
  readonly url: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly asked: readonly Asked[];
  /** By `repository digest`. */
  readonly blobs: Map<string, Buffer>;
  /** By `repository reference`. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** Bytes of bodies that came in. */
  readonly received: () => number;
  /** What an upload has got, as if it had come in. */
  readonly keep: (upload: string, bytes: Buffer) => void;
  /** As registries do with an upload that is complete. */
  readonly forget: (upload: string) => void;
  misbehave: Misbehave;
  readonly stop: () => Promise<void>;
};

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** @param authorization what requests need; `challenge` is what those without it are told */
export async function imageRegistry({
  authorization,
  challenge = 'Basic realm="r"',
}: {
  readonly authorization?: string;
  readonly challenge?: string | string[];
} = {}): Promise<ImageRegistry> {
  const asked: Asked[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { type: string; bytes: Buffer }>();
  const uploads = new Map<string, Buffer[]>();
  let received = 0;
  let count = 0;
  const json = (
    response: ServerResponse,
    status: number,
    code: string,
    headers: OutgoingHttpHeaders = {},
  ): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ errors: [{ code, message: `${code} happened` }] }));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    const one = { method, path: url, headers: request.headers };
    asked.push(one);
    if (registry.misbehave(one, request, response)) return;
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      request.resume();
      return json(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    }
    const at = new URL(url, 'http://x');
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(at.pathname) ?? [];
    if (kind === 'manifests') {
      if (method === 'PUT') {
        const bytes = Buffer.concat(await all(request));
        const type = request.headers['content-type'] ?? '';
        for (const key of [name, sha256(bytes)]) manifests.set(`${repository} ${key}`, { type, bytes });
        response.writeHead(201, { 'docker-content-digest': sha256(bytes) }).end();
        return;
      }
      const found = manifests.get(`${repository} ${name}`);
      if (found === undefined) return json(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200, { 'content-type': found.type }).end(found.bytes);
      return;
    }
    if (kind === 'blobs') {
      const found = blobs.get(`${repository} ${name}`);
      if (found === undefined) return json(response, 404, 'BLOB_UNKNOWN');
      response.writeHead(200, { 'content-length': found.length }).end(method === 'HEAD' ? undefined : found);
      return;
    }
    if (method === 'POST') {
      const mounted = blobs.get(`${at.searchParams.get('from')} ${at.searchParams.get('mount')}`);
      if (mounted !== undefined) {
        blobs.set(`${repository} ${at.searchParams.get('mount')}`, mounted);
        response.writeHead(201).end();
        return;
      }
      const id = String(++count);
      uploads.set(id, []);
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}?state=a` }).end();
      return;
    }
    const upload = uploads.get(name);
    if (upload === undefined) return json(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    const location = `/v2/${repository}/blobs/uploads/${name}?state=b`;
    const kept = upload.reduce((sum, { length }) => sum + length, 0);
    if (method === 'GET') {
      response.writeHead(204, { location, range: `0-${Math.max(0, kept - 1)}` }).end();
      return;
    }
    if (method === 'PATCH') {
      const [first, last] = request.headers['content-range']?.split('-').map(Number) ?? [];
      if ((kept > 0 && first !== kept) || (first !== undefined && Number(last) < first))
        return json(response, 416, 'RANGE_INVALID');
      for await (const chunk of request as AsyncIterable<Buffer>) {
        received += chunk.length;
        upload.push(chunk);
      }
      response.writeHead(202, { location }).end();
      return;
    }
    const bytes = Buffer.concat([...upload, ...(await all(request))]);
    uploads.delete(name);
    if (sha256(bytes) !== at.searchParams.get('digest')) return json(response, 400, 'DIGEST_INVALID');
    blobs.set(`${repository} ${sha256(bytes)}`, bytes);
    response.writeHead(201).end();
  };
  const server = createServer((request, response) => {
    // A client that is cut off leaves a body that breaks.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry: ImageRegistry = {
    url: `http://${host}`,
    host,
    asked,
    blobs,
    manifests,
    received: () => received,
    keep: (upload, bytes) => uploads.get(upload)?.push(bytes),
    forget: (upload) => void uploads.delete(upload),
    misbehave: () => false,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

async function all(request: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks;
}
