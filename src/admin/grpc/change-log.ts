// Who has changed what: a line in the log for each call that has changed something, with its arguments. None of them is
// a secret; what is long is cut, because a request may be as large as the one who sends it likes.

import type { AdminLog } from '../admin-log.ts';
import type { AdminMethods } from './admin-messages.ts';

const TEXT_CHARACTERS_MAX = 1000;

/** The methods that change something. */
const DONE: Partial<Record<keyof AdminMethods, string>> = {
  CreateDataset: 'Created a dataset',
  DeleteDataset: 'Deleted a dataset',
  RenameDataset: 'Renamed a dataset',
  SetDefaultDataset: 'Set the default dataset',
  SetProperties: 'Set properties',
  InheritProperty: 'Took back a property',
  CreateSnapshot: 'Took a snapshot',
  DeleteSnapshot: 'Deleted snapshots',
  RenameSnapshot: 'Renamed a snapshot',
  HoldSnapshot: 'Held a snapshot',
  ReleaseSnapshot: 'Released a snapshot',
  CloneDataset: 'Cloned a dataset',
  RollbackDataset: 'Rolled a dataset back',
  Restore: 'Began a restore',
  Detach: 'Began a detach',
  CancelJob: 'Called a job off',
  ReloadExports: 'Read the export rules again',
};

export interface AnsweredCall {
  readonly method: string;
  readonly request: unknown;
  /** As gRPC has it. */
  readonly peer: string;
}

export function logChange({ method, request, peer }: AnsweredCall, log: AdminLog): void {
  const done = DONE[method as keyof AdminMethods];
  if (done === undefined) return;
  const given = Object.entries(request as object).filter(([, value]) => isGiven(value));
  // Names first, whatever the protocol has first: what is long is behind them.
  given.sort(([, one], [, other]) => Number(typeof one === 'object') - Number(typeof other === 'object'));
  const text = given.length === 0 ? '' : `: ${cut(JSON.stringify(Object.fromEntries(given)))}`;
  const isLocal = !/:\d+$/.test(peer);
  log.info(
    { method, ...(isLocal ? {} : { client: peer }) },
    `${done}${isLocal ? '' : ` for ${peer}`}${text}`,
  );
}

/** What proto3 cannot tell from "not given" says nothing. */
function isGiven(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== '' && value !== 0 && value !== false;
}

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX)}…`;
}
