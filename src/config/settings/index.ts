// The one table of every setting: Apache Kafka 4.4's and Sluice's own.
import { type Setting, type ValueOf } from '../setting.js';
import { type TopicSetting } from '../topic-setting.js';
import { clusterSettings } from './cluster.js';
import { groupSettings } from './groups.js';
import { logSettings } from './log.js';
import { metricSettings } from './metrics.js';
import { networkSettings } from './network.js';
import { newGroupSettings } from './new-groups.js';
import { remoteSettings } from './remote.js';
import { saslSettings } from './sasl.js';
import { securitySettings } from './security.js';
import { serverSettings } from './server.js';
import { runtimeSettings, sluiceSettings, sluiceTopicSettings } from './sluice.js';
import { sslSettings } from './ssl.js';
import { topicSettings } from './topics.js';
import { transactionSettings } from './transactions.js';

/** In the order in which the documentation has them. */
export const settingGroups = [
  { title: 'Sluice\'s own', settings: sluiceSettings },
  { title: 'Listeners, connections and requests', settings: networkSettings },
  { title: 'The broker and its topics', settings: serverSettings },
  { title: 'Logs', settings: logSettings },
  { title: 'Consumer groups and offsets', settings: groupSettings },
  { title: 'Transactions', settings: transactionSettings },
  { title: 'Controllers, metadata, other brokers', settings: clusterSettings },
  { title: 'Metrics and quotas', settings: metricSettings },
  { title: 'Security', settings: securitySettings },
  { title: 'TLS', settings: sslSettings },
  { title: 'Logins', settings: saslSettings },
  { title: 'Groups of newer protocols', settings: newGroupSettings },
  { title: 'Remote storage', settings: remoteSettings },
  { title: 'Only while running', settings: runtimeSettings },
] as const;

export const allTopicSettings = [...topicSettings, ...sluiceTopicSettings] as const;

type BrokerSetting = (typeof settingGroups)[number]['settings'][number];
export type SettingName = BrokerSetting['name'];
export type SettingValueOf<Name extends SettingName> = ValueOf<Extract<BrokerSetting, { readonly name: Name }>>;

type AnyTopicSetting = (typeof allTopicSettings)[number];
export type TopicSettingName = AnyTopicSetting['name'];
export type TopicSettingValueOf<Name extends TopicSettingName> = ValueOf<Extract<AnyTopicSetting, { readonly name: Name }>>;

const byName: ReadonlyMap<string, Setting> = new Map(settingGroups.flatMap((group) => group.settings.map((each): [string, Setting] => [each.name, each])));
const topicByName: ReadonlyMap<string, TopicSetting> = new Map(allTopicSettings.map((each): [string, TopicSetting] => [each.name, each]));

const runtimeNames: ReadonlySet<string> = new Set(runtimeSettings.map((each) => each.name));

export function findSetting(name: string): Setting | undefined {
  return byName.get(name);
}

export function findTopicSetting(name: string): TopicSetting | undefined {
  return topicByName.get(name);
}

/** Whether a file may have it. */
export function isRuntimeOnly(name: string): boolean {
  return runtimeNames.has(name);
}

export function allSettings(): readonly Setting[] {
  return [...byName.values()];
}
