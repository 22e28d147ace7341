/** What it takes to add a source of artifacts: one new file and one entry in the list. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { houseCopy } from '../../../../../house-copy.ts';

const SOURCES = 'plugins/models/artifact/sources';
const SOURCE = `import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

export const drawerSource: ArtifactSource = {
  scheme: 'drawer',
  forms: [{ shown: '\`drawer:name\` of a drawer', write: 'drawer:name' }],
  fault: (reference) =>
    reference === 'drawer:' ? { message: 'names no drawer.', fix: 'Write \`drawer:name\`.' } : undefined,
  path: () => undefined,
  resolve: async (reference) => ({ reference, isFolder: false, files: [{ path: 'a.onnx', bytes: 1 }] }),
  fetch: async ({ reference }) => ({ path: reference.slice('drawer:'.length), isOurs: true }),
};
`;

/** What declaration, schema, fixes and docs say, and whether packaging asks the source for its files. */
const PROGRAM = `
  const { parseModels } = await import('./plugins/models/declaration/parse.ts');
  const { frameworkSchema, optionTable } = await import('./plugins/models/declaration/options.ts');
  const { readArtifact } = await import('./plugins/models/artifact/read.ts');
  const { resolve } = await import('node:path');
  const parsed = (artifact) => {
    const { models, problems } = parseModels({ churn: { artifact } });
    return { artifact: models[0]?.artifact, problems };
  };
  const context = { key: 'models.churn.artifact', serviceDir: process.cwd(), progress: () => {} };
  const drawer = 'drawer:' + resolve('package.json');
  const read = await readArtifact(drawer, context, () => {}).catch(({ code }) => ({ code }));
  const { description } = frameworkSchema('models').additionalProperties.properties.artifact;
  console.log(JSON.stringify({
    good: parsed('drawer:socks'),
    faulty: parsed('drawer:'),
    empty: parsed(''),
    schema: description,
    row: optionTable().split('\\n').find((line) => line.includes('models.<name>.artifact')),
    read,
  }));
`;

let house: Awaited<ReturnType<typeof houseCopy>>;
beforeAll(async () => {
  house = await houseCopy();
});
afterAll(() => house?.remove());

it('declaration, schema, fixes, docs and packaging know it from the list', async () => {
  const before = house.run(PROGRAM);
  expect(before).toMatchObject({
    good: { artifact: { reference: 'drawer:socks', path: 'drawer:socks' }, problems: [] },
    faulty: { problems: [] },
    read: { code: 'MODELS_ARTIFACT_MISSING' },
  });
  expect(JSON.stringify(before)).not.toContain('of a drawer');

  await house.add(`${SOURCES}/drawer.ts`, SOURCE);
  await house.change(
    `${SOURCES}/sources.ts`,
    "import { fileSource } from './file.ts';",
    "import { drawerSource } from './drawer.ts';\nimport { fileSource } from './file.ts';",
  );
  await house.change(
    `${SOURCES}/sources.ts`,
    'huggingFaceSource,\n]',
    'huggingFaceSource,\n  drawerSource,\n]',
  );
  expect(house.run(PROGRAM)).toMatchObject({
    good: { artifact: { reference: 'drawer:socks' }, problems: [] },
    faulty: {
      problems: [
        {
          code: 'MODELS_INVALID_VALUE',
          key: 'models.churn.artifact',
          value: 'drawer:',
          message: 'names no drawer.',
          fix: 'Write `drawer:name`.',
        },
      ],
    },
    empty: { problems: [{ fix: expect.stringContaining('of Hugging Face, or drawer:name.') }] },
    schema: expect.stringContaining('of Hugging Face, or `drawer:name` of a drawer.'),
    row: expect.stringContaining('of Hugging Face, or `drawer:name` of a drawer.'),
    // It fetched the copy's package.json, which is no ONNX.
    read: { code: 'MODELS_ARTIFACT_INVALID' },
  });
});
