// The metadata log under power cuts: a broker as it ships lives on a directory while everything it does to the disk is written down; then the disk is taken
// as a power cut at any moment may leave it, again and again, and a broker that starts there must have every change that was answered by then, or
// besides those the one that was not answered yet. A snapshot that has its name must be whole. The next life goes on from one of the cuts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METADATA_TOPIC } from '../../src/metadata/ids.js';
import { listSnapshots } from '../../src/broker/metadata-snapshots.js';
import { describeConfigsApi, metadataApi } from '../../src/protocol/index.js';
import { parseBatches, readRecords } from '../../src/protocol/records/batch.js';
import { decodeControlRecord } from '../../src/protocol/records/control/index.js';
import { openBroker } from '../broker/support.js';
import { repositoryRoot } from '../support/paths.js';
import { Random } from '../support/random.js';
import { type Lie, type Operation, RecordedDisk, readRecord, recorder } from '../support/recorded-disk.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { type Change, METADATA_PROPERTIES, type Topics, afterChange, textOf } from './metadata-model.js';

export interface WorldFigures {
  cuts: number;
  lives: number;
  changes: number;
  snapshotsRead: number;
  operations: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly lives: number;
  readonly cutsPerLife: number;
  readonly changesPerLife: number;
  readonly lies?: Lie;
}

async function snapshotsAreWhole(directory: string): Promise<number> {
  const snapshots = await listSnapshots(join(directory, `${METADATA_TOPIC}-0`));
  for (const { path } of snapshots) {
    const batches = [...parseBatches(readFileSync(path))];
    const last = batches.at(-1);
    assert.ok(last !== undefined && last.isControl, `${path} has no end`);
    const [record] = readRecords(last);
    assert.equal(decodeControlRecord(record!.key!, record!.value!).kind, 'snapshotFooter', `${path} has no footer`);
  }
  return snapshots.length;
}

/** What a broker that starts there knows. */
async function topicsIn(directory: string): Promise<Topics> {
  const { client, close, broker } = await openBroker(directory, METADATA_PROPERTIES);
  try {
    assert.equal(broker.ready.offlinePartitions, 0);
    const { topics } = await client.ask(metadataApi, 12, { topics: null, allowAutoTopicCreation: false });
    const names = topics.map(({ name }) => name!);
    const resources = names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: ['retention.ms'] }));
    const { results } = await client.ask(describeConfigsApi, 4, { resources });
    return new Map(topics.map(({ name, partitions }) => {
      const retentionMs = results.find(({ resourceName }) => resourceName === name)!.configs[0]!.value!;
      return [name!, { partitions: partitions.length, retentionMs }];
    }));
  } finally {
    await close();
  }
}

/** The states that may be there at some moment: what was answered, and what had been asked for. */
class Model {
  #answered: Topics;
  #asked: Topics;
  #line = '';
  changes = 0;

  constructor(topics: Topics) {
    this.#answered = this.#asked = topics;
  }

  mark(data: Buffer): void {
    this.#line += data.toString();
    for (let end; (end = this.#line.indexOf('\n')) >= 0; this.#line = this.#line.slice(end + 1)) {
      const line = this.#line.slice(0, end);
      if (line === 'answered') {
        this.#answered = this.#asked;
        this.changes += 1;
      } else {
        this.#asked = afterChange(this.#answered, JSON.parse(line) as Change);
      }
    }
  }

  check(found: Topics): void {
    const text = textOf(found);
    if (text === textOf(this.#answered) || text === textOf(this.#asked)) return;
    assert.fail(`after the power cut there is\n  ${text}\nanswered was\n  ${textOf(this.#answered)}\nasked for\n  ${textOf(this.#asked)}`);
  }
}

function record(work: string, directory: string, library: string, { seed, changes, topics }: { seed: number; changes: number; topics: Topics }): Operation[] {
  const [recordPath, marks] = [join(work, 'record'), join(work, 'marks')];
  const args = [join(repositoryRoot, 'dist/test/fault/metadata-life.js'), directory, marks, String(seed), String(changes), JSON.stringify([...topics])];
  const { stderr, signal, status } = spawnSync(process.execPath, args, {
    env: { ...process.env, LD_PRELOAD: library, SLUICE_RECORD: recordPath, SLUICE_RECORD_ROOT: directory, SLUICE_RECORD_MARKS: marks }, encoding: 'utf8', timeout: 120_000,
  });
  assert.equal(signal, 'SIGKILL', `the broker ended with ${status ?? signal}: ${stderr}`);
  assert.ok(existsSync(recordPath), 'nothing was recorded');
  return readRecord(recordPath);
}

/** Throws when a promise does not hold; the figures until then are in `figures`. */
export async function liveMetadataWorld({ seed, lives, cutsPerLife, changesPerLife, lies }: WorldOptions, figures: WorldFigures): Promise<void> {
  const random = new Random(seed);
  const library = recorder();
  const work = makeTempDirectory('metadata');
  try {
    let directory = join(work, 'life');
    mkdirSync(directory);
    let topics: Topics = new Map();
    for (let life = 0; life < lives; life += 1) {
      const lifeWork = join(work, `work-${life}`);
      mkdirSync(lifeWork);
      const disk = new RecordedDisk(directory, lies);
      const model = new Model(topics);
      const operations = record(lifeWork, directory, library, { seed: random.uint32(), changes: 1 + random.below(changesPerLife), topics });
      const cuts = new Set(Array.from({ length: cutsPerLife }, () => random.below(operations.length)));
      const next = random.pick([...cuts]);
      let nextDirectory = '';
      for (const [index, operation] of operations.entries()) {
        if (operation.what === 'mark') model.mark(operation.data);
        else disk.replay(operation);
        if (!cuts.has(index)) continue;
        figures.cuts += 1;
        const after = join(work, `cut-${life}-${index}`);
        disk.cut(random, after);
        figures.snapshotsRead += await snapshotsAreWhole(after);
        const found = await topicsIn(after);
        model.check(found);
        if (index === next) [nextDirectory, topics] = [after, found];
        else removeDirectory(after);
      }
      figures.lives += 1;
      figures.changes += model.changes;
      figures.operations += operations.length;
      removeDirectory(directory);
      removeDirectory(lifeWork);
      directory = nextDirectory;
    }
  } finally {
    removeDirectory(work);
  }
}
