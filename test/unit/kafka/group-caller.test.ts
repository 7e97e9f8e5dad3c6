import assert from 'node:assert/strict';
import { test } from 'node:test';
import { javaAddress } from '../../../src/kafka/group-caller.js';

test('addresses as Java writes them: InetAddress without a name, all eight groups of IPv6', () => {
  const shown = {
    '127.0.0.1': '/127.0.0.1', '::1': '/0:0:0:0:0:0:0:1', '::': '/0:0:0:0:0:0:0:0', 'fe80::a:b': '/fe80:0:0:0:0:0:a:b', '2001:db8::': '/2001:db8:0:0:0:0:0:0',
    '1:2:3:4:5:6:7:8': '/1:2:3:4:5:6:7:8', local: '/local',
  };
  for (const [host, expected] of Object.entries(shown)) assert.equal(javaAddress(host), expected);
});
