// The check of layers and the other rules of the house, on trees that break them one by one.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { repositoryRoot } from '../../support/paths.js';
import { run } from '../../support/process.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';

const GOOD: Readonly<Record<string, string>> = {
  'native/layers.txt': 'base:\nio: base\nlog: base io\naddon: base log\n',
  'src/layers.txt': '# comment\nutil:\nconfig: util\nprotocol: util\nbroker: util config protocol\n',
  'native/base/a.h': '#include <vector>\n#include "base/b.h"\n',
  'native/io/send.cc': '#include "io/send.h"\n#include "base/a.h"\nauto n = ::sendfile(a, b, 0, 1);\n',
  'native/log/first.cc': 'namespace sluice::log {\nnamespace {\nconstexpr int64_t kA = 1;\nnamespace inner {\nnamespace {\nconstexpr int kB = 1;\n}  // namespace\n}  // namespace inner\n}  // namespace\n}  // namespace sluice::log\n',
  'native/log/second.cc': 'namespace sluice::log {\nconstexpr int kA = 1;\nnamespace {\nclass A;\nconstexpr int kB = 1;\n}  // namespace\n}  // namespace sluice::log\n',
  'native/addon/addon.cc': '#include <napi.h>\n#include "log/log.h"\n',
  'src/index.ts': "export { x } from './broker/x.js';\n",
  'src/broker/x.ts': "import {\n  y,\n} from '../config/y.js';\nimport { readFileSync } from 'node:fs';\nexport const x = y;\n",
  'src/config/y.ts': "import { z } from '../util/z.js';\nexport const y = z;\n",
};

let tree = '';
beforeEach(() => {
  if (tree !== '') removeDirectory(tree);
  tree = makeTempDirectory('house');
  for (const [path, text] of Object.entries(GOOD)) put(path, text);
});
after(() => removeDirectory(tree));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

async function check(at = tree): Promise<{ code: number | null; text: string }> {
  const { exitCode, stdout, stderr } = await run(process.execPath, [join(repositoryRoot, 'scripts', 'check-layers.mjs'), at]);
  return { code: exitCode, text: stdout + stderr };
}

test('a tree that keeps the rules passes, and so does this one', async () => {
  for (const at of [tree, repositoryRoot]) assert.deepEqual(await check(at), { code: 0, text: 'sluice: the layers hold\n' });
});

describe('fails with file, line and what would be right', () => {
  const cases: readonly (readonly [what: string, path: string, text: string, expected: string])[] = [
    ['an include of a higher layer', 'native/base/a.h', '\n#include "io/file.h"\n', 'native/base/a.h:2: base may use nothing but itself: turn the arrow round, or move the code to a layer both may use'],
    ['an include of a sibling', 'native/addon/x.cc', '#include "io/file.h"\n', 'native/addon/x.cc:1: addon may use base, log'],
    ['an include of an unknown folder', 'native/log/x.cc', '#include "net/file.h"\n', 'native/log/x.cc:1: net is not a layer: name it in layers.txt, with what it may use'],
    ['a file of an unknown folder', 'native/net/x.cc', '#include "base/a.h"\n', 'native/net/x.cc:1: net is not a layer: name it in layers.txt, with what it may use'],
    ['an include by another path', 'native/log/x.cc', '#include "../base/a.h"\n', 'native/log/x.cc:1: include "../base/a.h" by its path below native/, as "base/result.h"'],
    ['Node outside of the addon', 'native/log/x.cc', '#include <node_api.h>\n', 'native/log/x.cc:1: node_api.h is for native/addon only: the engine builds without Node'],
    ['a second file with sendfile', 'native/io/two.cc', 'int x;\nx = sendfile64(a, b, 0, 1);\n', 'native/io/two.cc:2: sendfile is called in one file of native/io only: native/io/send.cc'],
    ['sendfile elsewhere', 'native/log/x.cc', 'x = ::sendfile(a, b, 0, 1);\n', 'native/log/x.cc:1: sendfile is called in one file of native/io only: native/io/send.cc'],
    ['a name twice in a layer', 'native/log/x.cc', 'namespace sluice::log {\nnamespace {\nconstexpr int kA = 2;\n}  // namespace\n}  // namespace sluice::log\n', 'native/log/x.cc:3: kA is also in native/log/first.cc, and builds with sanitizers compile both at once: share it, or give it a name of its own'],
    ['an import of a higher layer', 'src/config/y.ts', "import { x } from '../broker/x.js';\n", 'src/config/y.ts:1: config may use util: turn the arrow round, or move the code to a layer both may use'],
    ['an import of a sibling', 'src/config/y.ts', "import {\n  x,\n} from '../protocol/x.js';\n", 'src/config/y.ts:3: config may use util'],
    ['an import of a type', 'src/config/y.ts', "import { type X } from '../protocol/x.js';\n", 'src/config/y.ts:1: config may use util'],
    ['an import while running', 'src/config/y.ts', "const x = await import('../protocol/x.js');\n", 'src/config/y.ts:1: config may use util'],
    ['an export from elsewhere', 'src/config/y.ts', "export * from '../protocol/x.js';\n", 'src/config/y.ts:1: config may use util'],
    ['an import for its effects', 'src/config/y.ts', "import '../protocol/x.js';\n", 'src/config/y.ts:1: config may use util'],
    ['an import of the package\'s face', 'src/config/y.ts', "import { x } from '../index.js';\n", "src/config/y.ts:1: config may not use src/index.ts: what lies directly in src/ is for the package's users"],
    ['an import of a test', 'src/config/y.ts', "import { x } from '../../test/x.js';\n", 'src/config/y.ts:1: ../../test/x.js lies outside src/, and only what lies in src/ is shipped'],
    ['a long file', 'src/util/long.ts', 'x();\n'.repeat(801), 'src/util/long.ts:801: 801 lines, and a file has at most 800: divide it'],
    ['something left open', 'native/log/x.cc', '\n// TODO: more\n', "native/log/x.cc:2: 'TODO': do it, or write down in docs/skipped.md that it is left out"],
  ];
  for (const [what, path, text, expected] of cases) {
    test(what, async () => {
      put(path, text);
      const { code, text: printed } = await check();
      assert.equal(code, 1);
      assert.equal(printed.split('\n')[0], expected);
    });
  }

  test('a broken layers.txt', async () => {
    put('src/layers.txt', 'util: nowhere\n');
    const { code, text } = await check();
    assert.notEqual(code, 0);
    assert.match(text, /util may use nowhere, but nowhere is not a layer/);
  });
});
