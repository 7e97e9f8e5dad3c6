// The cluster as a whole: what it is, what it serves, in every version.
import { apiVersionsApi, apis, describeClusterApi, metadataApi } from '../../../src/protocol/index.js';
import { type Random } from '../../support/random.js';
import { mostly, some, step, versionOf } from './script.js';
import { type Step } from './side.js';

const NAMES = ['apache-kafka-java', 'librdkafka', 'a', 'a.b-c', '1'];
const ODD_NAMES = ['', ' ', '-a', 'a-', '.', 'a b', 'größe', 'a_b', 'a'.repeat(3000)];

/** Sluice serves fewer keys and has fewer features, and tells of no others: docs/skipped.md. */
const SERVED = new Set<number>(apis.map(({ key }) => key).filter((key) => key !== 17));
const FEATURES = new Set(['metadata.version', 'kraft.version', 'eligible.leader.replicas.version']);

function hideMore(answer: any): unknown {
  if (typeof answer !== 'object') return answer;
  const isKnown = ({ name }: { name: string }) => FEATURES.has(name);
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return {
    ...answer,
    apiKeys: answer.apiKeys.filter(({ apiKey }: { apiKey: number }) => SERVED.has(apiKey)).sort((a: any, b: any) => a.apiKey - b.apiKey),
    supportedFeatures: answer.supportedFeatures.filter(isKnown).sort(byName),
    finalizedFeatures: answer.finalizedFeatures.filter(isKnown).sort(byName),
  };
}

function versions(random: Random): Step {
  const version = versionOf(random, apiVersionsApi);
  const software = version < 3 ? {} : { clientSoftwareName: mostly(random, NAMES, ODD_NAMES, 0.4), clientSoftwareVersion: mostly(random, NAMES, ODD_NAMES, 0.2) };
  const isAddressed = version >= 5 && random.chance(0.7);
  const [cluster, nodeId] = [random.pick(['this', 'this', 'other', null]), random.pick([1, 1, 2, -1, -2])];
  return step(apiVersionsApi, version, (names) => ({
    ...software, ...(isAddressed ? { clusterId: cluster === 'this' ? names.clusterId : cluster, nodeId } : {}),
  }), { isRead: true, hide: hideMore });
}

function cluster(random: Random): Step {
  const version = versionOf(random, describeClusterApi);
  return step(describeClusterApi, version, {
    includeClusterAuthorizedOperations: random.chance(0.4),
    ...(version >= 1 ? { endpointType: mostly(random, [1], [0, 2, 3, 100, -1], 0.4) } : {}),
    ...(version >= 2 ? { includeFencedBrokers: random.chance(0.5) } : {}),
  }, { isRead: true });
}

function brokers(random: Random): Step {
  const version = versionOf(random, metadataApi, 1);
  return step(metadataApi, version, { topics: [], ...(version >= 8 && version <= 10 ? { includeClusterAuthorizedOperations: random.chance(0.5) } : {}) }, { isRead: true });
}

export function clusterStep(random: Random): Step {
  const [kind] = some(random, [versions, versions, cluster, brokers], 1);
  return kind!(random);
}
