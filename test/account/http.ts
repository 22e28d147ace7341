import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { requestSigner } from '../../aws/sign.ts';
import { apiBase } from '../../plugins/models/serve/upstream.ts';
import { stackOf } from './names.ts';
import type { Known, Scene } from './scene.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly ms: number;
};
type Headings = Readonly<Record<string, string>>;

/** The model's URL at the real gateway. */
export async function inferUrl({ clients, name }: Pick<Scene, 'clients' | 'name'>): Promise<URL> {
  const { Stacks: [stack] = [] } = await clients.cloudFormation.send(
    new DescribeStacksCommand({ StackName: stackOf(name) }),
  );
  const outputs = Object.fromEntries(
    (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
  const base = apiBase(outputs, process.env.AWS_ENDPOINT_URL);
  if (base === undefined) throw new Error(`the stack ${stackOf(name)} has no HTTP API`);
  return new URL(`${base}/v2/models/employment/infer`);
}

export async function send(url: URL, method: string, headers: Headings, body?: Uint8Array): Promise<Reply> {
  const since = performance.now();
  const answer = await fetch(url, { method, headers, ...(body && { body: new Uint8Array(body) }) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: answer.headers, body: bytes, ms: performance.now() - since };
}

/** Signed by the credentials of the run; with another secret where `wrong`. */
export async function sendSigned(
  { clients, account }: Pick<Scene, 'clients' | 'account'>,
  url: URL,
  headers: Headings,
  body: Uint8Array,
  wrong = false,
): Promise<Reply> {
  const found = await clients.lambda.config.credentials();
  const credentials = async () => (wrong ? { ...found, secretAccessKey: 'no-secret-of-anybody' } : found);
  const sign = requestSigner('execute-api', account.region, credentials);
  const signed = await sign('POST', url, { host: url.host, ...headers }, body);
  const { host: _, ...sent } = signed;
  return send(url, 'POST', sent, body);
}

export const JSON_BODY: Headings = { 'content-type': 'application/json' };

const HEADER_LENGTH = 'inference-header-content-length';

/** The request in the protocol's binary form: a header in JSON, then little-endian values. */
export function binaryBody({ inputs }: Known['request']): {
  readonly headers: Headings;
  readonly body: Buffer;
} {
  const values = inputs.map(({ datatype, data }) =>
    Buffer.from(
      datatype === 'FP32' ? Float32Array.from(data).buffer : BigInt64Array.from(data, BigInt).buffer,
    ),
  );
  const described = inputs.map(({ name, datatype, shape }, i) => ({
    ...{ name, datatype, shape },
    parameters: { binary_data_size: values[i]?.length },
  }));
  const header = Buffer.from(JSON.stringify({ inputs: described, parameters: { binary_data_output: true } }));
  return {
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(header.length) },
    body: Buffer.concat([header, ...values]),
  };
}

type Described = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly number[];
  readonly parameters?: { readonly binary_data_size?: number };
};

/** Outputs of an answer in JSON or binary; none of any other answer. */
export function outputsOf({ status, headers, body }: Reply): Known['answer']['outputs'] | undefined {
  if (status !== 200) return undefined;
  const split = Number(headers.get(HEADER_LENGTH) ?? body.length);
  const { outputs = [] } = JSON.parse(body.subarray(0, split).toString()) as {
    readonly outputs?: readonly Described[];
  };
  let at = split;
  return outputs.map(({ name, datatype, shape, data, parameters }) => {
    if (data !== undefined) return { name, datatype, shape, data };
    const end = at + (parameters?.binary_data_size ?? 0);
    const bytes = new Uint8Array(body.subarray(at, end)).buffer;
    at = end;
    return {
      name,
      datatype,
      shape,
      data: datatype === 'FP32' ? [...new Float32Array(bytes)] : [...new BigInt64Array(bytes)].map(Number),
    };
  });
}
