// Names in export rules that are no dataset: a mistake most often, which would be found only when a client is refused;
// but a rule may also be there before its dataset is.

import type { AdminLog } from './admin-log.ts';
import type { ManagedServer } from './managed-server.ts';

/** One line for each. */
export function warnOfUnknownDatasets(
  server: Pick<ManagedServer, 'datasets' | 'exports'>,
  log: AdminLog,
): void {
  for (const name of unknownDatasets(server)) {
    log.warn({ dataset: name }, `An export rule has ${name}, but there is no such dataset`);
  }
}

function unknownDatasets(server: Pick<ManagedServer, 'datasets' | 'exports'>): Set<string> {
  const named = server.exports().flatMap((rule) => rule.datasets);
  return new Set(named.filter((name) => name !== '*' && !server.datasets.get(name)));
}
