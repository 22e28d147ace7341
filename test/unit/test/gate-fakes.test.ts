import { describe } from 'vitest';
import { fakeInvoke, fakeReference } from '../../fakes/gate.ts';
import { CONTRACT_HANDLER, gateContract } from '../../fakes/gate-contract.ts';

describe('the fakes keep the contract of the gate’s ports', () => {
  const handler = new Function(`return ${CONTRACT_HANDLER}`)();
  const invoke = fakeInvoke({ '1': handler });
  const reference = fakeReference({
    here: (contentType, body) =>
      body === 'bad'
        ? { refused: 'no', status: 400 }
        : { contentType: 'text/plain', body: `${contentType}|${body}` },
  });
  gateContract(() => ({
    invoke: invoke.port,
    reference: reference.port,
    functionName: 'churn',
    endpoint: 'here',
  }));
});
