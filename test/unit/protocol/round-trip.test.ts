// Every version of every message with random values, and what is left of them when the bytes are damaged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../../src/protocol/index.js';
import { complete, knownMessages, randomValue, versionsOf } from '../../support/protocol-messages.js';
import { Random, testSeed } from '../../support/random.js';

const seed = testSeed();
const LONG_LENGTHS = ['7fffffff', '80000000', 'fffffffe', 'ffffffff07', 'ffffffff0f', '8080808080', '00ffffff'];

/** Decodes damaged bytes: a value or a ProtocolError, nothing else. What was decoded must be possible to encode. */
function survives(decode: () => unknown, describe: () => string): void {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `${describe()}: ${String(error)}`);
    assert.notEqual(error.kind, 'invalid-value', describe());
  }
}

for (const { message } of knownMessages) {
  test(`${message.name} survives the way there and back, and damage on it`, (context) => {
    context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
    const random = new Random(seed);
    for (const version of versionsOf(message)) {
      const empty = message.encode(version, {});
      assert.deepEqual(message.decode(empty, version), complete(message.fields, {}));
      for (let round = 0; round < 6; round++) {
        const value = randomValue(message.fields, version, random);
        const bytes = message.encode(version, value);
        const decoded = message.decode(bytes, version);
        assert.deepEqual(decoded, complete(message.fields, value));
        assert.deepEqual(message.encode(version, decoded), bytes);
        assert.throws(() => message.decode(Buffer.concat([bytes, Buffer.alloc(1)]), version), ProtocolError);

        const what = () => `${message.name} v${version} ${bytes.toString('hex')}`;
        for (let i = 0; i < 20 && bytes.length > 0; i++) {
          const cut = random.below(bytes.length);
          const cutOff = bytes.subarray(0, cut);
          assert.throws(() => message.decode(cutOff, version), ProtocolError, `${what()} cut at ${cut}`);
          const damaged = Buffer.from(bytes);
          const at = random.below(bytes.length);
          if (random.chance(0.5)) damaged[at] = random.uint32();
          else Buffer.from(random.pick(LONG_LENGTHS), 'hex').copy(damaged, at);
          survives(() => message.decode(damaged, version), () => `${what()} damaged to ${damaged.toString('hex')}`);
        }
        survives(() => message.decode(random.bytes(random.below(200)), version), what);
      }
    }
  });
}

test('versions that a message does not have are refused', () => {
  for (const { message } of knownMessages) {
    for (const version of [message.versions.min - 1, message.versions.max + 1, 0.5, NaN]) {
      const refuse = (error: unknown) => error instanceof ProtocolError && error.kind === 'unsupported-version';
      assert.throws(() => message.encode(version, {}), refuse);
      assert.throws(() => message.decode(Buffer.alloc(100), version), refuse);
    }
  }
});
