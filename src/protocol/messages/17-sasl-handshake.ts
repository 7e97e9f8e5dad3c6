import { defineApi } from '../api.js';

export const saslHandshakeApi = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: { type: 'string', versions: '0+' },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    mechanisms: { type: '[]string', versions: '0+' },
  },
});
