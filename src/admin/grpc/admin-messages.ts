// The messages of proto/cairn/admin/v1/admin.proto as they are in JavaScript: camelCase, uint64 as numbers (the
// service gives none above 2^53-1), unset optional fields absent.

export interface DatasetMessage {
  readonly id: number;
  readonly name: string;
  readonly uuid: string;
  readonly parentId?: number;
  readonly parentUuid?: string;
  readonly rootInode: number;
  readonly createdAt: number;
  readonly isReadonly: boolean;
  readonly isSnapshot: boolean;
  readonly generation: number;
  readonly flags: number;
  readonly kind: string;
  readonly isDefault: boolean;
  readonly usedBytes: number;
  readonly usedInodes: number;
  readonly availableBytes: number;
  readonly quota: number;
  readonly refquota: number;
  readonly reservation: number;
  readonly properties: readonly PropertyMessage[];
  readonly referencedBytes: number;
  readonly liveBytes: number;
  readonly snapshotBytes: number;
  readonly cloneBytes: number;
  readonly storedBytes: number;
  readonly pendingBytes: number;
  readonly origin: string;
  readonly expiresAt?: number;
  readonly clones: readonly string[];
  readonly holds: readonly string[];
}

type PropertySourceMessage =
  | 'PROPERTY_SOURCE_UNSPECIFIED'
  | 'PROPERTY_SOURCE_NONE'
  | 'PROPERTY_SOURCE_DEFAULT'
  | 'PROPERTY_SOURCE_LOCAL'
  | 'PROPERTY_SOURCE_INHERITED';

export interface PropertyMessage {
  readonly name: string;
  readonly value: string;
  readonly source: PropertySourceMessage;
  readonly inheritedFrom: string;
}

export interface CreateDatasetRequest {
  readonly name: string;
  readonly readonly: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly properties: Readonly<Record<string, string>>;
}

export interface DeletePlanMessage {
  readonly names: readonly string[];
  readonly bytes: number;
  readonly inodes: number;
}

export interface CreateSnapshotRequest {
  readonly source: string;
  readonly name: string;
  readonly recursive: boolean;
  readonly ttlSeconds: number;
  readonly properties: Readonly<Record<string, string>>;
}

export interface LabelMessage {
  readonly key: string;
  readonly value?: string;
}

export interface DeleteSnapshotRequest {
  readonly name: string;
  readonly labels: readonly LabelMessage[];
  readonly source: string;
}

export interface SnapshotPlanMessage {
  readonly names: readonly string[];
  readonly bytes: number;
}

export interface CloneDatasetRequest {
  readonly source: string;
  readonly name: string;
  readonly ttlSeconds: number;
  readonly properties: Readonly<Record<string, string>>;
}

interface RollbackRequest {
  readonly name: string;
  readonly discard: boolean;
}

export interface RollbackMessage {
  readonly target: string;
  readonly before: string;
  readonly liveBytes: number;
  readonly liveInodes: number;
  readonly targetBytes: number;
  readonly targetInodes: number;
  readonly lostBytes: number;
}

interface Tagged {
  readonly name: string;
  readonly tag: string;
}

export interface ExportRuleMessage {
  readonly networks: readonly string[];
  readonly access: string;
  readonly squash: string;
  readonly anonuid: number;
  readonly anongid: number;
  readonly secure: boolean;
  readonly datasets: readonly string[];
}

export interface ClientMessage {
  readonly address: string;
  readonly port: number;
  readonly connectedForMs: number;
  readonly calls: number;
  readonly sinceLastCallMs: number;
  readonly mounts: readonly string[];
}

export interface StatusMessage {
  readonly version: string;
  readonly volumeUuid: string;
  readonly dataDir: string;
  readonly listen: string;
  readonly durability: string;
  readonly uptimeMs: number;
  readonly failure: string;
  readonly connections: number;
  readonly datasets: number;
  readonly diskBytes: number;
  readonly diskAvailableBytes: number;
  readonly dirtyBytes: number;
  readonly pendingDatasets: number;
  readonly pendingBytes: number;
  readonly pendingInodes: number;
}

export interface CheckFindingMessage {
  readonly kind: string;
  readonly path: string;
  readonly message: string;
  readonly repaired: boolean;
  /** Not sent: what does not open at all is found without a server. */
  readonly mendable?: boolean;
}

export interface CheckSummaryMessage {
  readonly datasets: number;
  readonly inodes: number;
  readonly bytes: number;
  readonly findings: number;
  readonly repaired: number;
}

export interface CheckMessage {
  readonly finding?: CheckFindingMessage;
  readonly summary?: CheckSummaryMessage;
}

export interface RestoreRequestMessage {
  readonly snapshot: string;
  readonly path: string;
  /** Empty: the path. */
  readonly destination: string;
  readonly replace: boolean;
}

export interface JobMessage {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly state: string;
  readonly unit: string;
  readonly done: number;
  readonly total?: number;
  readonly startedAt: number;
  readonly message: string;
}

interface Named {
  readonly name: string;
}

interface OfDataset {
  readonly dataset: DatasetMessage;
}

interface OfSnapshot {
  readonly snapshot: DatasetMessage;
}

interface OfJob {
  readonly job: JobMessage;
}

type Empty = Readonly<Record<string, never>>;

/** What a change answers: with the server's own time for it. */
interface Elapsed {
  readonly elapsedUs: number;
}

/** Request and answer of each unary method. */
export interface AdminMethods {
  CreateDataset: { request: CreateDatasetRequest; answer: OfDataset & Elapsed };
  ListDatasets: { request: Named; answer: { readonly datasets: readonly DatasetMessage[] } };
  DeleteDataset: { request: Named & { readonly recursive: boolean }; answer: DeletePlanMessage & Elapsed };
  GetDatasetInfo: { request: Named; answer: OfDataset };
  SetDefaultDataset: { request: Named; answer: OfDataset & Elapsed };
  GetDefaultDataset: { request: Empty; answer: OfDataset };
  CreateSnapshot: {
    request: CreateSnapshotRequest;
    answer: OfSnapshot & { readonly nested: readonly DatasetMessage[] } & Elapsed;
  };
  ListSnapshots: {
    request: { readonly source: string; readonly labels: readonly LabelMessage[] };
    answer: { readonly snapshots: readonly DatasetMessage[] };
  };
  GetSnapshotInfo: { request: Named; answer: OfSnapshot };
  DeleteSnapshot: { request: DeleteSnapshotRequest; answer: SnapshotPlanMessage & Elapsed };
  PlanDeleteSnapshot: { request: DeleteSnapshotRequest; answer: SnapshotPlanMessage & Elapsed };
  RenameSnapshot: { request: Named & { readonly newName: string }; answer: OfSnapshot & Elapsed };
  HoldSnapshot: { request: Tagged; answer: Elapsed };
  ReleaseSnapshot: { request: Tagged; answer: Elapsed };
  CloneDataset: { request: CloneDatasetRequest; answer: OfDataset & Elapsed };
  RollbackDataset: { request: RollbackRequest; answer: RollbackMessage & Elapsed };
  PlanRollback: { request: RollbackRequest; answer: RollbackMessage & Elapsed };
  SetProperties: {
    request: Named & { readonly properties: Readonly<Record<string, string>> };
    answer: OfDataset & Elapsed;
  };
  GetProperties: {
    request: Named & { readonly properties: readonly string[] };
    answer: { readonly properties: readonly PropertyMessage[] };
  };
  InheritProperty: { request: Named & { readonly property: string }; answer: OfDataset & Elapsed };
  RenameDataset: { request: Named & { readonly newName: string }; answer: OfDataset & Elapsed };
  PlanDelete: { request: Named & { readonly recursive: boolean }; answer: DeletePlanMessage & Elapsed };
  ListExports: { request: Empty; answer: { readonly exports: readonly ExportRuleMessage[] } };
  ReloadExports: {
    request: Empty;
    answer: { readonly exports: readonly ExportRuleMessage[]; readonly needRestart: readonly string[] };
  };
  ListClients: { request: Empty; answer: { readonly clients: readonly ClientMessage[] } };
  GetStatus: { request: Empty; answer: StatusMessage };
  Restore: { request: RestoreRequestMessage; answer: OfJob & Elapsed };
  Detach: { request: Named; answer: OfJob & Elapsed };
  ListJobs: { request: Empty; answer: { readonly jobs: readonly JobMessage[] } };
  CancelJob: { request: { readonly id: string }; answer: OfJob & Elapsed };
}

/** The one method that answers with a stream of {@link CheckMessage}. */
export interface CheckRequest {
  readonly path: string;
  readonly repair: boolean;
}
