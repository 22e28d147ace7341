/**
 * In which order test files run: the pure ones first, and of the heavy ones always some that wait beside some
 * that compute.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The longest files, the longest first: the pure ones over a minute, the others over forty seconds.
 * Begun last, one of them would run alone at the end.
 */
export const LONG: readonly string[] = [
  'test/unit/core/release/sequences.test.ts',
  'test/hundredth/soak.test.ts',
  'test/golden/golden.test.ts',
  'test/hundredth/bench.test.ts',
  'test/local-aws/crash.test.ts',
  'test/journeys/releases/capacity.test.ts',
  'test/journeys/releases/lost.test.ts',
  'test/journeys/releases/dying.test.ts',
  'test/journeys/releases/version-before.test.ts',
  'test/journeys/release-commands.test.ts',
  'test/journeys/releases/denied.test.ts',
  'test/journeys/batch.test.ts',
  'test/journeys/drift.test.ts',
  'test/journeys/releases/edges.test.ts',
  'test/golden/other-plugins.test.ts',
  'test/journeys/demo-rights.test.ts',
  'test/unit/plugins/models/batch-jobs/follow.test.ts',
  'test/local-aws/batch-faults.test.ts',
  'test/serving/bench-command.test.ts',
  'test/journeys/releases/alarm.test.ts',
  'test/journeys/account.test.ts',
  'test/local-aws/images/runs.test.ts',
  'test/serving/host.test.ts',
  'test/golden/warm.test.ts',
  'test/journeys/releases/strategies.test.ts',
  'test/golden/commands.test.ts',
  'test/serving/image.test.ts',
  'test/journeys/releases/under-load.test.ts',
  'test/journeys/release-rights.test.ts',
  'test/journeys/deploy-ends.test.ts',
  'test/serving/serve.test.ts',
  'test/serving/host-grpc.test.ts',
  'test/local-aws/semantics/objects.test.ts',
  'test/journeys/image.test.ts',
  'test/hundredth/demo.test.ts',
  'test/journeys/releases/reports-alarms.test.ts',
  'test/local-aws/semantics/metrics.test.ts',
  'test/journeys/refused-requests.test.ts',
  'test/local-aws/semantics/scaling.test.ts',
];

/** Most of its time a journey waits for the clock of its AWS; most others compute all of theirs. */
const waits = (file: string): boolean => file.startsWith('test/journeys/');

const rank = (file: string): number => (LONG.includes(file) ? LONG.indexOf(file) : LONG.length);

/** @param files paths from the repository's root, in an order that else stays */
export const longFirst = (files: readonly string[]): readonly string[] =>
  files.toSorted((a, b) => rank(a) - rank(b));

/** Long ones first, and of each kind its share at any time; else as they come. */
export function inTurn(files: readonly string[]): readonly string[] {
  const sorted = longFirst(files);
  const queues = [sorted.filter(waits), sorted.filter((file) => !waits(file))];
  // Both queues end together: each file has the place that is its share of its own queue.
  return queues
    .flatMap((queue) => queue.map((file, at) => ({ file, at: (at + 0.5) / queue.length })))
    .toSorted((a, b) => a.at - b.at)
    .map(({ file }) => file);
}

/** Vitest's own order, with the heavy files in turn. */
export class InTurn extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isHeavy = ({ project }: TestSpecification): boolean => project.config.sequence.groupOrder > 0;
    const path = ({ moduleId }: TestSpecification): string =>
      moduleId.slice(this.ctx.config.root.length + 1).replaceAll('\\', '/');
    const specifications = new Map(sorted.map((one) => [path(one), one]));
    const [light, heavy] = [
      sorted.filter((one) => !isHeavy(one)).map(path),
      sorted.filter(isHeavy).map(path),
    ];
    return [...longFirst(light), ...inTurn(heavy)].flatMap((file) => specifications.get(file) ?? []);
  }
}
