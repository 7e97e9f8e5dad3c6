// Clients that misbehave, in numbers that a test can afford. `npm run soak -- connections` has the large ones.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { type HostileKind } from '../support/hostile-kinds.js';
import { Honest, crowd, descriptors, prepareTopic, socketMemory } from '../support/hostile.js';
import { RawConnection } from '../support/wire.js';

const MIB = 1 << 20;
const TEST_TIMEOUT_MS = 240_000;
const SOCKETS = 4 * MIB;
const RESPONSES = 8 * MIB;
const REQUESTS = 16 * MIB;

let broker: BrokerProcess;
let honest: Honest;
let rssBefore = 0;
let descriptorsBefore = 0;

before(async () => {
  broker = await startBroker({
    kind: 'sluice',
    properties: {
      'sluice.memory.socket.bytes': String(SOCKETS), 'sluice.memory.response.bytes': String(RESPONSES), 'sluice.memory.request.bytes': String(REQUESTS),
      'socket.request.max.bytes': '120000000', 'sluice.durability': 'os', 'socket.listen.backlog.size': '1000',
    },
  });
  await prepareTopic(broker);
  honest = await Honest.connect(broker.port);
  await honest.rounds(20);
  rssBefore = broker.process.rssBytes();
  descriptorsBefore = descriptors(broker.pid);
});
after(async () => {
  honest?.close();
  await broker?.dispose();
});

const crowds: readonly [kind: HostileKind, count: number, ends: 'stay' | 'are closed' | 'go'][] = [
  ['idle', 1500, 'stay'], ['half-open', 1000, 'stay'], ['announce', 1000, 'stay'], ['dribble', 500, 'stay'], ['slow-fetch', 800, 'stay'],
  ['deaf', 300, 'stay'], ['garbage', 300, 'are closed'], ['tls', 300, 'are closed'], ['http', 300, 'are closed'], ['reset', 500, 'go'], ['pipeline', 3, 'stay'],
];

for (const [kind, count, ends] of crowds) {
  test(`${count} clients of the kind ${kind}: memory is bounded, others are served`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
    const there = await crowd(broker, kind, count);
    await honest.rounds(10);
    await honest.newcomer();
    const grown = broker.process.rssBytes() - rssBefore;
    const kernel = socketMemory(broker.port);
    await there.leave();
    context.diagnostic(`RSS ${Math.round(grown / MIB)} MiB more, sockets ${kernel === null ? 'unknown' : `${Math.round(kernel / MIB)} MiB`}`);
    assert.equal(there.opened, count);
    if (ends === 'are closed') assert.equal(there.closed, count);
    if (ends === 'stay' && kind !== 'deaf') assert.equal(there.closed, 0);
    // What a connection itself costs, and the budgets; the heap of JavaScript breathes.
    assert.ok(grown < REQUESTS + RESPONSES + 64 * MIB, `the broker grew by ${grown} bytes`);
    // Each connection may have 64 KiB and a segment more at least.
    if (kernel !== null) assert.ok(kernel < 2 * SOCKETS + count * 131_072, `sockets hold ${kernel} bytes`);
    while (descriptors(broker.pid) > descriptorsBefore + 16) await honest.rounds(1);
  });
}

test('idle connections go, busy ones stay', { timeout: TEST_TIMEOUT_MS }, async () => {
  const strict = await startBroker({ kind: 'sluice', properties: { 'connections.max.idle.ms': '400' } });
  try {
    const idle = await RawConnection.open(strict.port);
    await idle.closed();
  } finally {
    await strict.dispose();
  }
});

test('limits of connections hold for all that come, and for one address', { timeout: TEST_TIMEOUT_MS }, async () => {
  const strict = await startBroker({ kind: 'sluice', properties: { 'max.connections.per.ip': '5', 'max.connections.per.ip.overrides': '127.0.0.2:20' } });
  try {
    const there = await crowd(strict, 'idle', 20);
    assert.equal(there.closed, 0);
    await there.leave();
    const open = await Promise.all(Array.from({ length: 5 }, () => RawConnection.open(strict.port)));
    const refused = await RawConnection.open(strict.port);
    await refused.closed();
    for (const connection of open) connection.destroy();
  } finally {
    await strict.dispose();
  }
});
