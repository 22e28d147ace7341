/**
 * The narrow views of AWS that the functions work against: only what they use, in their own words. The adapters in
 * this folder and the fakes of the tests pass one contract suite (test/local-aws/contract.test.ts).
 */

/** An alias as it stands. Weights are 0 to 1 and never zero. */
export type AliasState = {
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly description: string;
  /** Changes with every write. */
  readonly revision: string;
};

/** `changed`: somebody else was faster, read again. `refused`: AWS will never do this, and why. */
export type AliasWrite = 'ok' | 'changed' | { readonly refused: string };

export type AliasPort = {
  /** @returns undefined where the alias or its function does not exist. */
  readonly get: (functionName: string, alias: string) => Promise<AliasState | undefined>;
  readonly create: (
    functionName: string,
    alias: string,
    to: Omit<AliasState, 'revision'>,
  ) => Promise<AliasWrite>;
  /** Moves the alias if it still has this revision. */
  readonly update: (
    functionName: string,
    alias: string,
    to: Omit<AliasState, 'revision'>,
    revision: string,
  ) => Promise<AliasWrite>;
  /** Deletes the alias; nothing happens where it, or its function, is gone. */
  readonly remove: (functionName: string, alias: string) => Promise<void>;
};

export type CapacityPort = {
  /** @returns the qualifiers (versions or aliases) that hold provisioned concurrency. */
  readonly list: (functionName: string) => Promise<readonly string[]>;
  /** Ends scaling and provisioned concurrency of one qualifier; tolerates that there is none. */
  readonly release: (functionName: string, qualifier: string) => Promise<void>;
};

export type ObjectPort = {
  /** @returns undefined where there is no such object; throws where it cannot be told. */
  readonly get: (key: string) => Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** Writes if there is no such object yet. */
  readonly create: (key: string, text: string) => Promise<'ok' | 'changed'>;
  /** Writes if the object still has this ETag. */
  readonly replace: (key: string, text: string, etag: string) => Promise<'ok' | 'changed'>;
};

export type Schedule = {
  readonly group: string;
  readonly name: string;
  /** Such as `rate(1 minute)`. */
  readonly every: string;
  readonly target: string;
  readonly role: string;
  /** JSON. */
  readonly input: string;
};

export type SchedulePort = {
  /** Makes the schedule, or overwrites the one of this name. */
  readonly put: (schedule: Schedule) => Promise<void>;
  /** Deletes it; nothing happens where it is gone. */
  readonly remove: (at: { readonly group: string; readonly name: string }) => Promise<void>;
};

/** busy: an update runs, or failed half-way. done: nothing runs (a cleanup may). gone: deleted. */
export type StackState = 'busy' | 'rollingBack' | 'done' | 'gone' | 'unknown';

export type StackPort = {
  /** Never throws: `unknown` where it cannot be told. */
  readonly state: (stack: string) => Promise<StackState>;
};

/** Sends a custom resource's answer. `gone`: nobody waits for it any more. */
export type AnswerPort = (url: string, body: string) => Promise<'ok' | 'gone'>;
