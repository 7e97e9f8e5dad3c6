// Random conversations about topics, settings, records and groups beside what Apache Kafka answered to the very same. test/compat holds new ones live.
import { test } from 'node:test';
import { KEPT_SEED, KEPT_STEPS, conversationNames, kept, script, shortened } from './conversations/index.js';
import { begin, replay } from './conversations/hold.js';
import { Side } from './conversations/side.js';
import { apiTarget, startSluice } from './support/target.js';

for (const name of conversationNames) {
  test(`about ${name}`, { skip: apiTarget() !== 'sluice' && 'it is held with Sluice' }, async (context) => {
    const target = await startSluice({});
    const side = new Side(target.port);
    context.after(async () => {
      side.close();
      await target.stop();
    });
    await begin(side);
    await replay(script(name, KEPT_SEED, KEPT_STEPS), side, kept(name), shortened);
  });
}
