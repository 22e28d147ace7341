import type { MachinePort } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** @param busy names of the state machines of which an execution runs */
export const fakeMachines = (busy: ReadonlySet<string>, chaos: Chaos = calm): MachinePort => ({
  isBusy: async (name) => {
    await chaos('before list executions');
    return busy.has(name);
  },
});
