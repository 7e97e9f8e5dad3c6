// A slice of what `npm run soak -- codecs` does for as long as it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecCount, mutateCodecs } from '../../support/codec-mutation.js';
import { Random, testSeed } from '../../support/random.js';

const INPUTS = 20_000;

test('damaged bytes give a value no larger than they are, or a ProtocolError, in every codec', (context) => {
  const seed = testSeed();
  context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
  const { inputs, refused } = mutateCodecs(new Random(seed), (done) => done >= Math.max(INPUTS, 3 * codecCount));
  // Damage that never shows, or always, would test nothing.
  assert.ok(refused > inputs / 20 && refused < inputs, `${refused} of ${inputs} refused`);
});
