// Metrics and quotas.
import { atLeast, list } from '../range.js';
import { define } from '../setting.js';

export const metricSettings = [
  define('metric.reporters', 'list', 'org.apache.kafka.common.metrics.JmxReporter', 'ignored',
    'Java classes that Kafka hands its metrics to.', { importance: 'low', range: list, update: 'cluster-wide' }),
  define('kafka.metrics.reporters', 'list', '', 'ignored',
    'Java classes that Kafka hands its older metrics to.', { importance: 'low', range: list }),
  define('kafka.metrics.polling.interval.secs', 'int', '10', 'ignored',
    'How often Kafka\'s older reporters are asked.', { importance: 'low', range: atLeast(1) }),
  define('metrics.num.samples', 'int', '2', 'ignored',
    'Samples that Kafka computes a metric from.', { importance: 'low', range: atLeast(1) }),
  define('metrics.sample.window.ms', 'long', '30000', 'ignored',
    'The length of a sample of Kafka\'s metrics.', { importance: 'low', range: atLeast(1) }),
  define('metrics.recording.level', 'string', 'INFO', 'ignored',
    'How many of its metrics Kafka keeps.', { importance: 'low' }),
  define('telemetry.max.bytes', 'int', '1048576', 'ignored',
    'The most that a client may send of its own metrics. Sluice takes none.',
    { importance: 'low', range: atLeast(1) }),
  define('client.quota.callback.class', 'class', null, 'refused',
    'A Java class that decides which client may use how much. Sluice runs no Java.', { importance: 'low' }),
  define('quota.window.num', 'int', '11', 'ignored',
    'Samples over which Kafka measures what clients use. Sluice has no quotas.',
    { importance: 'low', range: atLeast(1) }),
  define('quota.window.size.seconds', 'int', '1', 'ignored',
    'The length of a sample of what clients use. Sluice has no quotas.', { importance: 'low', range: atLeast(1) }),
] as const;
