// What stands before a build: platform, Debian packages, stamps. Commands of the system are replaced by scripts that say what they were asked.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { repositoryRoot } from '../../support/paths.js';
import { run } from '../../support/process.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';

const scripts = join(repositoryRoot, 'scripts', 'build');
let bin = '';
beforeEach(() => {
  if (bin !== '') removeDirectory(bin);
  bin = makeTempDirectory('bootstrap');
});
after(() => removeDirectory(bin));

function command(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** Runs JavaScript with only those commands that were made here, as the user of this id. */
async function script(code: string, uid = 0): Promise<{ code: number | null; text: string }> {
  const program = `
    import { fail } from ${JSON.stringify(join(scripts, 'report.mjs'))};
    process.getuid = () => ${uid};
    try { ${code} } catch (error) { fail(error); }`;
  const { exitCode, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program], { env: { PATH: bin } });
  return { code: exitCode, text: stdout + stderr };
}

const requirePackages = `
  const { requirePackages } = await import(${JSON.stringify(join(scripts, 'debian.mjs'))});
  await requirePackages(['one', 'two', 'three'], 'building');`;

describe('Debian packages', () => {
  const DPKG = '/bin/cat <<END\none installed\ntwo config-files\nEND\necho "dpkg-query: no packages found matching three" >&2; exit 1';

  test('all there: nothing is done', async () => {
    command('dpkg-query', 'printf "one installed\\ntwo installed\\nthree installed\\n"');
    assert.deepEqual(await script(requirePackages), { code: 0, text: '' });
  });

  test('for a user: the one line to run, and nothing else', async () => {
    command('dpkg-query', DPKG);
    command('sudo', '');
    assert.deepEqual(await script(requirePackages, 1000), {
      code: 1,
      text: 'sluice: building needs Debian packages that are not installed: two, three\n' +
        'sluice: run: sudo apt-get update && sudo apt-get install -y two three\n',
    });
  });

  test('for a user of a machine without sudo', async () => {
    command('dpkg-query', DPKG);
    assert.match((await script(requirePackages, 1000)).text, /\nsluice: run: su -c 'apt-get update && apt-get install -y two three'\n$/);
  });

  test('for root: those that lack are installed', async () => {
    command('dpkg-query', DPKG);
    command('apt-get', `echo "$DEBIAN_FRONTEND $*" >> ${bin}/log`);
    const { code } = await script(requirePackages);
    assert.equal(code, 0);
    assert.deepEqual(readFileSync(join(bin, 'log'), 'utf8').split('\n'), [
      'noninteractive update -y -q -o DPkg::Lock::Timeout=300',
      'noninteractive install -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends two three', '',
    ]);
  });

  test('for root, when that fails: what failed, the end of its output, and what to do', async () => {
    command('dpkg-query', DPKG);
    command('apt-get', 'if [ "$1" = install ]; then echo "E: Unable to locate package two"; exit 100; fi');
    const { code, text } = await script(requirePackages);
    assert.equal(code, 1);
    assert.match(text, /\nE: Unable to locate package two\nsluice: installing two three failed: .* ended with exit code 100\nsluice: if the package lists .*apt-get install -y two three\n$/);
  });

  test('where there is no dpkg they are taken on trust', async () => {
    const { code, text } = await script(requirePackages);
    assert.equal(code, 0);
    assert.match(text, /not a Debian system.*one two three/);
  });
});

describe('platform', () => {
  const check = (facts: object): string => `
    const { checkPlatform } = await import(${JSON.stringify(join(scripts, 'platform.mjs'))});
    checkPlatform(${JSON.stringify(facts)});`;

  test('Linux and Node 20 or newer', async () => {
    for (const node of ['20.0.0', '22.1.0', '100.0.0']) {
      assert.deepEqual(await script(check({ platform: 'linux', arch: 'arm64', versions: { node } })), { code: 0, text: '' });
    }
    assert.match((await script(check({ platform: 'linux', arch: 'x64', versions: { node: '18.20.4' } }))).text, /needs Node 20 or newer, and this is Node 18\.20\.4\nsluice: install Node 20/);
    assert.match((await script(check({ platform: 'darwin', arch: 'arm64', versions: { node: '20.0.0' } }))).text, /runs on Linux \(x64, arm64\), and this is darwin arm64/);
  });
});

test('a stamp follows what it was made from, and is gone while its step runs', async () => {
  const file = join(bin, 'a.ts');
  writeFileSync(file, '1');
  const { code, text } = await script(`
    const { stampOf, StampFile } = await import(${JSON.stringify(join(scripts, 'stamp.mjs'))});
    const { relative } = await import('node:path');
    const { root } = await import(${JSON.stringify(join(scripts, 'paths.mjs'))});
    const { utimesSync, writeFileSync } = await import('node:fs');
    const file = relative(root, ${JSON.stringify(file)});
    const stamp = stampOf([file], 'fact');
    const same = stamp === stampOf([file], 'fact');
    const otherFact = stamp === stampOf([file], 'other');
    utimesSync(${JSON.stringify(file)}, 1, 1);
    const touched = stamp === stampOf([file], 'fact');
    const kept = new StampFile(relative(root, ${JSON.stringify(join(bin, 'stamp'))}));
    const before = kept.is(stamp);
    kept.write(stamp);
    const written = kept.is(stamp);
    kept.clear();
    console.log(JSON.stringify([same, otherFact, touched, before, written, kept.is(stamp)]));`);
  assert.deepEqual([code, text], [0, '[true,false,false,false,true,false]\n']);
  assert.equal(existsSync(join(bin, 'stamp')), false);
});

test('a part of the tests that there is not ends the run', async () => {
  const { exitCode, stderr } = await run(process.execPath, [join(repositoryRoot, 'scripts', 'test.mjs'), 'nothing']);
  assert.equal(exitCode, 1);
  assert.match(stderr, /nothing: there is no such part\nsluice: the parts are house, native, power, unit/);
});
