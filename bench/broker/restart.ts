// A crash of the process, and how long until the broker is of use again.
import { type BrokerTarget } from './broker-target.js';
import { startLoad } from './load.js';

const LONGEST_S = 300;

export async function restartAfterKill(broker: BrokerTarget, topic: string, partition: number): Promise<{ restartMs: number; firstAckMs: number }> {
  await broker.kill9();
  const killedAt = performance.now();
  const waiting = startLoad('await-produce', broker.port, { '--topic': topic, '--first-partition': partition, '--seconds': LONGEST_S });
  const acknowledged = waiting.result.then(() => performance.now() - killedAt);
  const restartMs = await broker.start();
  return { restartMs, firstAckMs: await acknowledged };
}
