import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyImage, type MetadataImage } from '../../../src/metadata/image.js';
import { makeRecord } from '../../../src/metadata/records.js';
import { MetadataStore } from '../../../src/metadata/store.js';
import { configRecord, topicRecord } from '../../../src/protocol/records/metadata/index.js';

const idOf = (n: number) => Buffer.alloc(16, n).toString('base64url');
const add = (n: number) => () => ({ records: [makeRecord(topicRecord, 0, { name: `t${n}`, topicId: idOf(n) })], result: n });

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A log whose appends complete when the test says so. */
function manualLog() {
  const appends: { count: number; done: ReturnType<typeof deferred<bigint>> }[] = [];
  const arrived: (() => void)[] = [];
  let end = 0n;
  return {
    appends,
    async next() {
      while (appends.length === 0) await new Promise<void>((resolve) => arrived.push(resolve));
      const { count, done } = appends.shift()!;
      return {
        count,
        succeed() {
          done.resolve(end);
          end += BigInt(count);
        },
        fail: (error: Error) => done.reject(error),
      };
    },
    log: {
      append(records: readonly Buffer[]) {
        const done = deferred<bigint>();
        appends.push({ count: records.length, done });
        for (const resolve of arrived.splice(0)) resolve();
        return done.promise;
      },
    },
  };
}

test('a change is shown when it is durable and published, not before', async () => {
  const manual = manualLog();
  const publishing = deferred<void>();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: () => publishing.promise });
  let isDone = false;
  const change = store.change(add(1)).then(() => {
    isDone = true;
  });
  const append = await manual.next();
  assert.equal(store.image.topics.size, 0);
  append.succeed();
  await new Promise(setImmediate);
  assert.equal(store.image.topics.size, 0, 'durable, but the data plane does not know it yet');
  assert.equal(isDone, false);
  publishing.resolve();
  await change;
  assert.equal(store.image.topics.size, 1);
});

test('changes are planned on those before them, and share a batch while one is being written', async () => {
  const manual = manualLog();
  const published: [number, number][] = [];
  const store = new MetadataStore({
    image: emptyImage,
    log: manual.log,
    publish: (before, after) => {
      published.push([before.topics.size, after.topics.size]);
      return Promise.resolve();
    },
  });
  const seen: number[] = [];
  const look = (n: number) => (image: MetadataImage) => {
    seen.push(image.topics.size);
    return add(n)();
  };
  const changes = [store.change(look(1))];
  const first = await manual.next();
  changes.push(store.change(look(2)), store.change(look(3)));
  assert.deepEqual(seen, [0, 1, 2]);
  first.succeed();
  const second = await manual.next();
  assert.equal(second.count, 2);
  second.succeed();
  assert.deepEqual(await Promise.all(changes), [1, 2, 3]);
  assert.deepEqual(published, [[0, 1], [1, 3]]);
  assert.equal(store.image.offset, 2n);
});

test('a failed write takes along what was planned on it, and the next change starts from what is durable', async () => {
  const manual = manualLog();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: () => Promise.resolve() });
  const first = store.change(add(1));
  const append = await manual.next();
  const second = store.change(add(2));
  append.fail(new Error('disk full'));
  await assert.rejects(first, /disk full/);
  await assert.rejects(second, /disk full/);
  const third = store.change((image) => {
    assert.equal(image.topics.size, 0);
    return add(3)();
  });
  (await manual.next()).succeed();
  assert.equal(await third, 3);
  assert.deepEqual([...store.image.topics.keys()], ['t3']);
});

test('a plan that throws changes nothing; one without records waits for what it rests on', async () => {
  const manual = manualLog();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: () => Promise.resolve() });
  await assert.rejects(store.change(() => { throw new Error('no'); }), /no/);
  assert.equal(await store.change(() => ({ records: [], result: 'at once' })), 'at once');
  const first = store.change(add(1));
  const append = await manual.next();
  let isAnswered = false;
  const read = store.change((image) => ({ records: [], result: image.topics.size })).then((size) => {
    isAnswered = true;
    return size;
  });
  await new Promise(setImmediate);
  assert.equal(isAnswered, false);
  append.succeed();
  assert.equal(await read, 1);
  await first;
});

test('a change that is larger than a batch may be fails alone, and before anything is written', async () => {
  const manual = manualLog();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: () => Promise.resolve() });
  const first = store.change(add(1));
  const huge = store.change(() => {
    const value = 'x'.repeat(30_000);
    const records = Array.from({ length: 300 }, (_, i) => makeRecord(configRecord, 0, { resourceType: 2, resourceName: 't1', name: `n${i}`, value }));
    return { records, result: 0 };
  });
  const last = store.change(add(2));
  await assert.rejects(huge, { name: 'KafkaError', message: /takes 9\d{6} bytes of metadata/ });
  const append = await manual.next();
  assert.equal(append.count, 2);
  append.succeed();
  assert.deepEqual(await Promise.all([first, last]), [1, 2]);
  assert.deepEqual([...store.image.topics.keys()].sort(), ['t1', 't2']);
});

test('work between changes waits for the one under way and sees it, and the next change waits for the work', async () => {
  const manual = manualLog();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: async () => {} });
  const order: string[] = [];
  const first = store.change(add(1)).then(() => order.push('first'));
  const work = deferred<void>();
  const begun = deferred<void>();
  const between = store.between((image) => {
    order.push(`work on ${image.topics.size}`);
    begun.resolve();
    return work.promise;
  }).then(() => order.push('work done'));
  (await manual.next()).succeed();
  await begun.promise;
  const second = store.change(add(2)).then(() => order.push('second'));
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  assert.equal(manual.appends.length, 0);
  work.resolve();
  (await manual.next()).succeed();
  await Promise.all([first, between, second]);
  assert.deepEqual(order, ['first', 'work on 1', 'work done', 'second']);
});

test('work between changes that fails does not keep changes from being made', async () => {
  const manual = manualLog();
  const store = new MetadataStore({ image: emptyImage, log: manual.log, publish: async () => {} });
  const between = store.between(() => Promise.reject(new Error('no descriptors')));
  const change = store.change(add(1));
  await assert.rejects(between, /no descriptors/);
  (await manual.next()).succeed();
  assert.equal(await change, 1);
});
