// What Kafka's performance tools print (taken from tools 4.3.1), read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConsumerPerf, parseEndToEnd, parseProducerPerf } from '../../../bench/broker/java-output.js';

const PRODUCER = `Warmup first 20000 records. Steady state results will print after the complete test summary.
3061 records sent, 612.2 records/sec (0.60 MB/sec), 684.6 ms avg latency, 3277.0 ms max latency.
In steady state.
100000 records sent, 6325.910931 records/sec (6.18 MB/sec), 2700.71 ms avg latency, 4694.00 ms max latency, 2121 ms 50th, 4437 ms 95th, 4589 ms 99th, 4688 ms 99.9th.
80000 steady state records sent, 7915.306223 records/sec (7.73 MB/sec), 2737.26 ms avg latency, 4694.00 ms max latency, 2087 ms 50th, 4449 ms 95th, 4597 ms 99th, 4689 ms 99.9th.

producer-metrics:request-total:{client-id=perf-producer-client}                             : 1678.000
`;

test('the producer: its steady state, and its requests', () => {
  assert.deepEqual(parseProducerPerf(PRODUCER), {
    records: 80000, recordsPerS: 7915.306223, meanMs: 2737.26, p50Ms: 2087, p95Ms: 4449, p99Ms: 4597, p999Ms: 4689, requests: 1678,
  });
});

test('the producer without a steady state: the whole run', () => {
  const perf = parseProducerPerf(PRODUCER.split('\n').filter((line) => !/steady|metrics/.test(line)).join('\n'));
  assert.equal(perf.records, 100000);
  assert.ok(Number.isNaN(perf.requests));
  assert.throws(() => parseProducerPerf('Exception in thread "main"'), /no summary/);
});

test('the consumer: without the time of joining its group', () => {
  const output = `start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-11-26 11:47:58:460, 2026-11-26 11:48:04:085, 88.3203, 15.7014, 90440, 16078.2222, 2733, 2892, 30.5395, 31272.4758
`;
  assert.deepEqual(parseConsumerPerf(output), { records: 90440, recordsPerS: 31272.4758 });
  assert.throws(() => parseConsumerPerf('WARNING: Exiting before consuming'), /no figures/);
});

test('end to end', () => {
  assert.deepEqual(parseEndToEnd('0\t241.045728\nAvg latency: 14.6088 ms\nPercentiles: 50th = 11, 99th = 62, 99.9th = 241\n'), { meanMs: 14.6088, p50Ms: 11, p99Ms: 62, p999Ms: 241 });
});
