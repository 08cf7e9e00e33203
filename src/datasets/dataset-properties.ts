// Setting and inheriting properties: all changes of one call, or none.

import type { DatasetEntry } from './dataset-entry.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { checkLimits } from './limits-check.ts';
import { limitsOf } from './properties.ts';
import { type RegistryContext, unpromised } from './registry-context.ts';
import { rowsOf } from './registry-rows.ts';
import { usedBytes } from './space.ts';

type Properties = DatasetRecord['properties'];

/** @param change gives the properties that are set afterwards. @throws DatasetError */
export function stageProperties(
  context: RegistryContext,
  name: string,
  change: (local: Properties) => Properties,
): DatasetEntry {
  const { catalog, store } = context;
  const entry = catalog.get(name);
  const properties = change(entry.properties);
  checkLimits({
    name,
    before: entry,
    after: limitsOf(properties),
    used: usedBytes(entry),
    referenced: entry.referencedBytes(),
    around: entry.parent,
    unpromised: unpromised(context, entry.parent),
  });
  const record = { ...entry.record, properties };
  store.stageRows(rowsOf(record));
  catalog.update(entry, record);
  return entry;
}
