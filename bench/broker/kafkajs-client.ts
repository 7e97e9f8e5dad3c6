// kafkajs-client.js <bootstrap> <topic> produce <seconds> <record size> <batch records> | consume <records>
// Prints one JSON line.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';

const [bootstrap = '', topic = '', command = '', ...numbers] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'sluice-bench', logLevel: logLevel.ERROR });
const IN_FLIGHT = 4;
const WARM_UP_SHARE = 0.25;

async function produce(seconds: number, recordSize: number, batchRecords: number): Promise<object> {
  const producer = kafka.producer({ maxInFlightRequests: IN_FLIGHT });
  await producer.connect();
  const messages = Array.from({ length: batchRecords }, () => ({ value: randomBytes(recordSize) }));
  const latencies: number[] = [];
  let records = 0;
  const startedAt = performance.now();
  const countFrom = startedAt + seconds * 1000 * WARM_UP_SHARE;
  const until = countFrom + seconds * 1000;
  const lane = async () => {
    for (;;) {
      const now = performance.now();
      if (now >= until) return;
      await producer.send({ topic, acks: -1, messages });
      if (now < countFrom) continue;
      records += batchRecords;
      latencies.push(performance.now() - now);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const elapsed = (performance.now() - countFrom) / 1000;
  await producer.disconnect();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return { seconds: elapsed, records, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function consume(wanted: number): Promise<object> {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let records = 0;
  let firstAt = 0;
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          if (firstAt === 0) firstAt = performance.now();
          records += batch.messages.length;
          if (records >= wanted) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  const seconds = (performance.now() - firstAt) / 1000;
  await consumer.disconnect();
  return { seconds, records };
}

const [a = 0, b = 0, c = 0] = numbers.map(Number);
if (command !== 'produce' && command !== 'consume') throw new Error(`the command is produce or consume, not '${command}'`);
console.log(JSON.stringify(command === 'produce' ? await produce(a, b, c) : await consume(a)));
