// `quorum-state` beside the metadata log, in the form of Kafka's raft: the epoch under which this node, the only voter,
// leads. Each start leads under the next one.
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'quorum-state';
const EPOCHS_FILE = 'leader-epoch-checkpoint';

export interface QuorumState {
  readonly leaderEpoch: number;
  /** 0: voters stand in the configuration. 1: they stand in the log, each with its directory. */
  readonly version: 0 | 1;
}

export class QuorumStateError extends Error {
  override readonly name = 'QuorumStateError';
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The last epoch in which records were written: `<version>\n<entries>\n<epoch> <start offset>\n...`. */
function lastEpoch(checkpoint: string | undefined): number {
  const lines = (checkpoint ?? '').split('\n').slice(2).filter((line) => line !== '');
  const epoch = Number(lines.at(-1)?.split(' ')[0] ?? 0);
  return Number.isInteger(epoch) && epoch >= 0 ? epoch : 0;
}

/** What the metadata directory says; epoch 0 where it is new. */
export async function readQuorumState(directory: string, nodeId: number): Promise<QuorumState> {
  const path = join(directory, FILE);
  const text = await readIfThere(path);
  const written = lastEpoch(await readIfThere(join(directory, EPOCHS_FILE)));
  if (text === undefined) return { leaderEpoch: written, version: 0 };
  let state: { leaderEpoch?: unknown; currentVoters?: unknown; data_version?: unknown };
  try {
    state = JSON.parse(text) as typeof state;
  } catch {
    throw new QuorumStateError(`${path} is damaged: it is not JSON`);
  }
  const { leaderEpoch, currentVoters } = state;
  const version = state.data_version ?? 0;
  if (!Number.isInteger(leaderEpoch) || (version !== 0 && version !== 1)) {
    throw new QuorumStateError(`${path} is damaged, or of a version that is not known here: ${text.slice(0, 200)}`);
  }
  const voters = Array.isArray(currentVoters) ? (currentVoters as { voterId?: unknown }[]).map(({ voterId }) => voterId) : [];
  if (voters.some((voter) => voter !== nodeId)) {
    throw new QuorumStateError(`${path} names the voters ${voters.join(', ')}: this node, ${nodeId}, can only be the one voter`);
  }
  return { leaderEpoch: Math.max(leaderEpoch as number, written), version };
}

/** Durable when it resolves. */
export async function writeQuorumState(directory: string, nodeId: number, state: QuorumState): Promise<void> {
  const { leaderEpoch } = state;
  const content = state.version === 0
    ? { clusterId: '', leaderId: nodeId, leaderEpoch, votedId: -1, appliedOffset: 0, currentVoters: [{ voterId: nodeId }], data_version: 0 }
    : { leaderId: nodeId, leaderEpoch, votedId: -1, votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA', data_version: 1 };
  const path = join(directory, FILE);
  const file = await open(`${path}.tmp`, 'w');
  try {
    await file.writeFile(JSON.stringify(content));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
