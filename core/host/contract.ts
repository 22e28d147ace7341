/** What is written down for the host, and what its processes tell each other: shapes and limits only. */
import type { CatalogManifest } from '../catalog/contract.ts';

/** One model of a host. */
export type HostModel = {
  /** As in the catalog. */
  readonly name: string;
  /** Absolute path of its `handler.mjs`. */
  readonly handler: string;
  /** What clients see as the version; also Lambda's variable in the handler’s environment. */
  readonly version: string;
  /** Seconds of one request, from the moment a process begins with it. */
  readonly timeout: number;
  /** Processes, one request each at a time. Absent: one a CPU. */
  readonly workers?: number;
  /** MB that one process may take before it is ended. Absent: as much as there is. */
  readonly memory?: number;
  /** The whole environment of its processes; absent: the host’s own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds, ascending: edges of its latency histogram. */
  readonly slowEdges?: readonly number[];
};

/** The host’s configuration document. */
export type HostConfig = {
  readonly schema: 1;
  /** Address to bind; absent: all. */
  readonly address?: string;
  /** 0 picks a free one. `PORT` of the environment goes before it. */
  readonly port: number;
  /** Port for gRPC, on the same address; 0 picks a free one. Absent: HTTP alone. */
  readonly grpc?: number;
  /** Only programs of this machine and pages of this very server may call. */
  readonly local?: true;
  readonly catalog: CatalogManifest;
  readonly models: readonly HostModel[];
  /** Milliseconds for which requests are still taken after SIGTERM; absent: `HOST_LIMITS.drainMs`. */
  readonly drain?: number;
};

/** Name of the environment’s variable with the path of the configuration. */
export const HOST_CONFIG = 'MODELS_HOST';

/**
 * Name of the variable that opens gRPC at its port, also where the configuration, for example that of an
 * image, has none.
 */
export const HOST_GRPC_PORT = 'MODELS_GRPC_PORT';

/** Bounds of what anybody may send. */
export const HOST_LIMITS = {
  /** Beyond it, a connection is closed as it comes. Above the 10,000 that may lie there and send nothing. */
  connections: 16_384,
  /** Bytes of all headers of a request: https://nodejs.org/api/http.html#httpmaxheadersize */
  headerBytes: 16 * 1024,
  headers: 100,
  /** Calls of one gRPC connection at a time; a client keeps further ones back until one has ended. */
  calls: 1024,
  /** Calls of all gRPC connections whose message is not whole yet: each takes some 15 KB. */
  comingCalls: 1024,
  /** Milliseconds until a request’s headers are there, from the first byte of the connection or request. */
  headersMs: 10_000,
  /** Milliseconds until a whole request is there. */
  requestMs: 30_000,
  /** A balancer must give up an idle connection before we do: AWS’s waits for 60 s. */
  keepAliveMs: 75_000,
  /** A balancer that looks once a second has time to learn that this host ends. */
  drainMs: 2_000,
  /** Milliseconds without a byte taken after which a client has stopped reading its answer. */
  unreadMs: 60_000,
  /** All answers together that their clients have not taken. Beyond it the oldest of them are given up. */
  answerBytes: 128 * 1024 * 1024,
  /** A body that takes longer than so many milliseconds gives up its place in the queue. */
  slowBodyMs: 1_000,
  /**
   * All bodies together that are on their way, or wait for a process. Beyond it slow ones are given up, and
   * then the one that comes.
   */
  bodyBytes: 128 * 1024 * 1024,
  /** What is read and dropped of a refused request, so that its client gets to see the answer. */
  droppedBytes: 32 * 1024 * 1024,
} as const;

/** From who started the host over IPC, to it. */
export type HostOrder = { readonly replace: HostModel; readonly catalog: CatalogManifest };

/** From the host to who started it over IPC. */
export type HostNews =
  | { readonly listening: { readonly port: number; readonly grpc?: number } }
  /** It cannot start: what is wrong, and with which model or port if it is one. */
  | { readonly refused: string; readonly model?: string; readonly port?: 'http' | 'grpc' }
  | { readonly replaced: string }
  | { readonly kept: string; readonly reason: string }
  /** A line that a model’s process wrote, or that is about it. */
  | { readonly line: string; readonly model: string };

/** Head of a frame from the host to a process: one request. Its body follows in the frame. */
export type HostAsked = {
  readonly id: string;
  /** Which of its process's requests it is, from 0: the answer names it. */
  readonly ordinal: number;
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Milliseconds that it may take, from when the process begins with it. */
  readonly limit: number;
  /**
   * The body is a `ModelInferRequest`, compressed so; the answer’s is a `ModelInferResponse` where it is no
   * error.
   */
  readonly grpc?: 'identity' | 'gzip' | 'deflate';
};

/** Head of a frame from a process to the host. */
export type HostTold =
  | { readonly ready: true }
  /** Its initialisation threw. */
  | { readonly broken: string }
  | {
      readonly ordinal: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      /** The code of an answer that is an error. */
      readonly code?: string;
      /** Scores of its outputs, as its endpoint wrote them. */
      readonly scores?: string;
      /** Milliseconds that the process took for it. */
      readonly took: number;
    }
  /** The handler threw, which it must not. */
  | { readonly ordinal: number; readonly thrown: string };

/**
 * In an image: the host’s configuration, and that of the function which runs batch by the same image.
 */
export const IMAGE_CONFIGS = {
  infer: '/opt/serverless-models/model/host.json',
  batch: '/opt/serverless-models/model/batch.json',
} as const;

/** In an image: where ONNX Runtime is, and AWS’s SDK as its base has it. */
export const IMAGE_MODULES = [
  '/opt/serverless-models/runtime/node_modules',
  '/var/runtime/node_modules',
] as const;
