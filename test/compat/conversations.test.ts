// The random conversations of test/kafka/conversations, held with Apache Kafka and with Sluice at once: both must answer the same. SLUICE_KEEP=1 keeps what
// Kafka answers to those of test/kafka/conversations.test.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { KEPT_SEED, KEPT_STEPS, conversationNames, keep, script } from '../kafka/conversations/index.js';
import { begin, compare } from '../kafka/conversations/hold.js';
import { Side } from '../kafka/conversations/side.js';
import { type Target, startSluice } from '../kafka/support/target.js';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { testSeed } from '../support/random.js';

const STEPS = 150;

let sluice: Target;
let kafka: Pick<BrokerProcess, 'port' | 'dispose'>;
before(async () => {
  // One that runs already saves the time of a start.
  const running = process.env['SLUICE_API_PORT'];
  kafka = running === undefined ? await startBroker({ kind: 'kafka' }) : { port: Number(running), dispose: async () => {} };
  sluice = await startSluice({});
});
after(() => Promise.all([sluice?.stop(), kafka?.dispose()]));

async function hold(name: string, seed: number, steps: number) {
  const [ours, theirs] = [new Side(sluice.port), new Side(kafka.port)];
  try {
    await Promise.all([begin(ours), begin(theirs)]);
    return await compare(script(name, seed, steps), ours, theirs, ({ at, note, request, ours: shown, kafka: expected }) => {
      assert.deepEqual(shown, expected, `seed ${seed}, step ${at}, ${note}: ${request}`);
    });
  } finally {
    ours.close();
    theirs.close();
  }
}

for (const name of conversationNames) {
  test(`what is kept, about ${name}`, async () => {
    const answers = await hold(name, KEPT_SEED, KEPT_STEPS);
    if (process.env['SLUICE_KEEP'] === '1') keep(name, answers);
  });

  test(`a new one about ${name}`, async (context) => {
    const seed = testSeed();
    context.diagnostic(`seed ${seed}`);
    await hold(name, seed, STEPS);
  });
}
