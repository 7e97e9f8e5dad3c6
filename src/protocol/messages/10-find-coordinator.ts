import { defineApi } from '../api.js';

export const findCoordinatorApi = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  request: {
    key: { type: 'string', versions: '0-3' },
    keyType: { type: 'int8', versions: '1+' },
    coordinatorKeys: { type: '[]string', versions: '4+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0-3' },
    errorMessage: { type: 'string', versions: '1-3', nullable: '1-3', ignorable: true },
    nodeId: { type: 'int32', versions: '0-3' },
    host: { type: 'string', versions: '0-3' },
    port: { type: 'int32', versions: '0-3' },
    coordinators: { type: '[]struct', versions: '4+', of: {
      key: { type: 'string', versions: '4+' },
      nodeId: { type: 'int32', versions: '4+' },
      host: { type: 'string', versions: '4+' },
      port: { type: 'int32', versions: '4+' },
      errorCode: { type: 'int16', versions: '4+' },
      errorMessage: { type: 'string', versions: '4+', nullable: '4+', ignorable: true },
    } },
  },
});
