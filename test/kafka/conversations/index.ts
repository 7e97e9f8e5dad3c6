// All conversations, by name: each is held live with Apache Kafka (test/compat), and one of each kind is kept with what Kafka answered.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../support/paths.js';
import { Random } from '../../support/random.js';
import { clusterStep } from './cluster.js';
import { configStep } from './configs.js';
import { groupStep } from './groups.js';
import { recordStep } from './records.js';
import { type Shown, type Step } from './side.js';
import { topicStep } from './topics.js';

const scripts: Readonly<Record<string, (random: Random) => Step>> = {
  topics: topicStep, configs: configStep, records: recordStep, groups: groupStep, cluster: clusterStep,
};

export const conversationNames: readonly string[] = Object.keys(scripts);

/** What is kept is of this seed and this length. */
export const KEPT_SEED = 44;
export const KEPT_STEPS = 120;

export function script(name: string, seed: number, length: number): Step[] {
  const random = new Random(seed);
  return Array.from({ length }, () => scripts[name]!(random));
}

function fileOf(name: string): string {
  return join(repositoryRoot, 'test', 'kafka', 'conversations', 'kept', `${name}.json`);
}

const LONG_LIST = 12;

/** Long lists, such as all settings of a topic, are kept as their digest. */
export function shortened(shown: Shown): Shown {
  return JSON.parse(JSON.stringify(shown), (_, value: unknown) =>
    Array.isArray(value) && value.length > LONG_LIST ? `${value.length} entries, ${createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)}` : value) as Shown;
}

export function keep(name: string, answers: readonly Shown[]): void {
  writeFileSync(fileOf(name), `[\n${answers.map((answer) => JSON.stringify(shortened(answer))).join(',\n')}\n]\n`);
}

export function kept(name: string): Shown[] {
  return JSON.parse(readFileSync(fileOf(name), 'utf8')) as Shown[];
}
