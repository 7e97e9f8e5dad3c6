// `sluice verify` over a data directory that no broker has, Sluice's or Apache Kafka's.
import assert from 'node:assert/strict';
import { type VerifyReport } from '../../src/native/binding.js';
import { loadBinding } from '../../src/native/load.js';

export function verifyDirectory(dataDirectory: string): Promise<VerifyReport> {
  return loadBinding().verifyDirectory(dataDirectory, '');
}

export async function assertNoDamage(dataDirectory: string, expected: { clean?: boolean } = {}): Promise<VerifyReport> {
  const report = await verifyDirectory(dataDirectory);
  assert.deepEqual(report.damages, [], dataDirectory);
  // After a power cut it may all be in the journal yet.
  assert.ok(report.partitions > 0 && (report.batches > 0 || report.journalFrames > 0));
  if (expected.clean !== undefined) assert.equal(report.clean, expected.clean);
  return report;
}
