// DescribeCluster, versions 0-2: the cluster's id and its brokers. 1: the kind of endpoint, of which there is one here.
// 2: fenced brokers too, when asked; a broker that answers is not fenced.
import { errorCode } from '../../protocol/errors.js';
import { describeClusterApi } from '../../protocol/messages/60-describe-cluster.js';
import { allClusterOperations, operationsNotAsked } from '../no-authorizer.js';
import { defineHandler } from '../registry.js';

const endpointTypes = { brokers: 1, controllers: 2 } as const;

export const describeClusterHandler = defineHandler({
  api: describeClusterApi,
  handle(request, { listener, broker }) {
    const { endpointType } = request;
    if (endpointType !== endpointTypes.brokers) {
      const isKnown = endpointType === endpointTypes.controllers;
      return {
        errorCode: errorCode(isKnown ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'),
        errorMessage: isKnown
          ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
          : `Unsupported endpoint type ${endpointType}`,
      };
    }
    const { nodeId, rack } = broker.config;
    const address = broker.advertised[listener];
    return {
      endpointType,
      clusterId: broker.clusterId,
      controllerId: nodeId,
      brokers: address === undefined ? [] : [{ brokerId: nodeId, host: address.host, port: address.port, rack, isFenced: false }],
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? allClusterOperations : operationsNotAsked,
    };
  },
  failed(_request, { code, message }) {
    return { errorCode: code, errorMessage: message };
  },
});
