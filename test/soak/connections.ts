// Clients that misbehave, as many as the machine's limits allow: descriptors of one process, ports of one address.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { startBroker } from '../support/broker.js';
import { HOSTILE_KINDS, type HostileKind } from '../support/hostile-kinds.js';
import { Honest, crowd, descriptors, percentile, prepareTopic, socketMemory } from '../support/hostile.js';
import { type SoakOptions } from './options.js';

const MIB = 1 << 20;
const ROUNDS = 200;
/** Of each kind, as a share of all clients. */
const SHARES: Readonly<Record<HostileKind, number>> = {
  idle: 1, 'half-open': 1, announce: 1, dribble: 0.5, 'slow-fetch': 10 / 18, deaf: 0.1, garbage: 0.2, tls: 0.2, http: 0.2, reset: 0.2, pipeline: 0,
};
const PIPELINES = 4;
const BYTES_OF_A_FULL_PAIR = 280_000;

/** Both ends are here, and beyond its tcp_mem the kernel slows down every connection of the machine, whoever holds the memory. */
function pairsOfFullSockets(): number {
  const [, pressurePages = 0] = readFileSync('/proc/sys/net/ipv4/tcp_mem', 'utf8').trim().split(/\s+/).map(Number);
  return Math.floor((pressurePages * 4096 * 0.75) / BYTES_OF_A_FULL_PAIR);
}

export async function soakConnections({ clients, kind: only }: SoakOptions): Promise<void> {
  const broker = await startBroker({ kind: 'sluice', properties: { 'socket.listen.backlog.size': '4096' } });
  try {
    await prepareTopic(broker);
    const honest = await Honest.connect(broker.port);
    const alone = await honest.rounds(ROUNDS);
    const rss = broker.process.rssBytes();
    const open = descriptors(broker.pid);
    const line = (what: string, count: number | string, times: readonly number[], more: string) => console.log([
      what.padEnd(11), String(count).padStart(6), `others p50 ${percentile(times, 0.5).toFixed(0)} ms`, `p99 ${percentile(times, 0.99).toFixed(0)} ms`, more,
    ].join('  '));
    line('nobody', '', alone, `RSS ${Math.round(rss / MIB)} MiB`);
    for (const kind of HOSTILE_KINDS) {
      if (only !== undefined && only !== kind) continue;
      const wanted = kind === 'pipeline' ? PIPELINES : Math.max(1, Math.round(clients * SHARES[kind]));
      const count = kind === 'slow-fetch' ? Math.min(wanted, pairsOfFullSockets()) : wanted;
      const coming = crowd(broker, kind, count);
      const arrival: number[] = [];
      let hasCome = false;
      const come = coming.finally(() => (hasCome = true));
      come.catch(() => {});
      while (!hasCome) arrival.push(...(await honest.rounds(1)));
      const there = await come;
      const times = await honest.rounds(ROUNDS);
      await honest.newcomer();
      const kernel = socketMemory(broker.port);
      const grown = broker.process.rssBytes() - rss;
      line(kind, count, times, [
        `while they come p99 ${percentile(arrival, 0.99).toFixed(0)} ms`, `RSS ${grown < 0 ? '' : '+'}${Math.round(grown / MIB)} MiB`,
        `sockets ${kernel === null ? '?' : Math.round(kernel / MIB)} MiB`, `closed ${there.closed}`,
      ].join('  '));
      await there.leave();
      while (descriptors(broker.pid) > open + 16) await honest.rounds(1);
      // Budgets of requests and answers, what a connection itself costs, and a heap that breathes.
      assert.ok(grown < (256 + 256 + 128) * MIB, `${kind}: the broker grew by ${grown} bytes`);
      if (kernel !== null) assert.ok(kernel < 256 * MIB + count * 131_072, `${kind}: the sockets hold ${kernel} bytes`);
    }
    const after = await honest.rounds(ROUNDS);
    line('nobody', '', after, `RSS ${Math.round(broker.process.rssBytes() / MIB)} MiB, at most ${Math.round(broker.process.peakRssBytes() / MIB)} MiB`);
    honest.close();
    await broker.stop();
  } finally {
    await broker.dispose();
  }
}
