import { describe, expect, it } from 'vitest';
import type { FoundRepository, RepositoryPort } from '../../../../../../core/ports/aws.ts';
import type { Registry } from '../../../../../../core/registry/port.ts';
import {
  removeImages,
  serviceImages,
} from '../../../../../../plugins/models/releases/packages/remove-images.ts';
import { fakeImages } from '../../../../../fakes/images.ts';
import { declaredModels, HOST } from '../../../../../fixtures/service.ts';

const image = (repository?: string) => ({
  package: 'image',
  image: { base: `registry.example/node@sha256:${'b'.repeat(64)}`, ...(repository && { repository }) },
});

/** Records of versions by model: names, and the image of each as `repository:tag`. */
const registryOf =
  (records: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>) =>
  <T>(work: (documents: Pick<Registry, 'records' | 'recorded'>) => Promise<T>): Promise<T | undefined> =>
    work({
      records: async (model) => Object.keys(records[model] ?? {}),
      recorded: async (model, name) => {
        const [repository = '', tag = ''] = records[model]?.[name]?.split(':') ?? [];
        return (tag === '' ? {} : { image: { repository, tag } }) as Awaited<
          ReturnType<Registry['recorded']>
        >;
      },
    });

describe('images of a service', () => {
  it('are none where all are zips, and the registry is not asked', async () => {
    const never = () => {
      throw new Error('asked');
    };
    expect(await serviceImages(declaredModels({ churn: {}, fraud: {} }), HOST, never)).toEqual([]);
    expect(await serviceImages(declaredModels({ churn: image() }), HOST, never)).toEqual([
      { repository: 'shop-dev-models' },
    ]);
  });

  it('in a repository that the service names are those of its records', async () => {
    const models = declaredModels({ churn: image('team'), fraud: image('team'), own: image(), zipped: {} });
    const read = registryOf({
      churn: { '1': 'team:v-a', '2': 'team:v-b', '2-2026': 'team:v-a', '3': 'elsewhere:v-c', '4': undefined },
      fraud: { '1': 'team:v-d' },
      zipped: { '1': undefined },
    });
    expect(await serviceImages(models, HOST, read)).toEqual([
      { repository: 'team', tags: ['v-a', 'v-b', 'v-d'] },
      { repository: 'shop-dev-models' },
    ]);
    // Versions of before the service named one.
    const moved = registryOf({ churn: { '1': 'shop-dev-models:v-a', '2': 'team:v-b' } });
    expect(await serviceImages(declaredModels({ churn: image('team') }), HOST, moved)).toEqual([
      { repository: 'shop-dev-models' },
      { repository: 'team', tags: ['v-b'] },
    ]);
    expect(
      await serviceImages(declaredModels({ churn: image('team') }), HOST, async () => undefined),
    ).toEqual([{ repository: 'team', tags: [] }]);
  });
});

describe('once the stack is gone', () => {
  const repositories = (there: Readonly<Record<string, Partial<FoundRepository>>>) => {
    const removed: string[] = [];
    const port: Pick<RepositoryPort, 'find' | 'remove'> = {
      find: async (name) => there[name] && { arn: '', uri: '', ...there[name] },
      remove: async (name) => {
        removed.push(name);
      },
    };
    return { removed, port: port as RepositoryPort };
  };

  it('a repository that this service and stage made goes, any other stays', async () => {
    const { removed, port } = repositories({
      ours: { owner: 'shop/dev' },
      'of-another-stage': { owner: 'shop/prod' },
      'of-somebody': {},
    });
    const images = fakeImages();
    const all = ['ours', 'of-another-stage', 'of-somebody', 'gone'].map((repository) => ({ repository }));
    await removeImages(all, HOST, { repositories: port, images: images.port });
    expect(removed).toEqual(['ours']);
  });

  it('of a repository of somebody’s our tags go, and what is left otherwise is told', async () => {
    const images = fakeImages();
    for (const one of ['team:v-a', 'team:v-b', 'team:theirs']) images.images.add(one);
    const { port } = repositories({});
    const ours = [{ repository: 'team', tags: ['v-a', 'v-b'] }];
    await removeImages(ours, HOST, { repositories: port, images: images.port });
    expect([...images.images]).toEqual(['team:theirs']);
    const denied = async () => {
      throw new Error('AccessDenied');
    };
    await expect(
      removeImages(ours, HOST, { repositories: port, images: { remove: denied } }),
    ).rejects.toThrow(
      /images in the repository team are left: AccessDenied\. Delete them: v-a, v-b\. \[MODELS_AWS\]/,
    );
    await expect(
      removeImages([{ repository: 'ours' }], HOST, {
        repositories: { ...port, find: denied },
        images: images.port,
      }),
    ).rejects.toThrow('aws ecr delete-repository --force --repository-name ours --region us-east-1');
  });
});
