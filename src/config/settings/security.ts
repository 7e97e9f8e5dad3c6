// Who may do what. Sluice does not serve that yet, and refuses to start as if it did.
import { atLeast, nonNull } from '../range.js';
import { define } from '../setting.js';

export const securitySettings = [
  define('authorizer.class.name', 'string', '', 'refused',
    'The Java class that decides who may do what. Sluice has no authorizer yet and would let everybody do ' +
    'everything.', { importance: 'low', range: nonNull }),
  define('principal.builder.class', 'class', 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder', 'refused',
    'The Java class that names who is connected. Sluice has nobody but ANONYMOUS.', { update: 'per-broker' }),
  define('security.providers', 'string', null, 'refused',
    'Java classes that bring cryptography.', { importance: 'low' }),
  define('delegation.token.secret.key', 'password', null, 'refused',
    'The key that signs delegation tokens. Sluice has none.'),
  define('delegation.token.expiry.check.interval.ms', 'long', '3600000', 'ignored',
    'How often Kafka looks for expired delegation tokens. Sluice has none.',
    { importance: 'low', range: atLeast(1) }),
  define('delegation.token.expiry.time.ms', 'long', '86400000', 'ignored',
    'How long a delegation token is valid without renewal. Sluice has none.', { range: atLeast(1) }),
  define('delegation.token.max.lifetime.ms', 'long', '604800000', 'ignored',
    'How long a delegation token can be renewed. Sluice has none.', { range: atLeast(1) }),
] as const;
