// One life of a broker, under scripts/test/record-disk.c: changes of metadata, one after the other, each marked when it is asked for and when it is answered.
//   node metadata-life.js <directory> <marks> <seed> <changes> <state as JSON>
import assert from 'node:assert/strict';
import { openSync, writeSync } from 'node:fs';
import { createPartitionsApi, createTopicsApi, deleteTopicsApi, incrementalAlterConfigsApi } from '../../src/protocol/index.js';
import { errorName } from '../../src/protocol/errors.js';
import { openBroker } from '../broker/support.js';
import { Random } from '../support/random.js';
import { type Change, METADATA_PROPERTIES, type Topic, type Topics, afterChange, someChange } from './metadata-model.js';

const [directory, marksPath, seed, changes, state] = process.argv.slice(2) as [string, string, string, string, string];
const marks = openSync(marksPath, 'w');
const random = new Random(Number(seed));
let topics: Topics = new Map(JSON.parse(state) as [string, Topic][]);

const opened = await openBroker(directory, { ...METADATA_PROPERTIES, 'sluice.io.driver': 'epoll' });
const { client } = opened;

async function carryOut(change: Change): Promise<void> {
  let errorCode: number;
  if (change.what === 'create') {
    const configs = [{ name: 'retention.ms', value: change.retentionMs }];
    errorCode = (await client.ask(createTopicsApi, 7, { topics: [{ name: change.name, numPartitions: change.partitions, replicationFactor: 1, configs }] })).topics[0]!.errorCode;
  } else if (change.what === 'delete') {
    errorCode = (await client.ask(deleteTopicsApi, 6, { topics: [{ name: change.name }], timeoutMs: 10_000 })).responses[0]!.errorCode;
  } else if (change.what === 'grow') {
    errorCode = (await client.ask(createPartitionsApi, 3, { topics: [{ name: change.name, count: change.partitions, assignments: null }], timeoutMs: 10_000 })).results[0]!.errorCode;
  } else {
    const configs = [{ name: 'retention.ms', configOperation: 0, value: change.retentionMs }];
    errorCode = (await client.ask(incrementalAlterConfigsApi, 1, { resources: [{ resourceType: 2, resourceName: change.name, configs }] })).responses[0]!.errorCode;
  }
  assert.equal(errorName(errorCode), 'NONE', JSON.stringify(change));
}

for (let i = 0; i < Number(changes); i += 1) {
  const change = someChange(topics, random);
  writeSync(marks, `${JSON.stringify(change)}\n`);
  await carryOut(change);
  topics = afterChange(topics, change);
  writeSync(marks, 'answered\n');
}
if (random.chance(0.5)) await opened.close();
process.kill(process.pid, 'SIGKILL');
