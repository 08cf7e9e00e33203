// The methods of the service that are about properties: of datasets, and of snapshots where the name has an "@".

import type { Property } from '../../datasets/datasets.ts';
import type { SnapshotInfo } from '../../snapshots/snapshots.ts';
import type { ManagedServer } from '../managed-server.ts';
import type { AdminHandlers } from './admin-handlers.ts';
import { datasetMessage, propertyMessage, snapshotMessage } from './dataset-message.ts';
import { given, invalid } from './request-check.ts';

type PropertyMethods = 'SetProperties' | 'GetProperties' | 'InheritProperty';

export function propertyHandlers({
  datasets,
  snapshots,
}: ManagedServer): Pick<AdminHandlers, PropertyMethods> {
  return {
    async SetProperties(request) {
      const name = given(request.name, 'name');
      const { properties } = request;
      if (Object.keys(properties).length === 0) throw invalid('No property is given that should be set');
      if (isSnapshot(name)) return { dataset: snapshotMessage(await snapshots.set(name, properties)) };
      return { dataset: datasetMessage(await datasets.set(name, properties)) };
    },
    GetProperties(request) {
      const name = given(request.name, 'name');
      const all = isSnapshot(name)
        ? snapshotProperties(snapshots.info(name))
        : datasets.info(name).properties;
      return { properties: chosen(name, all, request.properties).map(propertyMessage) };
    },
    async InheritProperty(request) {
      const [name, property] = [given(request.name, 'name'), given(request.property, 'property')];
      if (isSnapshot(name)) return { dataset: snapshotMessage(await snapshots.inherit(name, property)) };
      return { dataset: datasetMessage(await datasets.inherit(name, property)) };
    },
  };
}

function isSnapshot(name: string): boolean {
  return name.includes('@');
}

function chosen(name: string, all: readonly Property[], wanted: readonly string[]): readonly Property[] {
  if (wanted.length === 0) return all;
  return wanted.map((property) => all.find((each) => each.name === property) ?? unset(property));

  function unset(property: string): Property {
    // As with ZFS, a user property that nobody has set is no mistake.
    if (property.includes(':')) return { name: property, value: '-', source: 'none' };
    const names = all.map((each) => each.name).join(', ');
    throw invalid(`There is no property ${JSON.stringify(property)}; those of ${name} are ${names}`);
  }
}

function snapshotProperties(info: SnapshotInfo): readonly Property[] {
  const computed = (name: string, value: string | number): Property => ({
    name,
    value: String(value),
    source: 'none',
  });
  return [
    computed('name', info.name),
    computed('type', 'snapshot'),
    computed('creation', info.createdAt),
    computed('used', info.usedBytes),
    computed('referenced', info.referencedBytes),
    computed('clones', info.clones.join(',') || '-'),
    ...Object.entries(info.properties).map(([name, value]): Property => ({ name, value, source: 'local' })),
  ];
}
