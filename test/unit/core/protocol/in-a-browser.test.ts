import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { nodeBase64 } from '../../../../core/node/base64.ts';

/** Tensors and the protocol are read and written in a browser, too: by what JavaScript and the web have. */

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const files = ['core/tensor', 'core/protocol'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
);

/** What Node has beside JavaScript and the web. esbuild replaces such a name where nothing declares it. */
const NODE_ONLY = ['Buffer', 'process', 'require', 'global', 'setImmediate', '__dirname', '__filename'];
const MARK = 'onlyInNode_';

async function bundled(lines: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: lines, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'bundle',
    // All of a file, not only what is asked of it here.
    treeShaking: false,
    define: Object.fromEntries(NODE_ONLY.map((name) => [name, `${MARK}${name}`])),
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

it.each(files)('%s needs nothing of Node', async (file) => {
  const text = await bundled(`export * from './${file}';`);
  expect(text.match(new RegExp(`${MARK}\\w+`, 'g')) ?? []).toEqual([]);
});

describe('without Node', () => {
  const shapes = {
    inputs: [
      { name: 'X', datatype: 'FP64', shape: [-1, 2] },
      { name: 'job', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      { name: 'X', datatype: 'FP64', shape: [-1, 2] },
      { name: 'job', datatype: 'BYTES', shape: [-1] },
    ],
    omitted: [],
  };
  const rows = {
    X: [0.1, -1e-7, 12345678.901234567, 3],
    job: ['Köchin', 'a text of more than twelve bytes'],
  };

  /** Runs code after the bundle, in a context that has what the web gives beside JavaScript. */
  async function run(code: string, given: object): Promise<unknown> {
    const text = await bundled(`
      export { readEvent, writeAnswer } from './core/protocol/event.ts';
      export { readBody, splitBody } from './core/protocol/body.ts';
      export { readRequest } from './core/protocol/request.ts';
      export { readInvocation } from './core/protocol/sagemaker.ts';
      export { inferAnswer } from './core/protocol/answer.ts';
    `);
    const context = createContext({ TextEncoder, TextDecoder, atob, btoa, given: JSON.stringify(given) });
    const result: unknown = runInContext(`${text}\n${WEB}\n(() => { ${code} })()`, context);
    return JSON.parse(String(result));
  }
  /** What a page would give for base64. */
  const WEB = `
    const base64 = {
      read(text, { buffer, offset }, size) {
        const bytes = new Uint8Array(buffer, offset, size);
        bytes.set(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
        return bytes;
      },
      write: (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
    };
    const { event, shapes } = JSON.parse(given);
    const responder = { model: 'churn', version: '7' };
    const request = bundle.readEvent(event);
    const body = bundle.readBody(request, base64, () => { throw new Error('No zlib here.'); });
  `;
  const infer = `
    const { json, tail } = bundle.splitBody(body, request.headers);
    const { id, outputs, tensors } = bundle.readRequest(json, shapes, tail);
    return JSON.stringify(bundle.writeAnswer(request, bundle.inferAnswer(responder, id, outputs, tensors), base64));
  `;
  const post = (path: string, headers: object, body: string | Buffer) => ({
    version: '2.0',
    rawPath: path,
    requestContext: { http: { method: 'POST', path } },
    headers,
    body: body.toString(typeof body === 'string' ? undefined : 'base64'),
    isBase64Encoded: typeof body !== 'string',
  });

  it('JSON is read and answered', async () => {
    const body = JSON.stringify({
      inputs: [
        { name: 'X', datatype: 'FP64', shape: [2, 2], data: rows.X },
        { name: 'job', datatype: 'BYTES', shape: [2], data: rows.job },
      ],
    });
    const event = post('/v2/models/churn/infer', { 'content-type': 'application/json' }, body);
    const answer = (await run(infer, { event, shapes })) as { readonly body: string };
    expect(JSON.parse(answer.body)).toEqual({
      model_name: 'churn',
      model_version: '7',
      outputs: JSON.parse(body).inputs,
    });
  });

  it('binary tensors are read and answered', async () => {
    const texts = rows.job.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    });
    const [X, job] = [Buffer.from(Float64Array.from(rows.X).buffer), Buffer.concat(texts)];
    const json = Buffer.from(
      JSON.stringify({
        id: 'ü',
        parameters: { binary_data_output: true },
        inputs: [
          { name: 'X', datatype: 'FP64', shape: [2, 2], parameters: { binary_data_size: X.length } },
          { name: 'job', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: job.length } },
        ],
      }),
    );
    const headers = { 'inference-header-content-length': String(json.length) };
    const event = post('/v2/models/churn/infer', headers, Buffer.concat([json, X, job]));
    const answer = (await run(infer, { event, shapes })) as {
      readonly body: string;
      readonly headers: Readonly<Record<string, string>>;
    };
    const bytes = Buffer.from(answer.body, 'base64');
    const split = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(bytes.subarray(0, split).toString())).toMatchObject({ id: 'ü', model_version: '7' });
    expect(bytes.subarray(split).equals(Buffer.concat([X, job]))).toBe(true);
    expect(nodeBase64.write(bytes)).toBe(answer.body);
  });

  it('csv is read and answered', async () => {
    const csv = 'X_0,X_1,job\n0.5,-1e-7,"Köchin, ""gut"""\n12345678.901234567,3,x\n';
    const event = post('/invocations', { 'content-type': 'text/csv', accept: 'text/csv' }, csv);
    const code = `
      const { asked, answer } = bundle.readInvocation(request, body, shapes, responder);
      return JSON.stringify(bundle.writeAnswer(request, answer(asked.tensors), base64));
    `;
    const one = {
      inputs: [{ name: 'X', datatype: 'FP64', shape: [-1, 2] }],
      outputs: [{ name: 'X', datatype: 'FP64', shape: [-1, 2] }],
      omitted: [],
    };
    const texts = {
      inputs: ['a', 'b', 'job'].map((name) => ({ name, datatype: 'BYTES', shape: [-1] })),
      outputs: ['a', 'b', 'job'].map((name) => ({ name, datatype: 'BYTES', shape: [-1] })),
      omitted: [],
    };
    expect(await run(code, { event, shapes: texts })).toMatchObject({
      statusCode: 200,
      body: expect.stringContaining('0.5,-1e-7,"Köchin, ""gut"""'),
    });
    const numbers = post('/invocations', { 'content-type': 'text/csv', accept: 'text/csv' }, '1.5,2\n-3,4\n');
    expect(await run(code, { event: numbers, shapes: one })).toMatchObject({ body: '1.5,2\n-3,4\n' });
  });
});
