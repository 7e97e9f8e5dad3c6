// Where the kernel refuses io_uring, as Docker's default seccomp profile makes it, the broker says so and serves all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { BrokerProcess, startBroker } from '../support/broker.js';
import { noIoUring } from '../support/no-io-uring.js';

test('records survive kill -9 without io_uring', async () => {
  const broker = await startBroker({ kind: 'sluice', launcher: [noIoUring()] });
  try {
    assert.match(broker.output, /driver epoll/);
    const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    for (let i = 0; i < 50; ++i) await producer.send({ topic: 'fallback', acks: -1, messages: [{ value: String(i) }] });
    await producer.disconnect();
    await broker.kill9();
    await broker.start();

    const consumer = kafka.consumer({ groupId: 'fallback' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'fallback', fromBeginning: true });
    const values: string[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer.run({
        eachMessage: async ({ message }) => {
          if (values.push(String(message.value)) === 50) resolve();
        },
      }).catch(reject);
    });
    await consumer.disconnect();
    assert.deepEqual(values, Array.from({ length: 50 }, (_, i) => String(i)));
  } finally {
    await broker.dispose();
  }
});

test('asked for io_uring by name, the start fails with one line', async () => {
  const broker = await BrokerProcess.prepare({ kind: 'sluice', launcher: [noIoUring()], properties: { 'sluice.io.driver': 'io_uring' } });
  try {
    await assert.rejects(broker.start());
    const { code } = await broker.process.exited();
    assert.equal(code, 1);
    assert.match(broker.output, /io_uring is refused here/);
    assert.equal(broker.output.trim().split('\n').length, 1, broker.output);
  } finally {
    await broker.dispose();
  }
});
