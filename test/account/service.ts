import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { aliasLogicalId } from '../../plugins/models/declaration/naming.ts';
import { asideOf, bucketsOf, newsOf, REGION_TAG, TAG } from './names.ts';

/** What of the service differs from one deploy to the next. */
export type Variant = {
  /**
   * The demo's versions: 2 is better, 3 fails its cases, 5 passes them but has no answer about people who
   * were born elsewhere.
   */
  readonly version: 1 | 2 | 3 | 5;
  /** Is the second model declared? */
  readonly aside: boolean;
  /** Is there a resource that AWS refuses once the alias is changed? */
  readonly broken: boolean;
};
export const FIRST: Variant = { version: 1, aside: true, broken: false };

/** Requests a second, and at once, that the gateway lets through: few, so that few show it. */
export const THROTTLE = { rate: 2, burst: 4 } as const;
/** Who asks from a browser. */
export const ORIGIN = 'https://example.com';

const EXAMPLE = join('examples', 'employment');
const artifactOf = (version: Variant['version']): string =>
  version === 1 ? `${EXAMPLE}/employment.onnx` : `${EXAMPLE}/versions/${version}.onnx`;
const FILES = [
  ...([1, 2, 3, 5] as const).map(artifactOf),
  ...['cases.jsonl', 'reference.csv'].map((file) => join(EXAMPLE, file)),
];

type Yaml = Readonly<Record<string, unknown>>;
type Demo = {
  readonly provider: Yaml;
  readonly models: { readonly employment: Yaml & { readonly batch: readonly Yaml[] } };
};

/**
 * The demo's serverless.yml under a name and a tag of this run, in one region, released all at once, with a
 * second model beside it. Pure.
 *
 * @param demo the text of it
 * @param input what a schedule asks the second model
 */
export function serviceYaml(
  demo: string,
  { name, region }: { readonly name: string; readonly region: string },
  { version, aside, broken }: Variant,
  input: unknown,
): string {
  const { provider, models } = parse(demo) as Demo;
  const [batch] = models.employment.batch;
  const { rows, scored } = bucketsOf(name);
  const tags = { [TAG]: name, [REGION_TAG]: region };
  return stringify({
    service: name,
    provider: {
      ...provider,
      region,
      tags,
      stackTags: tags,
      httpApi: {
        cors: {
          allowedOrigins: [ORIGIN],
          allowedMethods: ['GET', 'POST'],
          allowedHeaders: ['Content-Type', 'Authorization', 'Inference-Header-Content-Length'],
        },
      },
    },
    plugins: ['./models-plugin.cjs'],
    models: {
      employment: {
        ...models.employment,
        artifact: artifactOf(version),
        http: { auth: 'iam', throttle: THROTTLE },
        audit: {},
        release: { strategy: 'allAtOnce' },
        batch: [{ ...batch, input: `s3://${rows}/*.csv`, output: `s3://${scored}/` }],
      },
      ...(aside && {
        aside: {
          artifact: artifactOf(1),
          architecture: 'arm64',
          audit: {},
          function: {
            name: asideOf(name),
            events: [{ schedule: { rate: ['rate(1 minute)'], input } }, { sns: newsOf(name) }],
          },
        },
      }),
    },
    ...(broken && { resources: { Resources: { Broken: BROKEN } } }),
  });
}

/** Settings of a route that is not there. */
const BROKEN = {
  Type: 'AWS::ApiGatewayV2::Stage',
  DependsOn: aliasLogicalId('employment'),
  Properties: {
    ApiId: { Ref: 'HttpApi' },
    StageName: 'broken',
    RouteSettings: { 'GET /nowhere': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1 } },
  },
};

export type Folder = {
  readonly dir: string;
  /** What is deployed next. */
  readonly write: (variant: Variant) => Promise<void>;
  readonly remove: () => Promise<void>;
};

/** @param root of the repository @param dir is made, and gets what the service consists of */
export async function makeFolder(
  root: string,
  dir: string,
  place: { readonly name: string; readonly region: string },
  input: unknown,
): Promise<Folder> {
  for (const file of FILES) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await copyFile(join(root, file), join(dir, file));
  }
  // osls takes a plugin's path only below the service's folder.
  const plugin = join(root, 'plugins', 'models', 'plugin.ts');
  await writeFile(join(dir, 'models-plugin.cjs'), `module.exports = require(${JSON.stringify(plugin)});\n`);
  const demo = await readFile(join(root, 'serverless.yml'), 'utf8');
  return {
    dir,
    write: (variant) => writeFile(join(dir, 'serverless.yml'), serviceYaml(demo, place, variant, input)),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
