import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleTransform } from '../../plugins/models/ship/bundled-transform.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import { loadTransform } from '../../plugins/models/ship/transform.ts';
import { FIXTURES, invoke, modelOf, newService, problemOf, unpacked } from './setup.ts';

const service = newService();

/** A folder with `add.onnx` (a: [n, 3], b: [n, 1] → sum: [n, 3]) and this transform.ts. */
async function folder(name: string, transform: string): Promise<string> {
  await service.write(join(name, 'transform.ts'), transform);
  await cp(join(FIXTURES, 'add.onnx'), service.at(name, 'model.onnx'));
  return name;
}

const PRE = `export const pre = ({ text }: { text: { data: string[] } }) => ({
  a: { datatype: 'FP32', shape: [1, 3], data: Float32Array.from(text.data[0].split(' '), Number) },
  b: { datatype: 'FP32', shape: [1, 1], data: new Float32Array(1) },
});
`;
const INPUTS = "export const inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }] as const;\n";
const POST = `export const outputs = [{ name: 'label', datatype: 'BYTES', shape: [1] }];
export const post = ({ sum }: { sum: { data: number[] } }) => ({
  label: { datatype: 'BYTES', shape: [1], data: [sum.data[0] > 1 ? 'large' : 'small'] },
});
`;
const GRAPH = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 3] },
    { name: 'b', datatype: 'FP32', shape: [-1, 1] },
  ],
  outputs: [{ name: 'sum', datatype: 'FP32', shape: [-1, 3] }],
  omitted: [],
};

describe('what a transform shows clients', () => {
  it('is the signature, and the endpoint answers so', async () => {
    const shipped = await shipModel(modelOf(await folder('whole', INPUTS + PRE + POST)), service.context());
    expect(shipped.facts.signature).toEqual({
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
      outputs: [{ name: 'label', datatype: 'BYTES', shape: [1] }],
      omitted: [],
    });
    const ask = { inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['2 3 4'] }] };
    expect((await invoke(await unpacked(shipped), ask)).outputs).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [1], data: ['large'] },
    ]);
  });

  it('is the graph’s where it says nothing else', async () => {
    const pass = 'export const post = (outputs: object) => outputs;\n';
    const { facts } = await shipModel(modelOf(await folder('post', pass)), service.context());
    expect(facts.signature).toEqual(GRAPH);
    const half = await shipModel(modelOf(await folder('half', INPUTS + PRE)), service.context());
    expect(half.facts.signature).toEqual({
      ...GRAPH,
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
    });
  });

  it('may be narrower than the graph without a pre', async () => {
    const narrow = `export const inputs = [
      { name: 'b', datatype: 'FP32', shape: [1, 1] }, { name: 'a', datatype: 'FP32', shape: [1, 3] }];`;
    const { facts } = await shipModel(modelOf(await folder('narrow', narrow)), service.context());
    expect(facts.signature.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['b', [1, 1]],
      ['a', [1, 3]],
    ]);
  });

  it('may need the environment and the SDK of its function, and nobody’s credentials', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'never';
    const text = `import { S3Client } from '@aws-sdk/client-s3';
      const client = new S3Client({});
      if (process.env.AWS_SECRET_ACCESS_KEY !== undefined) throw new Error('credentials');
      const hours = new Date(0).getHours();
      export const outputs = [
        { name: process.env.OWN + process.env.ALL + hours, datatype: 'BYTES', shape: [] }];
      export const post = () => client;`;
    const model = modelOf(await folder('env', text), {
      function: { environment: { OWN: 'own', TZ: 'Asia/Tokyo' } },
    });
    try {
      const { facts } = await shipModel(
        model,
        service.context({ environment: { OWN: 'x', ALL: 'all', NODE_OPTIONS: '-r a-layer/init' } }),
      );
      expect(facts.signature.outputs.map(({ name }) => name)).toEqual(['ownall9']);
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });
});

it('a transform has all of a package that the endpoint, too, is made with', async () => {
  const name = await folder(
    'logs',
    `import { Logger, LogLevel } from '@aws-lambda-powertools/logger';
     export const outputs = [{ name: 'sum', datatype: 'FP32', shape: [-1, 3] }, { name: LogLevel.own, datatype: 'BYTES', shape: [1] }];
     export const post = (o: object) => ({ ...o, own: { datatype: 'BYTES', shape: [1], data: [new Logger().own] } });`,
  );
  const own = join(name, 'node_modules', '@aws-lambda-powertools', 'logger');
  await service.write(join(own, 'package.json'), '{"name":"logger","type":"module","main":"index.js"}');
  await service.write(
    join(own, 'index.js'),
    "export class Logger { own = 'mine' } export const LogLevel = { own: 'own' };",
  );
  const shipped = await shipModel(modelOf(name), service.context());
  expect(shipped.facts.signature.outputs.map((output) => output.name)).toEqual(['sum', 'own']);
});

describe('a transform is refused', () => {
  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    [
      'reads',
      'import { readFileSync } from "node:fs";\nexport const words = readFileSync(new URL("words.txt", import.meta.url));',
      /throws when it is loaded: Error: ENOENT.*Import what it reads/,
    ],
    ['throws', 'throw new TypeError("no vocabulary");', /throws when it is loaded: TypeError: no vocabulary/],
    ['exits', 'process.exit(0);', /ended the process that loaded it/],
    ['empty', 'export const input = [];', /it exports input\. Export pre or post/],
    ['default', 'export default { post: (o: object) => o };', /exports nothing\. Export pre or post by name/],
    [
      'wasm',
      "import w from './model.onnx'; export const post = () => w;",
      /No loader is configured for "\.onnx" files: .*\.json.*\.txt/,
    ],
    ['not-functions', 'export const pre = 1, post = "x";', /pre is of the type number.*\n.*post is of the/],
    ['not-array', 'export const inputs = { name: "x" }; export const pre = () => ({});', /not an array/],
    [
      'a-function',
      'export const inputs = () => []; export const pre = () => ({});',
      /inputs is not an array/,
    ],
    ['no-outputs', 'export const outputs = []; export const post = () => ({});', /outputs is empty/],
    [
      'bad-specs',
      `export const inputs = [null, { name: 'a', datatype: 'STRING', shape: [-2] }, { name: 'a', datatype: 'FP32', shape: [] }];
       export const pre = () => ({});`,
      /inputs\[0\]\.name is not a name.*inputs\[1\]\.datatype is "STRING".*inputs\[1\]\.shape is \[-2\].*inputs\[2\]\.name is "a" for the second time/s,
    ],
    ['not-json', 'export const inputs = [{ shape: [1n] }];', /throws when it is loaded: TypeError/],
    ['no-pre', INPUTS, /inputs but no pre, and the input text is not the same.*input a is not the same/s],
    ['no-post', "export const outputs = [{ name: 'y', datatype: 'FP32', shape: [1] }];", /no output y/],
  ];

  it.each(REFUSED)('that %s', async (name, text, says) => {
    const refused = await problemOf(shipModel(modelOf(await folder(name, text)), service.context()));
    expect(refused).toMatch(says);
    expect(refused).toMatch(/^models\.churn\.artifact: transform\.ts/);
    expect(refused).toMatch(/MODELS_TRANSFORM_INVALID/);
  });

  it.each([
    ['a loop', 'for (;;);', { deadline: 1500, memory: 1024 ** 3 }, /still loading after 2 s/],
    ['an await', 'await new Promise(() => {});', { deadline: 1500, memory: 1024 ** 3 }, /still loading/],
    [
      'memory',
      'export const pre = [new Uint8Array(400e6).fill(1)]; await new Promise(() => {});',
      { deadline: 20_000, memory: 256 * 1024 ** 2 },
      // Where the machine has none left, the engine says so first.
      /more than 256 MB|allocation failed/,
    ],
  ])('that never ends: %s', async (name, text, limits, says) => {
    const model = modelOf('any');
    const made = await bundleTransform(service.at(await folder(name.replace(' ', '-'), text)), model);
    if (made === undefined) throw new Error('no transform');
    expect(await problemOf(loadTransform(made, model, service.context(), limits))).toMatch(says);
  });

  it('is the same with the places of its sources, which are for who works on it', async () => {
    const at = service.at(await folder('placed', 'export const pre = (inputs: object) => inputs;'));
    const [bare, placed] = await Promise.all([
      bundleTransform(at, modelOf('placed')),
      bundleTransform(at, modelOf('placed'), { withPlaces: true }),
    ]);
    expect(placed).toMatchObject({ code: bare?.code, digest: bare?.digest });
    expect(bare?.bundled.infer).not.toContain('sourceMappingURL');
    expect(placed?.bundled.infer).toContain(`${bare?.bundled.infer}//# sourceMappingURL=`);
  });
});
