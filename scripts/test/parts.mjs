// The parts of the test suite. Tier quick is `npm test`, tier all is what `npm run test:all` adds, and tier named is run when it is named. `ahead`: what ahead.mjs compiles before the part has its turn.
import { CLANG_PACKAGES, DISK_PACKAGES, JAVA_PACKAGES, NATIVE_TEST_PACKAGES } from '../build/debian.mjs';
import { requireHouse } from '../house/check.mjs';
import { addonUnderAsan } from './addon-asan.mjs';
import { faultSlice } from './fault.mjs';
import { allTargets, CLANG_BUILD, fuzz } from './fuzz.mjs';
import { instructions } from './instructions.mjs';
import { ALL_LAYERS, BUSY_LAYERS, nativeTests, plainBuild, REAL_DISK, testTargets } from './native.mjs';
import { nodeTests } from './node.mjs';
import { needs, needsKafka } from './needs.mjs';
import { installedPackage } from './package.mjs';
import { withoutIoUring } from './no-io-uring.mjs';

const MINUTE = 60_000;
const TSAN_BUILD = { folder: 'build/tsan', sanitize: 'thread' };

export const parts = [
  {
    name: 'house', tier: 'quick', what: 'layers and the other rules of the house',
    run: () => {
      requireHouse();
      return { passed: 1, failed: 0 };
    },
  },
  { name: 'native', tier: 'quick', what: 'the engine in C++', run: () => nativeTests({ ...plainBuild(), layers: ALL_LAYERS, timeoutMs: 4 * MINUTE }) },
  { name: 'power', tier: 'quick', what: '200 worlds on a simulated disk, cut again and again, 22 in which bits change at rest, and two broken engines that must fail there', run: () => faultSlice({ runs: 200, flips: 16, ...plainBuild() }) },
  { name: 'unit', tier: 'quick', what: 'TypeScript, one module at a time', run: () => nodeTests('unit', { concurrency: 2, timeoutMs: 2 * MINUTE }) },
  { name: 'wire', tier: 'quick', what: 'the codec in TypeScript against the one in C++', run: () => nodeTests('wire', { timeoutMs: 2 * MINUTE }) },
  { name: 'engine', tier: 'quick', what: 'the embedded engine', run: () => nodeTests('engine', { timeoutMs: 3 * MINUTE }) },
  { name: 'kafka', tier: 'quick', what: 'requests over real sockets, JavaScript clients', run: () => nodeTests('kafka', { timeoutMs: 4 * MINUTE }) },
  { name: 'broker', tier: 'quick', what: 'the broker as a process', run: () => nodeTests('broker', { timeoutMs: 4 * MINUTE }) },

  {
    name: 'compat', tier: 'all', what: 'Java clients and tools, kcat, Apache Kafka as the oracle',
    run: async () => {
      await needs([...JAVA_PACKAGES, 'kcat']);
      await needsKafka();
      return nodeTests('compat', { concurrency: 2, timeoutMs: 15 * MINUTE });
    },
  },
  {
    name: 'clients', tier: 'all', what: 'clients in Python, Go and JavaScript, Kafka Streams and Connect',
    run: async () => {
      await needs([...JAVA_PACKAGES, 'python3-venv']);
      await needsKafka();
      return nodeTests('clients', { concurrency: 2, timeoutMs: 20 * MINUTE });
    },
  },
  {
    name: 'fault', tier: 'all', what: 'crashes, power cuts and full disks, again and again',
    run: async () => {
      // Without them, or without root, the tests that need disks of their own say so and are skipped.
      if (process.getuid() === 0) await needs(DISK_PACKAGES);
      return nodeTests('fault', { concurrency: 2, timeoutMs: 15 * MINUTE });
    },
  },
  { name: 'no-io-uring', tier: 'all', what: 'under a filter that refuses io_uring', run: withoutIoUring },
  {
    name: 'asan', tier: 'all', what: 'the engine under AddressSanitizer and UndefinedBehaviorSanitizer',
    ahead: { packages: [...NATIVE_TEST_PACKAGES, ...CLANG_PACKAGES], build: () => ({ ...CLANG_BUILD, targets: [...testTargets(ALL_LAYERS), ...allTargets()] }) },
    run: async () => {
      await needs(CLANG_PACKAGES);
      return nativeTests({ ...CLANG_BUILD, layers: ALL_LAYERS, timeoutMs: 10 * MINUTE });
    },
  },
  {
    name: 'tsan', tier: 'all', what: 'reactor, files and data plane under ThreadSanitizer',
    ahead: { packages: NATIVE_TEST_PACKAGES, build: () => ({ ...TSAN_BUILD, targets: testTargets(BUSY_LAYERS) }) },
    run: () => nativeTests({ ...TSAN_BUILD, layers: BUSY_LAYERS, filter: REAL_DISK, timeoutMs: 10 * MINUTE }),
  },
  { name: 'fuzz', tier: 'all', what: 'a seeded slice of every fuzz target', run: () => fuzz({ secondsEach: 10 }) },
  { name: 'instructions', tier: 'all', what: 'instructions of the hot paths, counted by callgrind', run: instructions },
  { name: 'addon-asan', tier: 'named', what: 'embedded engine and broker with an addon under AddressSanitizer, leaks included', run: addonUnderAsan },
  { name: 'package', tier: 'all', what: 'the packed tarball in an empty project', run: installedPackage },
];
