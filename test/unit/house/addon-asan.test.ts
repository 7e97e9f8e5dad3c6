// What counts as found in the reports of sanitizers on a Node with our addon.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/paths.js';

const { found } = (await import(pathToFileURL(join(repositoryRoot, 'scripts/test/addon-asan.mjs')).href)) as { found: (report: string) => string[] };

const HEAD = '=================================================================\n==1==ERROR: LeakSanitizer: detected memory leaks\n\n';
const leak = (...frames: string[]) => ['Direct leak of 8 byte(s) in 1 object(s) allocated from:', ...frames.map((frame, i) => `    #${i} 0x1 in ${frame}`), ''].join('\n');
const SCRIPT = ['v8impl::(anonymous namespace)::FunctionCallbackWrapper::Invoke(int) (/usr/bin/node+0x1)', 'node::Start(int, char**) (/usr/bin/node+0x1)'];

test('memory that the addon lost is found, asked for by itself or through Node-API', () => {
  const own = leak('operator new(unsigned long)', 'sluice::log::Log::Open() /src/native/log/log.cc:1', ...SCRIPT);
  const ofNode = leak('operator new(unsigned long)', 'napi_create_reference (/usr/bin/node+0x1)', 'Napi::Persistent() /src/napi-inl.h:1', ...SCRIPT);
  const unnamed = leak('malloc', '(/src/build/asan/addon/sluice.node+0x1)');
  assert.deepEqual(found(HEAD + own + leak('malloc', 'v8::internal::Heap::Heap()') + ofNode + unnamed), [own, ofNode, unnamed]);
});

test('what Node itself holds at its end is not, though it was called from the addon; nor promises of a worker that is no more', () => {
  const called = leak('posix_memalign', 'v8::internal::Page::Allocate() (/usr/bin/node+0x1)', 'napi_call_function (/usr/bin/node+0x1)', 'sluice::addon::Bridge::Drain(Napi::Env)');
  const promise = leak('operator new(unsigned long)', 'napi_create_promise (/usr/bin/node+0x1)', 'sluice::addon::Promise::Promise(Napi::Env)', ...SCRIPT);
  assert.deepEqual(found(HEAD + called + promise), []);
});

test('an error is found whoever caused it', () => {
  const report = '==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x1 in v8::internal::Heap::Heap()\n';
  assert.deepEqual(found(report), [report]);
  const undefinedBehavior = 'native/log/log.cc:1:2: runtime error: signed integer overflow\n';
  assert.deepEqual(found(undefinedBehavior), [undefinedBehavior]);
});
