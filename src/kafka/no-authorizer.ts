// Without an authorizer everybody may do everything, and a client that asks is told so. One bit for each operation.

const read = 1 << 3;
const write = 1 << 4;
const create = 1 << 5;
const remove = 1 << 6;
const alter = 1 << 7;
const describe = 1 << 8;
const clusterAction = 1 << 9;
const describeConfigs = 1 << 10;
const alterConfigs = 1 << 11;
const idempotentWrite = 1 << 12;

export const allTopicOperations = read | write | create | remove | alter | describe | describeConfigs | alterConfigs;

export const allGroupOperations = read | remove | describe | describeConfigs | alterConfigs;

export const allClusterOperations =
  create | alter | describe | clusterAction | describeConfigs | alterConfigs | idempotentWrite;

/** What stands in an answer when nobody asked. */
export const operationsNotAsked = -2147483648;
