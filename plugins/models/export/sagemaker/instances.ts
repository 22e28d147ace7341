import { hostMemory, type WorkerMemory } from '../shared/worker-memory.ts';

/** https://aws.amazon.com/sagemaker/ai/pricing/: two processors each, with more and more memory. */
const INSTANCES = {
  x86_64: [
    { type: 'ml.c7i.large', gb: 4 },
    { type: 'ml.m7i.large', gb: 8 },
    { type: 'ml.r7i.large', gb: 16 },
  ],
  arm64: [
    { type: 'ml.c7g.large', gb: 4 },
    { type: 'ml.m6g.large', gb: 8 },
    { type: 'ml.r6g.large', gb: 16 },
  ],
} as const;

/** The host has a worker for each. */
export const INSTANCE_CPUS = 2;

/** Share of an instance’s memory that a container may have; SageMaker tells nowhere how much it takes. */
const USABLE = 0.9;

/** MB that the largest has for workers and front. */
export const MOST_MB = Math.floor(16 * 1024 * USABLE);

/** @returns the smallest type that has room; undefined where none has */
export function sageMakerInstance(
  memory: WorkerMemory,
  architecture: keyof typeof INSTANCES,
): string | undefined {
  const needed = hostMemory(memory, INSTANCE_CPUS);
  return INSTANCES[architecture].find(({ gb }) => needed <= gb * 1024 * USABLE)?.type;
}
