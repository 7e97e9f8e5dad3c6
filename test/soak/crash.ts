// `npm run crash -- --rounds 1000 --seed N`: kill -9 under producers and groups, again and again, some of them while the broker starts. --kind fsync or os for one mode.
import { setTimeout as delay } from 'node:timers/promises';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { CrashLoad, type Verified, assertPromised } from '../support/crash-load.js';
import { randomFrom } from '../support/crash-check.js';
import { READER_SESSION_MS } from '../support/group-reader.js';
import { assertNoDamage } from '../support/verify.js';
import { type SoakOptions } from './options.js';

const REPORT_EVERY = 50;
/** What was read and found well is read again only then. */
const READ_ALL_EVERY = 100;

export async function soakCrash({ seed, rounds, kind }: Pick<SoakOptions, 'seed' | 'rounds' | 'kind'>): Promise<void> {
  for (const durability of kind === undefined ? ['fsync', 'os'] : [kind]) {
    console.log(`crash: ${rounds} rounds, durability ${durability}, --seed ${seed}`);
    await crashRounds({ durability, rounds }, randomFrom(seed));
  }
}

export interface CrashOptions {
  readonly durability: string;
  readonly rounds: number;
}

export async function crashRounds({ durability, rounds }: CrashOptions, random: () => number): Promise<void> {
  const startedAt = performance.now();
  const broker = await startBroker({
    kind: 'sluice',
    properties: {
      'sluice.durability': durability, 'log.segment.bytes': String(1 << 20), 'offsets.topic.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0', 'group.min.session.timeout.ms': String(READER_SESSION_MS),
    },
  });
  const load = await CrashLoad.start(broker.port, { producers: 3, hasReaders: true });
  const verified: Verified = new Map();
  let starts = 0;
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await load.reached(load.acknowledged + 50 + Math.floor(random() * 2000));
      await broker.kill9();
      if (random() < 0.1) await assertNoDamage(broker.dataDirectory, { clean: false });
      while (random() < 0.2) {
        await cutStart(broker, random() * 300);
        starts += 1;
      }
      const comeUp = async () => {
        await broker.start();
        await assertPromised(broker.port, load.promised(), verified);
      };
      const isWhole = round % READ_ALL_EVERY === 0;
      if (isWhole) verified.clear();
      const isUp = comeUp();
      // Or the load would grow by what comes meanwhile, and the next reading of all by that. Otherwise producers are at it as soon as it answers.
      if (isWhole) load.holdUntil(isUp);
      await isUp;
      if (round % REPORT_EVERY === 0) console.log(`  ${round} crashes, ${starts} of starts, ${load.acknowledged} records, ${load.read} of the first topic's read, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    }
    const records = await load.finish();
    await broker.stop();
    await assertNoDamage(broker.dataDirectory, { clean: true });
    await broker.start();
    await assertPromised(broker.port, load.promised(), new Map());
    console.log(`  ${rounds} crashes and ${starts} of starts in ${((performance.now() - startedAt) / 1000).toFixed(0)} s: each of ${records} acknowledged records is there, once, in order`);
  } catch (error) {
    console.log(broker.output.split('\n').slice(-30).join('\n'));
    throw error;
  } finally {
    await load.abandon();
    await broker.dispose();
  }
}

/** A start that is killed after some time, wherever it is then. */
async function cutStart(broker: BrokerProcess, afterMs: number): Promise<void> {
  const started = broker.start().then(() => true, () => false);
  await delay(afterMs);
  await broker.kill9();
  await started;
}
