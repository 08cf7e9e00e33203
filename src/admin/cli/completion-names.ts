// Names that only the server knows, for completion. Snapshots may be very many, so they are asked for only where their
// dataset is typed already, with its "@".

import type { AdminClient } from '../grpc/admin-client.ts';
import type { PropertyMessage } from '../grpc/admin-messages.ts';

/** Of `cairn dataset`. */
const SNAPSHOTS_ONLY: readonly string[] = [
  'delete-snapshot',
  'rollback',
  'hold',
  'release',
  'holds',
  'restore',
];
const ALSO_SNAPSHOTS: readonly string[] = [
  'info',
  'get',
  'set',
  'inherit',
  'rename',
  'delete',
  'clone',
  'diff',
];

export interface Operand {
  /** Of `cairn dataset`. */
  readonly verb: string;
  /** What stands before it. */
  readonly before: readonly string[];
  /** What is typed of it already. */
  readonly partial: string;
}

/** What may stand in its place; also what does not begin as what is typed. */
export async function operandValues(operand: Operand, client: AdminClient): Promise<string[]> {
  const { verb, before } = operand;
  const [name] = before;
  if (name === undefined) return verb === 'create' ? [] : names(operand, client);
  if (verb === 'diff' && before.length === 1) return names(operand, client);
  if (verb === 'set') return (await properties(name, client)).filter(isSettable).map(assignment);
  if (verb === 'get') return (await properties(name, client)).map((property) => property.name);
  if (verb === 'inherit' && before.length === 1)
    return (await properties(name, client)).filter(isLocal).map((property) => property.name);
  return [];
}

async function names({ verb, partial }: Operand, client: AdminClient): Promise<string[]> {
  const isOnlySnapshots = SNAPSHOTS_ONLY.includes(verb);
  const [source, snapshot] = partial.split('@');
  if (snapshot !== undefined && (isOnlySnapshots || ALSO_SNAPSHOTS.includes(verb))) {
    const { snapshots } = await client.call('ListSnapshots', { source: source!, labels: [] });
    // Behind the snapshot comes what of it.
    return snapshots.map(({ name }) => (verb === 'restore' ? `${name}:` : name));
  }
  const { datasets } = await client.call('ListDatasets', { name: '' });
  return datasets.map(({ name }) => (isOnlySnapshots ? `${name}@` : name));
}

async function properties(name: string, client: AdminClient): Promise<readonly PropertyMessage[]> {
  return (await client.call('GetProperties', { name, properties: [] })).properties;
}

function isSettable({ source }: PropertyMessage): boolean {
  return source !== 'PROPERTY_SOURCE_NONE';
}

function isLocal({ source }: PropertyMessage): boolean {
  return source === 'PROPERTY_SOURCE_LOCAL';
}

function assignment({ name }: PropertyMessage): string {
  return `${name}=`;
}
