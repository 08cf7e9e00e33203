// What each method of the service does. A handler answers or throws; how that travels is the server's matter.

import type { AdminLog } from '../admin-log.ts';
import { warnOfUnknownDatasets } from '../export-warnings.ts';
import type { ManagedServer } from '../managed-server.ts';
import type { AdminMethods, CreateDatasetRequest, DatasetMessage, StatusMessage } from './admin-messages.ts';
import { datasetMessage } from './dataset-message.ts';
import { jobHandlers } from './job-handlers.ts';
import { propertyHandlers } from './property-handlers.ts';
import { given, givenDataset, invalid } from './request-check.ts';
import { snapshotHandlers } from './snapshot-handlers.ts';

export type AdminHandlers = {
  readonly [Method in keyof AdminMethods]: (
    request: AdminMethods[Method]['request'],
  ) => Answer<Method> | Promise<Answer<Method>>;
};

/** The server adds the time that it took. */
type Answer<Method extends keyof AdminMethods> = Omit<AdminMethods[Method]['answer'], 'elapsedUs'>;

export function adminHandlers(server: ManagedServer, log: AdminLog): AdminHandlers {
  return {
    ...datasetHandlers(server),
    ...propertyHandlers(server),
    ...snapshotHandlers(server),
    ...jobHandlers(server),
    ...serverHandlers(server, log),
  };
}

type DatasetMethods =
  | 'CreateDataset'
  | 'ListDatasets'
  | 'DeleteDataset'
  | 'PlanDelete'
  | 'GetDatasetInfo'
  | 'SetDefaultDataset'
  | 'GetDefaultDataset'
  | 'RenameDataset';

function datasetHandlers({ datasets }: ManagedServer): Pick<AdminHandlers, DatasetMethods> {
  const info = (name: string): { dataset: DatasetMessage } => ({
    dataset: datasetMessage(datasets.info(givenDataset(name))),
  });
  return {
    async CreateDataset(request) {
      const name = given(request.name, 'name');
      return { dataset: datasetMessage(await datasets.create(name, createOptions(request))) };
    },
    ListDatasets({ name }) {
      if (name !== '') info(name);
      const names = datasets.list().map((dataset) => dataset.name);
      const listed = names.filter((each) => name === '' || each === name || each.startsWith(`${name}/`));
      return { datasets: listed.map((each) => datasetMessage(datasets.info(each))) };
    },
    async DeleteDataset({ name, recursive }) {
      return datasets.delete(givenDataset(name), recursive);
    },
    PlanDelete: ({ name, recursive }) => datasets.planDelete(givenDataset(name), recursive),
    GetDatasetInfo: ({ name }) => info(name),
    async SetDefaultDataset({ name }) {
      await datasets.setDefault(givenDataset(name));
      return info(name);
    },
    GetDefaultDataset: () => info(datasets.defaultDataset().name),
    async RenameDataset({ name, newName }) {
      return {
        dataset: datasetMessage(await datasets.rename(givenDataset(name), given(newName, 'new name'))),
      };
    },
  };
}

type ServerMethods = 'ListExports' | 'ReloadExports' | 'ListClients' | 'GetStatus';

function serverHandlers(server: ManagedServer, log: AdminLog): Pick<AdminHandlers, ServerMethods> {
  return {
    ListExports: () => ({ exports: server.exports() }),
    async ReloadExports() {
      const reloaded = await server.reloadExports();
      warnOfUnknownDatasets(server, log);
      return reloaded;
    },
    ListClients: () => ({
      clients: server.clients().map((client) => ({
        ...client,
        // The protocol has whole milliseconds.
        connectedForMs: Math.round(client.connectedForMs),
        sinceLastCallMs: Math.round(client.sinceLastCallMs),
        mounts: client.mounts ?? [],
      })),
    }),
    GetStatus: () => statusMessage(server),
  };
}

function statusMessage(server: ManagedServer): StatusMessage {
  const status = server.status();
  const pending = server.datasets.pending();
  return {
    ...status,
    uptimeMs: Math.round(status.uptimeMs),
    failure: status.failure ?? '',
    connections: server.clients().length,
    datasets: server.datasets.list().length,
    pendingDatasets: pending.datasets,
    pendingBytes: pending.bytes,
    pendingInodes: pending.inodes,
  };
}

function createOptions({ readonly, mode, uid, gid, properties }: CreateDatasetRequest) {
  if (mode !== undefined && mode > 0o7777) {
    throw invalid(`The mode of a directory is at most 7777 (octal), not ${mode.toString(8)}`);
  }
  for (const id of [uid, gid]) {
    // It is chown's "as it is", and owns nothing.
    if (id === 0xffff_ffff) throw invalid(`No user and no group has the number ${id}`);
  }
  return {
    // What proto3 cannot tell from "not given" is not given: the dataset around decides.
    ...(readonly && { readonly }),
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    properties,
  };
}
