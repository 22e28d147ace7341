import { expect, it } from 'vitest';
import type { InvokePort } from '../../../../../core/ports/aws.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { benchAsking } from '../../../../../plugins/models/measure/asking.ts';
import { firstLook } from '../../../../../plugins/models/measure/look.ts';
import { PROXY_FIX } from '../../../../../plugins/models/network/proxied.ts';

/** The first look at an address that gives no answer but this error. */
function looked(error: Error) {
  const invoke: InvokePort = { invoke: () => Promise.reject(error) };
  const target = { kind: 'url', name: 'https://a.b', functionName: 'churn', version: 'v', invoke } as const;
  const requests = { from: 'of a file', all: [{ body: '{}', rows: 1, inputs: [] }] } as const;
  const signature = { inputs: [], outputs: [], omitted: [] };
  const asking = benchAsking(target, requests.all, signature, 1e-4, {
    most: 1000,
    ended: new AbortController().signal,
  });
  const model = { name: 'churn', timeout: 1 } as Model;
  return firstLook({ model, requests, target, timing: { clock: () => 0 } }, asking);
}

it.each([
  [Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), /EXTRA_CA/],
  [Object.assign(new Error('The proxy answers 407.'), { name: 'ProxyFault' }), PROXY_FIX],
  [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), /^Start `sls models serve`/],
])('what is to be done about an address without an answer: %s', async (error, fix) => {
  await expect(looked(error)).rejects.toMatchObject({
    problems: [{ code: 'MODELS_BENCH', fix: expect.stringMatching(fix) }],
  });
});

it.each([
  ['function', { body: '{"inputs":[9007199254740993]}' }],
  ['url', {}],
] as const)('integers beyond 2^53 reach a %s with every digit', async (kind, expected) => {
  const sent: string[] = [];
  const invoke: InvokePort = {
    invoke: async (_, __, payload) => {
      sent.push(payload);
      return { payload: '{"outputs":[]}' };
    },
  };
  const target = { kind, name: 'churn:live', functionName: 'churn', version: 'live', invoke } as const;
  const requests = [{ body: '{"inputs":[9007199254740993]}', rows: 1, inputs: [] }];
  const signature = { inputs: [], outputs: [], omitted: [] };
  const ended = new AbortController().signal;
  const asking = benchAsking(target, requests, signature, 1e-4, { most: 1000, ended });
  expect(await asking.look(0, 1000)).toMatchObject({ outcome: 'ok' });
  // What Lambda's runtime, or the server, reads.
  expect(sent.map((text) => JSON.parse(text))).toEqual([
    expect.objectContaining({ ...expected, inputs: [9007199254740992] }),
  ]);
  expect(sent[0]).toContain('"inputs":[9007199254740993]');
});
