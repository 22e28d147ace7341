import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { giveTurns, MOST, mayBegin, spare, type Turns } from '../../turns.ts';

const GB = 2 ** 30;

it('four may begin on any machine, more only where processors and memory are left over', () => {
  const left = { idle: 1, load: 2, memory: 8 * GB };
  expect(mayBegin(3, { idle: 0, load: 99, memory: 0 })).toBe(true);
  expect(mayBegin(4, left)).toBe(true);
  expect(mayBegin(4, { ...left, idle: 0.1 })).toBe(false);
  expect(mayBegin(4, { ...left, load: 6 })).toBe(false);
  expect(mayBegin(4, { ...left, memory: GB })).toBe(false);
  expect(mayBegin(MOST, left)).toBe(false);
});

it('what is left over is told in processors, and is nothing where no time went by', () => {
  expect(spare({ all: 1000, free: 500 }, { all: 3000, free: 1000 }, 2)).toBe(0.5);
  expect(spare({ all: 1000, free: 500 }, { all: 1000, free: 500 }, 2)).toBe(0);
});

let turns: Turns | undefined;
const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  turns?.end();
});

it('who waits begins in its order when another one ends, however it ends', async () => {
  const given = await giveTurns(() => ({ all: 0, free: 0 }));
  turns = given;
  const begun: number[] = [];
  const ask = async (at: number): Promise<Socket> => {
    const socket = connect(given.port, '127.0.0.1');
    open.push(socket);
    socket.once('data', () => begun.push(at));
    await once(socket, 'connect');
    return socket;
  };
  const sockets: Socket[] = [];
  for (let at = 0; at < 6; at += 1) sockets.push(await ask(at));
  const until = async (count: number): Promise<void> => {
    while (begun.length < count) await sleep(5);
  };
  await until(4);
  await sleep(50);
  expect(begun.toSorted()).toEqual([0, 1, 2, 3]);
  sockets[5]?.resetAndDestroy();
  sockets[1]?.resetAndDestroy();
  await until(5);
  expect(begun.at(-1)).toBe(4);
});
