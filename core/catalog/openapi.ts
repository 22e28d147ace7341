import type { Auth, CatalogGroup, CatalogManifest, CatalogModel } from './contract.ts';
import { exampleRequest } from './example.ts';
import { invocationSchemas } from './invocation.ts';
import { errorsOf, type Server } from './responses.ts';
import { dataSchemas, protocolSchemas, ref, type Schema, SHARED } from './schemas.ts';
import { generatedWords } from './text.ts';

const json = (schema: Schema, example?: unknown): Schema => ({
  'application/json': { schema, ...(example !== undefined && { example }) },
});
/** Bytes have no schema: https://spec.openapis.org/oas/v3.1.0#considerations-for-file-uploads */
const BYTES: Schema = { 'application/octet-stream': {} };
const BINARY =
  'In binary: JSON, then each tensor’s bytes (little-endian, row-major); `Inference-Header-Content-Length` is the length of the JSON.';
const text = (description: string): Schema => ({ schema: { type: 'string', description } });

/** The same in SageMaker's shape, as Triton's container calls it. */
const TRITON: Schema = { 'application/vnd.sagemaker-triton.binary+json': {} };

/** SageMaker's content types: infer/sagemaker.ts. */
const SAGEMAKER: Schema = {
  'application/jsonlines': text('An instance a line, in JSON.'),
  'application/x-ndjson': text('An instance a line, in JSON.'),
  'text/csv': text('A row a line, with or without a header of the inputs’ names.'),
  ...TRITON,
};
const SAGEMAKER_BINARY =
  'As `application/vnd.sagemaker-triton.binary+json;json-header-size=N`, the protocol in binary: N bytes of JSON, then each tensor’s.';

type Infer = {
  readonly id: string;
  readonly summary: string;
  readonly versioned?: boolean;
  /** In SageMaker's shape. */
  readonly sagemaker?: boolean;
};

function inferOperation(
  { name, signature, auth }: CatalogModel,
  word: string,
  server: Server,
  { id, summary, versioned = false, sagemaker = false }: Infer,
): Schema {
  return {
    post: {
      tags: [name],
      operationId: id,
      summary,
      security: securityOf(auth),
      ...(versioned && { parameters: [versionFor(server)] }),
      requestBody: {
        required: true,
        description: sagemaker ? SAGEMAKER_BINARY : BINARY,
        content: {
          ...json(ref(`${word}.${sagemaker ? 'Invocation' : 'Request'}`), exampleRequest(signature.inputs)),
          ...(sagemaker ? SAGEMAKER : BYTES),
        },
      },
      responses: {
        200: {
          description: `The outputs. ${sagemaker ? SAGEMAKER_BINARY : BINARY}`,
          headers: {
            'Inference-Header-Content-Length': {
              description: 'Present when outputs follow the JSON in binary.',
              schema: { type: 'integer' },
            },
          },
          content: {
            ...json(ref(`${word}.${sagemaker ? 'Answer' : 'Response'}`)),
            ...(sagemaker && {
              'text/csv': text('With `Accept: text/csv`: a row a line, outputs beside each other.'),
            }),
            ...(sagemaker ? TRITON : BYTES),
          },
        },
        ...errorsOf({ infers: true, versioned }, auth, server),
      },
    },
  };
}

/** Lambda’s are numbers. A host’s is what its configuration says: of an image, a part of a digest. */
const versionFor = (server: Server): Schema => ({
  name: 'version',
  in: 'path',
  required: true,
  ...(server === 'gateway'
    ? {
        description: 'A published version’s number, or `live` for what the alias serves.',
        schema: { type: 'string', pattern: '^([1-9][0-9]*|live)$' },
      }
    : {
        description: 'The version that the model’s metadata names, or `live`.',
        schema: { type: 'string' },
      }),
});

type Get = {
  readonly id: string;
  readonly summary: string;
  readonly tag: string;
  /** The schema of the answer. */
  readonly answer: string;
  readonly auth: Auth;
  readonly server: Server;
  readonly versioned?: boolean;
  readonly ready?: boolean;
};

/**
 * Without 304: who sends `If-None-Match` knows it, and of an answer without a body generators make one that
 * may be anything.
 */
const get = (of: Get): Schema => ({
  get: {
    tags: [of.tag],
    operationId: of.id,
    summary: of.summary,
    security: securityOf(of.auth),
    ...(of.versioned && { parameters: [versionFor(of.server)] }),
    responses: {
      200: { description: 'OK', content: json(ref(of.answer)) },
      ...errorsOf(of, of.auth, of.server),
    },
  },
});

/**
 * Ids of operations are verb and model, and no verb is what another one starts with: a model `foo-version`
 * has an `infer-foo-version`.
 */
function pathsOf(model: CatalogModel, word: string, bare: boolean, server: Server): Record<string, Schema> {
  const { name, auth } = model;
  const at = `/v2/models/${name}`;
  const own = { auth, server, tag: name };
  const shape = { sagemaker: true, summary: `Ask ${name} in SageMaker’s shape` };
  const health = { ...own, ready: true, answer: 'Ready', summary: 'SageMaker’s health check' };
  return {
    [at]: get({ ...own, id: `metadata-${word}`, summary: `Signature of ${name}`, answer: 'Metadata' }),
    [`${at}/card`]: get({
      ...own,
      id: `card-${word}`,
      summary: `What is told of ${name}: data, metrics, licence, files`,
      answer: 'Card',
    }),
    [`${at}/ready`]: get({
      ...own,
      id: `ready-${word}`,
      summary: `Is ${name} ready?`,
      answer: 'Ready',
      ready: true,
    }),
    [`${at}/infer`]: inferOperation(model, word, server, { id: `infer-${word}`, summary: `Ask ${name}` }),
    [`${at}/versions/{version}`]: get({
      ...own,
      id: `version-metadata-${word}`,
      summary: `Signature of one version of ${name}`,
      answer: 'Metadata',
      versioned: true,
    }),
    [`${at}/versions/{version}/ready`]: get({
      ...own,
      id: `version-ready-${word}`,
      summary: `Is one version of ${name} ready?`,
      answer: 'Ready',
      versioned: true,
      ready: true,
    }),
    [`${at}/versions/{version}/infer`]: inferOperation(model, word, server, {
      id: `version-infer-${word}`,
      summary: `Ask one version of ${name}`,
      versioned: true,
    }),
    [`/models/${name}/invocations`]: inferOperation(model, word, server, {
      ...shape,
      id: `invocations-${word}`,
    }),
    [`/models/${name}/ping`]: get({ ...health, id: `ping-${word}` }),
    ...(bare && {
      '/invocations': inferOperation(model, word, server, { ...shape, id: 'invocations' }),
      '/ping': get({ ...health, id: 'ping' }),
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

/** Where a prefix is served. */
type Served = {
  /** Who takes the requests, since each has errors of its own. */
  readonly server?: Server;
  /** What clients have before the prefix, for example `/prod`. */
  readonly mount?: string;
};

/**
 * The OpenAPI 3.1 description of one prefix, exact to every name, datatype and dimension that the ONNX graphs
 * fix. Pure.
 * @returns a document to serve as `/openapi.json`; its server is a path, so that it holds behind any host.
 */
export function openapi(
  manifest: CatalogManifest,
  group: CatalogGroup,
  { server = 'gateway', mount = '' }: Served = {},
): Schema {
  const { auth, models } = group;
  const schemes = new Set([auth, ...models.map((model) => model.auth)].map(schemeName));
  const words = generatedWords(models.map(({ name }) => name));
  const own = { auth, server, tag: words.server };
  return {
    openapi: '3.1.0',
    info: {
      title: manifest.service,
      version: manifest.version,
      description: 'Open Inference Protocol v2, made from the models’ own signatures.',
    },
    servers: [{ url: group.path === '/' ? mount || '/' : `${mount}${group.path}` }],
    tags: [
      { name: words.server },
      ...models.map(({ name, opset }) => ({
        name,
        description: opset === 0 ? 'ONNX operators of other domains only.' : `ONNX opset ${opset}.`,
      })),
    ],
    paths: {
      '/v2': get({ ...own, id: 'server-metadata', summary: 'Who answers', answer: 'Server' }),
      '/v2/health/live': get({
        ...own,
        id: 'server-live',
        summary: 'Does the service answer?',
        answer: 'Live',
      }),
      '/v2/health/ready': get({
        ...own,
        id: 'server-ready',
        summary: 'Are all models ready?',
        answer: 'Ready',
        ready: true,
      }),
      ...Object.assign(
        {},
        ...models.map((model) => pathsOf(model, words.of(model.name), model.name === group.bare, server)),
      ),
    },
    components: {
      schemas: {
        ...SHARED,
        ...dataSchemas(models.flatMap(({ signature }) => [...signature.inputs, ...signature.outputs])),
        ...Object.assign(
          {},
          ...models.map((model) => {
            const word = words.of(model.name);
            return { ...protocolSchemas(word, model), ...invocationSchemas(word, model) };
          }),
        ),
      },
      securitySchemes: Object.fromEntries(Object.entries(SCHEMES).filter(([name]) => schemes.has(name))),
    },
  };
}
