import { ask, difference } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { asideOf, functionOf } from '../names.ts';

/** The library answers with what Python's onnxruntime answers, or it is not the one that we think. */
const CLOSE = 1e-5;

export const layer: RunCheck = {
  name: 'layer',
  bullet: 'that the layer’s libraries load on Amazon Linux',
  says: 'The runtime nodejs24.x is Amazon Linux 2023, for x86_64 and arm64; a layer’s content lies in /opt.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html',
  minutes: 3,
  use: { lambdaRequest: 10, lambdaGbSecond: 60 },
  run: async ({ name, clients, known }) => {
    const [x86, arm] = [
      await ask(clients, functionOf(name), 'live', known.request),
      await ask(clients, asideOf(name), 'live', known.request),
    ];
    const off = [x86, arm].map(({ outputs }) => difference(outputs, known));
    const said = [x86, arm].map(
      ({ failure }, i) => failure ?? `largest difference ${off[i]?.toExponential(1)}`,
    );
    return finding(
      off.every((one) => one <= CLOSE),
      `Five people, against Python’s onnxruntime: x86_64 ${said[0]}; arm64 ${said[1]}.`,
    );
  },
};
