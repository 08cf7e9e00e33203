// The methods of the service that are about snapshots.

import type {
  RollbackPlan,
  SnapshotOptions,
  SnapshotSelection,
  Snapshots,
} from '../../snapshots/snapshots.ts';
import type { AdminHandlers } from './admin-handlers.ts';
import type { CreateSnapshotRequest, DeleteSnapshotRequest, RollbackMessage } from './admin-messages.ts';
import { datasetMessage, snapshotMessage } from './dataset-message.ts';
import { given, givenDataset, invalid } from './request-check.ts';

type SnapshotMethods =
  | 'CreateSnapshot'
  | 'ListSnapshots'
  | 'GetSnapshotInfo'
  | 'DeleteSnapshot'
  | 'PlanDeleteSnapshot'
  | 'RenameSnapshot'
  | 'HoldSnapshot'
  | 'ReleaseSnapshot'
  | 'CloneDataset'
  | 'RollbackDataset'
  | 'PlanRollback';

export function snapshotHandlers({
  snapshots,
}: {
  readonly snapshots: Snapshots;
}): Pick<AdminHandlers, SnapshotMethods> {
  return {
    async CreateSnapshot(request) {
      const source = given(request.source, 'source');
      const [made, ...nested] = await snapshots.create(
        source,
        given(request.name, 'name'),
        snapshotOptions(request),
      );
      return { snapshot: snapshotMessage(made!), nested: nested.map(snapshotMessage) };
    },
    ListSnapshots: ({ source, labels }) => ({
      snapshots: snapshots.list(ownerOf(source), labels).map(snapshotMessage),
    }),
    GetSnapshotInfo: ({ name }) => ({ snapshot: snapshotMessage(snapshots.info(given(name, 'name'))) }),
    async DeleteSnapshot(request) {
      return snapshots.delete(selectionOf(request));
    },
    PlanDeleteSnapshot: (request) => snapshots.planDelete(selectionOf(request)),
    async RenameSnapshot({ name, newName }) {
      const renamed = await snapshots.rename(given(name, 'name'), given(newName, 'new name'));
      return { snapshot: snapshotMessage(renamed) };
    },
    async HoldSnapshot({ name, tag }) {
      await snapshots.hold(given(name, 'name'), given(tag, 'tag'));
      return {};
    },
    async ReleaseSnapshot({ name, tag }) {
      await snapshots.release(given(name, 'name'), given(tag, 'tag'));
      return {};
    },
    async CloneDataset({ source, name, ttlSeconds, properties }) {
      const options = { properties, ...(ttlSeconds > 0 && { ttlSeconds }) };
      const made = await snapshots.clone(given(source, 'source'), given(name, 'name'), options);
      return { dataset: datasetMessage(made) };
    },
    async RollbackDataset({ name, discard }) {
      return rollbackMessage(await snapshots.rollback(given(name, 'name'), discard));
    },
    PlanRollback: ({ name, discard }) =>
      rollbackMessage(snapshots.planRollback(given(name, 'name'), discard)),
  };
}

function rollbackMessage({ before, ...plan }: RollbackPlan): RollbackMessage {
  return { ...plan, before: before ?? '' };
}

function snapshotOptions({ recursive, ttlSeconds, properties }: CreateSnapshotRequest): SnapshotOptions {
  return { recursive, properties, ...(ttlSeconds > 0 && { ttlSeconds }) };
}

function selectionOf({ name, labels, source }: DeleteSnapshotRequest): SnapshotSelection {
  if (labels.length === 0) return given(name, 'name');
  if (name !== '') throw invalid(`Either a name or labels say what to delete, not ${name} and labels`);
  return { labels, dataset: ownerOf(source) };
}

/** Undefined is all. */
function ownerOf(source: string): string | undefined {
  return source === '' ? undefined : givenDataset(source);
}
