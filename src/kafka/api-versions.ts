// What ApiVersions tells: the registry, and the two APIs that the data plane serves by itself.
import { fetchApi } from '../protocol/messages/01-fetch.js';
import { produceApi } from '../protocol/messages/00-produce.js';
import { type Registry } from './registry.js';

export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export function servedVersions(registry: Registry): AdvertisedApi[] {
  const native = [produceApi, fetchApi].map(({ key, stableVersions: { min, max } }) => ({
    apiKey: key, minVersion: min, maxVersion: max,
  }));
  const handled = registry.handlers().map(({ key, versions: { min, max } }) => ({
    apiKey: key, minVersion: min, maxVersion: max,
  }));
  return [...native, ...handled].sort((a, b) => a.apiKey - b.apiKey);
}

/**
 * Produce is advertised from 0, though served from 3: librdkafka takes version 0 as the sign that a broker knows the
 * older compression codecs. Kafka does the same.
 */
export function advertisedVersions(registry: Registry): AdvertisedApi[] {
  return servedVersions(registry).map((api) => (api.apiKey === produceApi.key ? { ...api, minVersion: 0 } : api));
}
