import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PersistentMap } from '../../../src/metadata/persistent-map.js';

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('behaves as a Map under random edits, and earlier versions stay as they were', (context) => {
  const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
  context.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const model = new Map<string, number>();
  let map = PersistentMap.empty<number>();
  const versions: { map: PersistentMap<number>; model: Map<string, number> }[] = [];
  for (let round = 0; round < 300; round += 1) {
    const edit = map.edit();
    for (let i = 0; i < 1 + random() * 20; i += 1) {
      const key = `topic-${Math.floor(random() * 500)}`;
      if (random() < 0.3) assert.equal(edit.delete(key), model.delete(key));
      else {
        edit.set(key, round);
        model.set(key, round);
      }
    }
    map = edit.done();
    assert.equal(map.size, model.size);
    if (round % 20 === 0) versions.push({ map, model: new Map(model) });
  }
  versions.push({ map, model });
  for (const version of versions) {
    assert.deepEqual([...version.map.entries()].sort(), [...version.model.entries()].sort());
  }
  for (let i = 1; i < versions.length; i += 1) {
    const replayed = new Map(versions[i - 1]!.model);
    for (const { key, before, after } of versions[i - 1]!.map.changesTo(versions[i]!.map)) {
      assert.equal(replayed.get(key), before);
      if (after === undefined) replayed.delete(key);
      else replayed.set(key, after);
    }
    assert.deepEqual([...replayed].sort(), [...versions[i]!.model].sort());
  }
});

test('an edit that goes on after done() does not reach into what was handed out', () => {
  const edit = PersistentMap.empty<number>().edit();
  edit.set('a', 1);
  const first = edit.done();
  edit.set('a', 2);
  edit.set('b', 3);
  assert.equal(first.get('a'), 1);
  assert.equal(first.has('b'), false);
  assert.equal(edit.done().get('a'), 2);
});

test('one change among ten thousand entries looks only at what is not shared', () => {
  const edit = PersistentMap.empty<object>().edit();
  for (let i = 0; i < 10_000; i += 1) edit.set(`topic-${i}`, {});
  const before = edit.done();
  const next = before.edit();
  const value = {};
  next.set('topic-77', value);
  const changes = [...before.changesTo(next.done())];
  assert.equal(changes.length, 1);
  assert.equal(changes[0]!.after, value);
});
