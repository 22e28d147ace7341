import type { Account, Clients } from './clients.ts';
import type { Framework, Ran } from './framework.ts';
import type { Variant } from './service.ts';

/** What a check has to look with. */
export type Scene = {
  readonly name: string;
  readonly account: Account;
  readonly clients: Clients;
  readonly sls: Framework['sls'];
  /** Deploys the service with this change, whatever becomes of it. */
  readonly deploy: (change: Partial<Variant>) => Promise<Ran>;
  /** Deploys it unless it is so already. @throws Error where that fails */
  readonly ensure: (change: Partial<Variant>) => Promise<void>;
  /** Five people, and what Python's onnxruntime answers about them. */
  readonly known: Known;
  /** Ends what waits: the run was interrupted, or the check has had its time. */
  readonly signal: AbortSignal;
};

type Tensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
};
export type Known = {
  readonly request: { readonly inputs: readonly Tensor[] };
  readonly answer: { readonly outputs: readonly Tensor[] };
};
