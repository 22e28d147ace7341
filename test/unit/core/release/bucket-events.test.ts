import { describe, expect, it } from 'vitest';
import { fakeWorld, STACK } from '../../../fakes/world.ts';

/** `Custom::ModelBucketEvents` as CloudFormation sends it. */
const ask = (type: string, more: object = {}) => ({
  RequestType: type,
  ResourceType: 'Custom::ModelBucketEvents',
  RequestId: `request-${type}`,
  ResponseURL: 'https://answers.example/bucket',
  StackId: STACK,
  LogicalResourceId: 'ModelsIncomingEvents',
  ResourceProperties: { ServiceToken: 'arn', ServiceTimeout: '120', Bucket: 'incoming' },
  ...more,
});

async function answered(world: ReturnType<typeof fakeWorld>, event: object) {
  await world.send(event);
  expect(world.answers).toHaveLength(1);
  return world.answers[0];
}

describe('the events of a bucket', () => {
  it.each(['Create', 'Update'])(
    'are on after %s, and the bucket is what the resource is known by',
    async (type) => {
      const world = fakeWorld();
      world.buckets.set('incoming', false);
      expect(await answered(world, ask(type))).toMatchObject({
        Status: 'SUCCESS',
        PhysicalResourceId: 'incoming',
        LogicalResourceId: 'ModelsIncomingEvents',
      });
      expect(world.buckets.get('incoming')).toBe(true);
      expect(world.objects.objects.size).toBe(0);
    },
  );

  it('stay on after Delete: others may listen by now', async () => {
    const world = fakeWorld();
    world.buckets.set('incoming', true);
    const event = ask('Delete', { PhysicalResourceId: 'incoming' });
    expect(await answered(world, event)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'incoming' });
    expect(world.buckets.get('incoming')).toBe(true);
  });

  it('fail the deploy with S3’s reason where S3 will not', async () => {
    const world = fakeWorld();
    expect(await answered(world, ask('Create'))).toMatchObject({
      Status: 'FAILED',
      Reason: 'there is no bucket incoming',
    });
  });

  it('are tried again, and fail the deploy with the error in the end', async () => {
    let failures = 2;
    const chaos = async (point: string): Promise<void> => {
      if (point !== 'before bucket events' || failures === 0) return;
      failures -= 1;
      throw new Error('SlowDown');
    };
    const world = fakeWorld({ chaos });
    world.buckets.set('incoming', false);
    expect(await answered(world, ask('Create'))).toMatchObject({ Status: 'SUCCESS' });
    failures = 99;
    const other = fakeWorld({ chaos });
    expect(await answered(other, ask('Create'))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('SlowDown'),
    });
  });

  it('of no bucket are answered, too', async () => {
    const none = { ResourceProperties: { ServiceToken: 'arn' } };
    expect(await answered(fakeWorld(), ask('Create', none))).toMatchObject({
      Status: 'FAILED',
      Reason: 'no bucket is named',
    });
    const gone = { ...none, PhysicalResourceId: 'ModelsIncomingEvents' };
    expect(await answered(fakeWorld(), ask('Delete', gone))).toMatchObject({ Status: 'SUCCESS' });
  });
});
