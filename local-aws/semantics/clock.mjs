// The accelerated clock for Node: what the time is, and when timers fire. performance.now(), and with it
// every latency, stays real, as do the timeouts inside Node's own HTTP. Preloaded with --import wherever the
// local AWS's environment goes.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';

const clock = {
  speed: Number(process.env.MODELS_AWS_SPEED ?? 1),
  epoch: Number(process.env.MODELS_AWS_EPOCH ?? 0),
};

if (clock.speed > 1 && clock.epoch > 0 && !globalThis[Symbol.for('local-aws.now')]) {
  // A process that runs commands of several local AWSs, one after another, goes from clock to clock.
  globalThis[Symbol.for('local-aws.clock')] = clock;
  const RealDate = Date;
  const realNow = RealDate.now;
  globalThis[Symbol.for('local-aws.now')] = realNow;
  const now = () => Math.floor(clock.epoch + (realNow() - clock.epoch) * clock.speed);
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, parts, self) => Reflect.construct(target, parts.length > 0 ? parts : [now()], self),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
  RealDate.prototype.constructor = globalThis.Date;

  const require = createRequire(import.meta.url);
  const timers = require('node:timers');
  const later = require('node:timers/promises');
  const { setTimeout: wait, setInterval: every } = later;
  later.setTimeout = (ms, ...rest) => wait(ms / clock.speed, ...rest);
  later.setInterval = (ms, ...rest) => every(ms / clock.speed, ...rest);
  for (const name of ['setTimeout', 'setInterval']) {
    const original = timers[name];
    timers[name] = globalThis[name] = (run, ms = 0, ...rest) => original(run, ms / clock.speed, ...rest);
    timers[name][promisify.custom] = later[name];
  }
  syncBuiltinESMExports();
}
