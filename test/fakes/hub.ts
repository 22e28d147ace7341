import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * Hugging Face's hub as far as files at a commit are read from it, with the shapes of its API:
 * https://huggingface.co/docs/hub/api and huggingface.js's `pathsInfo`.
 */
export type FakeHub = {
  readonly address: string;
  /** Adds a file to the repository at its commit; each .onnx lies in LFS, as there. */
  readonly put: (path: string, content: Uint8Array) => void;
  /** The head of the README at that commit, and the task that the hub takes from it. */
  readonly describe: (head: Readonly<Record<string, unknown>>, task?: string) => void;
  /** What was asked since it was last read, and by whom. */
  readonly asked: () => readonly { readonly path: string; readonly authorization?: string }[];
  readonly stop: () => Promise<void>;
};

/** The hub keeps what is larger, and each .onnx, in LFS. */
const LFS = 10 * 1024 * 1024;

export async function fakeHub(repo: string, revision: string): Promise<FakeHub> {
  const files = new Map<string, Buffer>();
  let about: object = {};
  const asked: { readonly path: string; readonly authorization?: string }[] = [];
  const infoOf = (path: string, content: Buffer) => {
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const isLarge = path.endsWith('.onnx') || content.length > LFS;
    const lfs = {
      oid: createHash('sha256').update(content).digest('hex'),
      size: content.length,
      pointerSize: 130,
    };
    return { type: 'file', oid, size: content.length, path, ...(isLarge && { lfs }) };
  };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname);
    const { authorization } = request.headers;
    asked.push({ path, ...(authorization !== undefined && { authorization }) });
    const json = (status: number, value: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.method === 'POST' && path === `/api/models/${repo}/paths-info/${revision}`) {
      const { paths } = JSON.parse(await text(request)) as { readonly paths: readonly string[] };
      return json(
        200,
        paths.flatMap((one) => {
          const content = files.get(one);
          return content === undefined ? [] : [infoOf(one, content)];
        }),
      );
    }
    if (path === `/api/models/${repo}/revision/${revision}`)
      return json(200, { id: repo, modelId: repo, sha: revision, private: false, ...about });
    const file = files.get(path.slice(`/${repo}/resolve/${revision}/`.length));
    if (!path.startsWith(`/${repo}/resolve/${revision}/`) || file === undefined)
      return json(404, { error: 'Repository not found' });
    response.writeHead(200, { 'content-length': file.length }).end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    describe: (cardData, pipeline_tag) => {
      about = { cardData, ...(pipeline_tag !== undefined && { pipeline_tag }) };
    },
    asked: () => asked.splice(0),
    put: (path, content) => void files.set(path, Buffer.from(content)),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
