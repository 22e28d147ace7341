import type { Side } from '../judge/contract.ts';

/**
 * The narrow views of AWS that the functions work against: only what they use, in their own words. The
 * adapters in this folder and the fakes of the tests pass one contract suite
 * (test/local-aws/contract.test.ts).
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

export type VersionPort = {
  /** @returns numbers of the published versions, in any order; empty where the function is gone. */
  readonly list: (functionName: string) => Promise<readonly string[]>;
  /** Deletes one; nothing happens where it is gone. @throws Error where AWS refuses: an alias needs it */
  readonly remove: (functionName: string, version: string) => Promise<void>;
  /**
   * @returns by version, `sha256:<hex>` of what it runs: of an image, that of its manifest. Empty where the
   * function is gone.
   */
  readonly digests: (functionName: string) => Promise<ReadonlyMap<string, string>>;
};

export type MachinePort = {
  /**
   * Does an execution of the state machine of this name run? One that began, or ended, some seconds ago may
   * not count yet. No, where there is no such machine.
   */
  readonly isBusy: (name: string) => Promise<boolean>;
};

export type ImagePort = {
  /** Takes a tag from an image, and deletes it if that was its last; nothing happens where it is gone. */
  readonly remove: (repository: string, tag: string) => Promise<void>;
};

/** A repository of images, in the account and region of who asks. */
export type FoundRepository = {
  readonly arn: string;
  /** `<registry>/<name>` */
  readonly uri: string;
  /** Service and stage that made it; absent where somebody else did. */
  readonly owner?: string;
};

export type RepositoryPort = {
  readonly find: (name: string) => Promise<FoundRepository | undefined>;
  /** @param owner service and stage. @returns what is there then, perhaps made by somebody else meanwhile */
  readonly make: (name: string, owner: string) => Promise<FoundRepository>;
  /** Gives it who may read its images and when they expire, unless it has that already. */
  readonly ready: (
    name: string,
    its: { readonly policy: object; readonly lifecycle: object },
  ) => Promise<void>;
  /** The JSON of what expires its images; undefined where nothing does. */
  readonly lifecycle: (name: string) => Promise<string | undefined>;
  /** Is there an image of this tag? */
  readonly has: (name: string, tag: string) => Promise<boolean>;
  /** Deletes it with all its images; nothing happens where it is gone. */
  readonly remove: (name: string) => Promise<void>;
};

export type CapacityPort = {
  /** @returns the qualifiers (versions or aliases) that hold provisioned concurrency. */
  readonly list: (functionName: string) => Promise<readonly string[]>;
  /** Ends scaling and provisioned concurrency of one qualifier; tolerates that there is none. */
  readonly release: (functionName: string, qualifier: string) => Promise<void>;
  /**
   * Asks for so many instances of a version; READY takes a minute or two. `refused`: beyond a limit, and why;
   * that may pass, since what another version gave up counts for some seconds still.
   */
  readonly provide: (
    functionName: string,
    version: string,
    instances: number,
  ) => Promise<'ok' | { readonly refused: string }>;
  /** @returns undefined where the version has none. */
  readonly provided: (functionName: string, version: string) => Promise<Provided | undefined>;
  /**
   * Scaling by use between `min` and `max`, and its schedules, on a version: as given and nothing else. The
   * range in force at once is that of the schedule that began last (`rangeAt` in ../range.ts).
   */
  readonly scale: (functionName: string, version: string, scaling: Scaling) => Promise<void>;
  /**
   * Instances that a function may have at once: its own reservation, or what the account has unreserved,
   * which its other functions share. 100 of those cannot be provisioned.
   */
  readonly limits: (
    functionName: string,
  ) => Promise<{ readonly reserved?: number; readonly unreserved: number }>;
};

export type Provided = {
  readonly requested: number;
  readonly ready: number;
  readonly state: 'ready' | 'inProgress' | 'failed';
  /** AWS's words where it failed. */
  readonly reason?: string;
};

export type Scaling = {
  readonly min: number;
  readonly max: number;
  /** Share of provisioned instances in use, 0 to 1. */
  readonly target: number;
  readonly schedules: readonly {
    readonly name: string;
    /** `cron(<minute> <hour> ? * <days> *)`, days, for example `MON-FRI`. */
    readonly at: string;
    readonly timezone: string;
    readonly min: number;
    readonly max: number;
  }[];
};

export type MetricsPort = {
  /**
   * What each version did behind an alias, by complete minutes.
   * @param from start of the first minute, @param to start of the minute after the last: milliseconds
   * @param signals names of the output signals to read, as the versions' packages name them: CloudWatch lists
   * a new
   *   metric up to 15 minutes late, when a step may be over
   * @returns by version, then by the minute's start in milliseconds; throws where it cannot be read
   */
  readonly sides: (
    functionName: string,
    alias: string,
    versions: readonly string[],
    from: number,
    to: number,
    signals: readonly string[],
  ) => Promise<ReadonlyMap<string, ReadonlyMap<number, Side>>>;
  /**
   * @returns of the alias, on average between two times: requests per second, and the share (0 to 1) of them
   * that crashed or
   *   failed; throws where it cannot be read.
   */
  readonly rate: (functionName: string, alias: string, from: number, to: number) => Promise<Rate>;
};

export type Rate = { readonly perSecond: number; readonly errorRate: number };

export type AlarmPort = {
  /**
   * @returns state and, in milliseconds, since when (0: nobody says), of those of these alarms that exist.
   */
  readonly states: (
    names: readonly string[],
  ) => Promise<
    ReadonlyMap<string, { readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; readonly since: number }>
  >;
};

export type InvokePort = {
  /**
   * Invokes one version, as no traffic, and waits at most `patience` milliseconds.
   * @returns undefined where no answer came in time; throws only where AWS itself cannot be reached or
   * refuses
   */
  readonly invoke: (
    functionName: string,
    version: string,
    payload: string,
    patience: number,
  ) => Promise<Invoked | undefined>;
};

export type Invoked = {
  readonly payload: string;
  /** `Unhandled` and the like: a crash, a timeout, an init that failed. */
  readonly crashed?: string;
  /**
   * From the REPORT line that Lambda returns with the answer: milliseconds and MB; `init` only of a cold
   * start.
   */
  readonly duration?: number;
  /** Whole milliseconds, the start of a cold one included. */
  readonly billed?: number;
  readonly init?: number;
  readonly memory?: number;
};

/** A SageMaker endpoint. */
export type ReferencePort = {
  /**
   * Asks for an answer of the same content type.
   * @returns `refused`: the model's container answered an error, its status and words; throws where AWS
   * refuses
   */
  readonly ask: (
    endpoint: string,
    contentType: string,
    body: string,
  ) => Promise<
    | { readonly contentType: string; readonly body: string }
    | { readonly refused: string; readonly status: number }
  >;
};

/**
 * Publishes to the alerts topic. What does not fit is cut, with a word about it; throws where it was not
 * taken.
 */
export type NoticePort = (subject: string, text: string) => Promise<void>;

export type ObjectPort = {
  /**
   * @param most bytes: of a larger object nothing is read
   * @returns undefined where there is no such object, or it is larger; throws where it cannot be told
   */
  readonly get: (
    key: string,
    most?: number,
  ) => Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** Writes if there is no such object yet. */
  readonly create: (key: string, text: string) => Promise<'ok' | 'changed'>;
  /** Writes if the object still has this ETag. */
  readonly replace: (key: string, text: string, etag: string) => Promise<'ok' | 'changed'>;
  /**
   * @returns the keys that begin with `prefix`, in the order of their bytes; throws where there is no bucket.
   */
  readonly list: (prefix: string) => Promise<readonly string[]>;
};

export type Schedule = {
  readonly group: string;
  readonly name: string;
  /** For example `rate(1 minute)`. */
  readonly every: string;
  readonly target: string;
  readonly role: string;
  /** JSON. */
  readonly input: string;
};

export type SchedulePort = {
  /** Makes the schedule if there is none of this name; one that is there stays as it is. */
  readonly make: (schedule: Schedule) => Promise<'made' | 'there'>;
  /** Makes the schedule, or overwrites the one of this name. */
  readonly put: (schedule: Schedule) => Promise<void>;
  /** Deletes it; nothing happens where it is gone. */
  readonly remove: (at: { readonly group: string; readonly name: string }) => Promise<void>;
};

/**
 * busy: an operation runs. done: nothing runs (a cleanup may). failed: nothing runs, half-way, until a person
 * repairs it. gone: deleted.
 */
export type StackState = 'busy' | 'rollingBack' | 'done' | 'failed' | 'gone' | 'unknown';

export type StackPort = {
  /** Never throws: `unknown` where it cannot be told. */
  readonly state: (stack: string) => Promise<StackState>;
};

/**
 * Has a bucket of this account tell EventBridge of its objects, beside what else it tells. `refused`: S3 will
 * never do this, and why; throws where trying again may help.
 */
export type BucketEventsPort = (
  bucket: string,
  account: string,
) => Promise<'ok' | { readonly refused: string }>;

/** Sends a custom resource's answer. `gone`: nobody waits for it any more. */
export type AnswerPort = (url: string, body: string) => Promise<'ok' | 'gone'>;

/** @returns the text of a secret, by its ARN. @throws Error where it cannot be read */
export type SecretPort = (arn: string) => Promise<string>;

/**
 * @returns who we are at ECR, and the address of the registry that this holds for
 * @throws the SDK's error where the account does not allow it
 */
export type ImageLoginPort = () => Promise<{
  readonly username: string;
  readonly password: string;
  readonly url: string;
}>;
