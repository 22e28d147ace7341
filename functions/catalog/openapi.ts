import type { Auth, CatalogGroup, CatalogManifest, CatalogModel } from './contract.ts';
import { exampleRequest } from './example.ts';
import { data, dataName, ref, type Schema, SHARED, schemasOf } from './schemas.ts';

const json = (schema: Schema, example?: unknown): Schema => ({
  'application/json': { schema, ...(example !== undefined && { example }) },
});
const BINARY =
  'JSON, then each tensor’s bytes (little-endian, row-major). `Inference-Header-Content-Length` is the length of the JSON.';

const failure = (description: string, schema = 'Error'): Schema => ({
  description,
  content: json(ref(schema)),
});
const GATEWAY = {
  403: failure('Not allowed to call this.', 'GatewayError'),
  429: failure('Throttled by the gateway.', 'GatewayError'),
  500: failure('The endpoint failed or ran out of its time.', 'GatewayError'),
  503: failure('The gateway got no answer in time.', 'GatewayError'),
};
const INFER_ERRORS = {
  400: failure('The request does not fit the signature; the text names the place, never the value.'),
  404: failure('No such model or version.'),
  413: failure('Request or answer beyond Lambda’s 6 MB.'),
  422: failure('An output is NaN or infinite, which JSON cannot say; ask for it in binary.'),
  ...GATEWAY,
};

function inferOperation(model: CatalogModel, versioned: boolean): Schema {
  const { name, signature } = model;
  return {
    tags: [name],
    operationId: versioned ? `infer-${name}-version` : `infer-${name}`,
    summary: versioned ? `Ask one version of ${name}` : `Ask ${name}`,
    security: securityOf(model.auth),
    ...(versioned && { parameters: [VERSION] }),
    requestBody: {
      required: true,
      content: {
        ...json(ref(`${name}.Request`), exampleRequest(signature.inputs)),
        'application/octet-stream': { schema: { description: BINARY } },
      },
    },
    responses: {
      200: {
        description: 'The outputs.',
        headers: {
          'Inference-Header-Content-Length': {
            description: 'Present when outputs follow the JSON in binary.',
            schema: { type: 'integer' },
          },
        },
        content: {
          ...json(ref(`${name}.Response`)),
          'application/octet-stream': { schema: { description: BINARY } },
        },
      },
      ...INFER_ERRORS,
    },
  };
}

const VERSION = {
  name: 'version',
  in: 'path',
  required: true,
  description: 'A published version’s number, or `live` for what the alias serves.',
  schema: { type: 'string', pattern: '^([1-9][0-9]*|live)$' },
};

const get = (summary: string, auth: Auth, tag: string, content: Schema, extra: Schema = {}): Schema => ({
  get: {
    tags: [tag],
    summary,
    security: securityOf(auth),
    ...extra,
    responses: { 200: { description: 'OK', content }, 404: failure('No such model or version.'), ...GATEWAY },
  },
});
const ready = (summary: string, auth: Auth, tag: string, extra: Schema = {}): Schema => {
  const path = get(summary, auth, tag, json({ type: 'object' }), extra) as { get: { responses: object } };
  return { get: { ...path.get, responses: { ...path.get.responses, 503: failure('Not ready.') } } };
};

function pathsOf(model: CatalogModel, bare: boolean): Record<string, Schema> {
  const { name, auth } = model;
  const at = `/v2/models/${name}`;
  const sagemaker = (summary: string, id: string): Schema => ({
    post: { ...inferOperation(model, false), summary, operationId: id },
  });
  const versioned = { parameters: [VERSION] };
  return {
    [at]: get(`Signature of ${name}`, auth, name, json(ref('Metadata'))),
    [`${at}/ready`]: ready(`Is ${name} ready?`, auth, name),
    [`${at}/infer`]: { post: inferOperation(model, false) },
    [`${at}/versions/{version}`]: get(
      `Signature of one version of ${name}`,
      auth,
      name,
      json(ref('Metadata')),
      versioned,
    ),
    [`${at}/versions/{version}/ready`]: ready(`Is one version of ${name} ready?`, auth, name, versioned),
    [`${at}/versions/{version}/infer`]: { post: inferOperation(model, true) },
    [`/models/${name}/invocations`]: sagemaker('The same in SageMaker’s shape', `invocations-${name}`),
    [`/models/${name}/ping`]: ready('SageMaker’s health check', auth, name),
    ...(bare && {
      '/invocations': sagemaker('The same in SageMaker’s shape', 'invocations'),
      '/ping': ready('SageMaker’s health check', auth, name),
    }),
  };
}

function schemeName(auth: Auth): string | undefined {
  if (auth === 'none') return undefined;
  return auth === 'iam' ? 'iam' : 'authorizer';
}
function securityOf(auth: Auth): Schema[] {
  const scheme = schemeName(auth);
  return scheme === undefined ? [] : [{ [scheme]: [] }];
}
const SCHEMES: Record<string, Schema> = {
  iam: {
    type: 'apiKey',
    name: 'Authorization',
    in: 'header',
    description: 'AWS Signature Version 4, service `execute-api`. `sls models proxy` signs for any client.',
    'x-amazon-apigateway-authtype': 'awsSigv4',
  },
  authorizer: {
    type: 'apiKey',
    name: 'Authorization',
    in: 'header',
    description: 'Whatever the service’s own authorizer asks for.',
  },
};

/**
 * The OpenAPI 3.1 description of one prefix, exact to every name, datatype and dimension that the ONNX graphs fix. Pure.
 * @returns a document to serve as `/openapi.json`; its server is a path, so that it holds behind any host.
 */
export function openapi(manifest: CatalogManifest, group: CatalogGroup): Schema {
  const { auth, models } = group;
  const datatypes = new Set(
    models.flatMap(({ signature }) =>
      [...signature.inputs, ...signature.outputs].map((spec) => spec.datatype),
    ),
  );
  const schemes = new Set([auth, ...models.map((model) => model.auth)].map(schemeName));
  const server = 'server';
  return {
    openapi: '3.1.0',
    info: {
      title: manifest.service,
      version: manifest.version,
      description: 'Open Inference Protocol v2, made from the models’ own signatures.',
    },
    servers: [{ url: group.path }],
    tags: [
      { name: server },
      ...models.map(({ name, opset }) => ({
        name,
        description: opset === 0 ? 'ONNX operators of other domains only.' : `ONNX opset ${opset}.`,
      })),
    ],
    paths: {
      '/v2': get('Who answers', auth, server, json({ type: 'object' })),
      '/v2/health/live': get('Does the service answer?', auth, server, json({ type: 'object' })),
      '/v2/health/ready': ready('Are all models ready?', auth, server),
      ...Object.assign({}, ...models.map((model) => pathsOf(model, model.name === group.bare))),
    },
    components: {
      schemas: {
        ...SHARED,
        ...Object.fromEntries([...datatypes].map((datatype) => [dataName(datatype), data(datatype)])),
        ...Object.assign({}, ...models.map(schemasOf)),
      },
      securitySchemes: Object.fromEntries(Object.entries(SCHEMES).filter(([name]) => schemes.has(name))),
    },
  };
}
