/** Needs, forms and prices: what advice is decided by, and what it says. Times are seconds here. */

/** Where a model can run, in the order of the cost table. */
export const FORMS = [
  'batch',
  'on-demand',
  'provisioned',
  'managed',
  'fargate',
  'kubernetes',
  'sagemaker',
  'edge',
] as const;
export type Form = (typeof FORMS)[number];

/** Those that answer while somebody waits, over a network. */
export const REAL_TIME = [
  'on-demand',
  'provisioned',
  'managed',
  'fargate',
  'kubernetes',
  'sagemaker',
] as const satisfies readonly Form[];

export const UPDATES = ['never', 'monthly', 'weekly', 'daily', 'hourly'] as const;
export const PRIVACY = ['central', 'local'] as const;

/** Names of the prices that the cost of a form is counted with. */
export const PRICES_USED = [
  'lambda.request',
  'lambda.gb-second.x86_64',
  'lambda.gb-second.arm64',
  'provisioned.kept.x86_64',
  'provisioned.kept.arm64',
  'provisioned.gb-second.x86_64',
  'provisioned.gb-second.arm64',
  'http.request',
  'queue.request',
  'managed.fee',
  'ec2.c7i.large.hour',
  'ec2.c7g.large.hour',
  'fargate.vcpu-hour.x86_64',
  'fargate.vcpu-hour.arm64',
  'fargate.gb-hour.x86_64',
  'fargate.gb-hour.arm64',
  'alb.hour',
  'alb.lcu-hour',
  'eks.hour',
  'sagemaker.ml.c7i.large.hour',
  'sagemaker.ml.c7g.large.hour',
  'sagemaker.gb',
] as const;
export type PriceUsed = (typeof PRICES_USED)[number];

export type Price = {
  readonly dollars: number;
  /** What is paid for: `request`, `GB-second`. */
  readonly unit: string;
  /** Page of whoever sets the price. */
  readonly source: string;
  /** When it was read there: a year, or a day. */
  readonly read: string;
  /** Why it is not certain: it is printed with `?` then. */
  readonly doubt?: string;
};
export type Prices = Readonly<Record<PriceUsed, Price>>;

/** Tensors of one element type that a graph keeps. */
type StoredWeights = {
  readonly elements: number;
  readonly bits: number;
  /** Floats and 8-bit integers can be made smaller; indices and truth values cannot. */
  readonly canShrink: boolean;
};

/** What is known of a model by its file alone: nothing is loaded, and weights outside need not be there. */
export type ModelSize = {
  readonly weights: readonly StoredWeights[];
  /** Bytes of the graph that are no weights: trees, for example. */
  readonly rest: number;
};

/** A number, and where it is from: `--latency`, `models.churn.latency.p95`, `assumed`. */
export type From<T> = { readonly value: T; readonly from: string };

/** What a model needs. What is absent is not known, and the advice says so. */
export type AdviceNeeds = {
  /** 95 % of the requests are to be answered within it. */
  readonly latency?: From<number>;
  readonly privacy?: From<(typeof PRIVACY)[number]>;
  readonly update?: From<(typeof UPDATES)[number]>;
  /** How often devices can be updated. */
  readonly deviceUpdate: From<(typeof UPDATES)[number]>;
  /** Requests a second, on average over a month. */
  readonly traffic?: From<number>;
  /** Half of the requests come at so many times the average rate. */
  readonly burst: From<number>;
  /** Processor time of a request on one vCPU at `memory`. `isGuess`: nobody measured it. */
  readonly service: From<number> & { readonly isGuess: boolean };
  /** What a start takes before its first request; Lambda bills it. */
  readonly start: From<number> & { readonly isGuess: boolean };
  /** Bytes of a request and its answer; `larger`: of the larger one of both, where each is known. */
  readonly payload: From<number> & { readonly isGuess: boolean; readonly larger?: number };
  /** MB of a process that runs the model. */
  readonly memory: From<number> & { readonly isGuess: boolean };
  /** Dollars a month. */
  readonly budget?: From<number>;
  /** There and back between callers and the region. */
  readonly network?: From<number>;
  /** Bytes that a device has for the model. */
  readonly deviceMemory?: From<number>;
  readonly architecture: 'x86_64' | 'arm64';
  /** Requests come through an HTTP API, where Lambda answers. */
  readonly http: boolean;
  /** It is declared that objects in S3 are scored as they come. */
  readonly batch: boolean;
  readonly size: ModelSize;
  /** Why the times of a bench are not used: they are of another memory or architecture. */
  readonly benchLeftOut?: string;
};

/** A form's cost of a month. */
export type FormCost = {
  /** By cause. */
  readonly dollars: Readonly<Record<string, number>>;
  readonly total: number;
  /** Prices without a source of AWS's own that are in it. */
  readonly doubtful: readonly PriceUsed[];
  /** `2 to 9 tasks of 1 vCPU` */
  readonly made: string;
};

/** One rule that had something to say: the number that decided is in its words. */
export type RuleReason = {
  readonly rule: string;
  readonly words: string;
  /** Forms that it rules out. */
  readonly excludes: readonly Form[];
};

export type AdvisedForm = {
  readonly form: Form;
  /** Absent where the traffic is not known, and for devices. */
  readonly cost?: FormCost;
  /** Names of the rules that rule it out: none, where it can be taken. */
  readonly excludedBy: readonly string[];
};

export type Unknown = { readonly what: string; readonly needed: string };

/** One precision of the weights: what it takes of a device at least. */
export type Rung = { readonly name: string; readonly bytes: number };

export type BreakEven = {
  readonly form: Form;
  readonly against: Form;
  /** Where `form` costs less for the first time. */
  readonly first?: number;
  /**
   * From here on it always does; both are absent where it never does, up to the largest rate that is looked
   * at.
   */
  readonly rate?: number;
};

/** `cheapest` from `from` requests a second on. */
export type CheapestFrom = { readonly from: number; readonly form: Form };

export type Curve = {
  readonly rates: readonly number[];
  /** Dollars a month at each rate. */
  readonly lines: readonly { readonly form: Form; readonly dollars: readonly number[] }[];
};

export type FormAdvice = {
  /** Absent: no form keeps all that is asked. */
  readonly form?: Form;
  /** Forms within 20 % of its cost. */
  readonly equals: readonly Form[];
  /** What is to be known first, in one sentence. */
  readonly headline: string;
  readonly reasons: readonly RuleReason[];
  readonly forms: readonly AdvisedForm[];
  readonly breakEven: readonly BreakEven[];
  readonly cheapest: readonly CheapestFrom[];
  readonly curve: Curve;
  readonly rungs: readonly Rung[];
  readonly unknown: readonly Unknown[];
};
