// What a part needs that may not be had on every machine.
import { requirePackages } from '../build/debian.mjs';
import { root } from '../build/paths.mjs';
import { StepError } from '../build/report.mjs';
import { step } from '../build/run.mjs';

/** Debian packages, installed when we may. Otherwise the part could not run, which is not the same as a failure. */
export async function needs(packages) {
  await asNeed(() => requirePackages(packages, 'this part'));
}

/** Apache Kafka's jars. */
export async function needsKafka() {
  await asNeed(() => step('fetching Apache Kafka', process.execPath, ['scripts/kafka/fetch.mjs', '--quiet'], {
    cwd: root, remedy: 'Maven needs its repository once; with the network back, run the same command again',
  }));
}

async function asNeed(work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof StepError) error.couldNotRun = true;
    throw error;
  }
}
