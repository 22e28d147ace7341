/**
 * A resource of a stack that is made when the test says so: what is so meanwhile stays so, however late a
 * busy machine looks.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Tail } from '../../local-aws/release-stack.ts';

export type HeldTail = {
  /** For a deploy, whose stack is in progress until `end`. */
  readonly tail: AskingTail;
  /** Answers CloudFormation, once it has asked. */
  readonly end: (status: Tail['status']) => Promise<void>;
  /** Holds nothing any more: a stack whose test has failed is to be removed. */
  readonly letGo: () => void;
  readonly close: () => void;
};

/** A tail whose function leaves the answer to whoever listens there. */
export type AskingTail = Tail & { readonly asks?: string };

/** Seconds of an accelerated clock that CloudFormation waits: over a minute of ours. */
const PATIENCE = 3600;

type Asked = {
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
};

/** In place of `TAIL_CODE` of the stack: the same, but for a tail that asks. */
export const ASKING_CODE = `export const handler = async (event) => {
  const { Seconds, Status, Asks } = event.ResourceProperties;
  const body = JSON.stringify(event);
  const working = event.RequestType === 'Create';
  if (Asks && event.RequestType !== 'Delete') return void (await fetch(Asks, { method: 'POST', body }));
  if (working) await new Promise((resolve) => setTimeout(resolve, Number(Seconds) * 1000));
  const { StackId, RequestId, LogicalResourceId } = event;
  const answer = { Status: working ? Status : 'SUCCESS', Reason: 'asked to', PhysicalResourceId: LogicalResourceId, StackId, RequestId, LogicalResourceId };
  await fetch(event.ResponseURL, { method: 'PUT', body: new TextEncoder().encode(JSON.stringify(answer)) });
};`;

async function answer(
  { ResponseURL, StackId, RequestId, LogicalResourceId }: Asked,
  Status: Tail['status'],
): Promise<void> {
  const told = { Reason: 'asked to', PhysicalResourceId: LogicalResourceId, LogicalResourceId };
  const body = JSON.stringify({ ...told, Status, StackId, RequestId });
  await fetch(ResponseURL, { method: 'PUT', body: new TextEncoder().encode(body) });
}

export async function holdTail(name: string): Promise<HeldTail> {
  let [over, told]: [boolean, (asked: Asked) => void] = [false, () => {}];
  let waiting: Asked | undefined;
  const asked = new Promise<Asked>((resolve) => {
    told = resolve;
  });
  const server = createServer(async (request, response) => {
    const event: Asked = JSON.parse(await text(request));
    response.end();
    if (over) return void answer(event, 'SUCCESS').catch(() => {});
    waiting = event;
    told(event);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    tail: { name, seconds: PATIENCE, status: 'SUCCESS', asks: `http://127.0.0.1:${port}/` },
    end: async (status) => {
      const event = await asked;
      waiting = undefined;
      over = true;
      await answer(event, status);
    },
    letGo: () => {
      over = true;
      if (waiting !== undefined) answer(waiting, 'SUCCESS').catch(() => {});
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
