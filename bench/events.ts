/** What a client sends, in the shape in which an HTTP API hands it to Lambda (payload 2.0). */

export type Tensor = {
  readonly name: string;
  readonly shape: readonly number[];
} & (
  | { readonly datatype: 'FP32'; readonly data: Float32Array }
  | { readonly datatype: 'INT64'; readonly data: readonly number[] }
);

/** Numbers in [0, 1), the same on every run (mulberry32). */
export function* random(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    yield ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

function floats(length: number, make: (uniform: number) => number): Float32Array {
  const numbers = random(1);
  return Float32Array.from({ length }, () => make(numbers.next().value));
}

/**
 * The models' inputs. The image is pixels, scaled as torchvision does it, so its text has 17 digits a number.
 */
export const INPUTS = {
  logreg: { name: 'X', shape: [1, 30], datatype: 'FP32', data: floats(30, (u) => u * 100) },
  cnn: {
    name: 'input',
    shape: [1, 3, 224, 224],
    datatype: 'FP32',
    data: floats(3 * 224 * 224, (u) => (Math.fround(Math.floor(u * 256) / 255) - 0.456) / 0.225),
  },
  dense: { name: 'X', shape: [32, 8], datatype: 'FP32', data: floats(32 * 8, (u) => u) },
  minilm: {
    name: 'input_ids',
    shape: [1, 32],
    datatype: 'INT64',
    data: Array.from({ length: 32 }, (_, i) => 100 + 37 * i),
  },
} as const satisfies Readonly<Record<string, Tensor>>;
export type ModelName = keyof typeof INPUTS;

/** The request in JSON: a float32 as Python's json and JavaScript write it, every digit of the double. */
export function jsonEvent(model: string, { name, shape, datatype, data }: Tensor): object {
  const body = JSON.stringify({ inputs: [{ name, shape, datatype, data: Array.from<number>(data) }] });
  return httpEvent(model, { 'content-type': 'application/json' }, body, false);
}

/** The request with the protocol's binary tensor extension, answers binary too. */
export function binaryEvent(model: string, { name, shape, datatype, data }: Tensor): object {
  const bytes = Buffer.from(
    datatype === 'FP32'
      ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
      : BigInt64Array.from(data, BigInt).buffer,
  );
  const header = Buffer.from(
    JSON.stringify({
      inputs: [{ name, shape, datatype, parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    }),
  );
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(header.length),
  };
  return httpEvent(model, headers, Buffer.concat([header, bytes]).toString('base64'), true);
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
function httpEvent(model: string, headers: Record<string, string>, body: string, isBase64Encoded: boolean) {
  const path = `/v2/models/${model}/infer`;
  return {
    version: '2.0',
    routeKey: `POST ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip, deflate',
      'content-length': String(isBase64Encoded ? Buffer.byteLength(body, 'base64') : Buffer.byteLength(body)),
      host: 'abcdefghij.execute-api.us-east-1.amazonaws.com',
      'user-agent': 'python-requests/2.32.5',
      'x-amzn-trace-id': 'Root=1-6924e5a1-0123456789abcdef01234567',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      ...headers,
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      authorizer: {
        iam: {
          accessKey: 'ASIAEXAMPLE',
          accountId: '123456789012',
          callerId: 'AROAEXAMPLE:cashier',
          cognitoIdentity: null,
          principalOrgId: 'o-example',
          userArn: 'arn:aws:sts::123456789012:assumed-role/shop/cashier',
          userId: 'AROAEXAMPLE:cashier',
        },
      },
      domainName: 'abcdefghij.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: {
        method: 'POST',
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.7',
        userAgent: 'python-requests/2.32.5',
      },
      requestId: 'Uq0xghMaoAMEJyg=',
      routeKey: `POST ${path}`,
      stage: '$default',
      time: '25/Nov/2026:00:00:00 +0000',
      timeEpoch: 1795564800000,
    },
    body,
    isBase64Encoded,
  };
}
