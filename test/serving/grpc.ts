/** A client of the Open Inference Protocol by gRPC’s own library for Node. */
import { type CallOptions, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { decodeMessage, encodeMessage } from '../open-inference.ts';

export type GrpcAnswer = {
  /** 0 where there is an answer. */
  readonly status: number;
  readonly details: string;
  readonly answer: Readonly<Record<string, unknown>>;
  /** Trailers of what failed, else headers. */
  readonly metadata: Readonly<Record<string, unknown>>;
};

type Options = CallOptions & { readonly headers?: Readonly<Record<string, string>> };

export type GrpcClient = {
  readonly call: (method: string, request: object, options?: Options) => Promise<GrpcAnswer>;
  /** The same with a message as it is. @returns beside the answer, what takes the call back */
  readonly send: (
    method: string,
    message: Buffer,
    options?: Options,
  ) => { readonly answer: Promise<GrpcAnswer>; readonly cancel: () => void };
  readonly close: () => void;
};

/** One connection. @param packing 2 is gzip, 1 deflate, as gRPC numbers them */
export function grpcClient(port: number, packing = 0): GrpcClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_compression_algorithm': packing,
  });
  const send: GrpcClient['send'] = (method, message, { headers = {}, ...options } = {}) => {
    let cancel = (): void => {};
    const answer = new Promise<GrpcAnswer>((resolve) => {
      let received: Readonly<Record<string, unknown>> = {};
      const sent = new Metadata();
      for (const [name, value] of Object.entries(headers)) sent.set(name, value);
      const call = client.makeUnaryRequest(
        `/inference.GRPCInferenceService/${method}`,
        (value: Buffer) => value,
        (bytes: Buffer) => decodeMessage(`${method}Response`, bytes),
        message,
        sent,
        options,
        (error: ServiceError | null, value?: Readonly<Record<string, unknown>>) => {
          if (error === null) resolve({ status: 0, details: '', answer: value ?? {}, metadata: received });
          else {
            const { code, details, metadata } = error;
            resolve({ status: code, details, answer: {}, metadata: metadata.getMap() });
          }
        },
      );
      call.on('metadata', (metadata: Metadata) => {
        received = metadata.getMap();
      });
      cancel = () => call.cancel();
    });
    return { answer, cancel: () => cancel() };
  };
  return {
    send,
    call: (method, request, options) =>
      send(method, encodeMessage(`${method}Request`, request), options).answer,
    close: () => client.close(),
  };
}
