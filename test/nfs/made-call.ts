// A call as the transport makes it, from the bytes of a record.

import { RpcCall } from '../../src/nfs/rpc/call.ts';
import { CredentialReader } from '../../src/nfs/rpc/credential.ts';
import { XdrReader } from '../../src/nfs/xdr/reader.ts';
import { type CallOptions, callMessage } from './raw-client.ts';

export interface MadeCall extends Pick<CallOptions, 'uid' | 'gid' | 'groups'> {
  readonly address?: string;
  readonly port?: number;
  readonly xid?: number;
  readonly procedure?: number;
  readonly body?: Buffer;
}

export function madeCall(made: MadeCall = {}): RpcCall {
  const { address = '10.0.0.1', port = 700, xid = 1, procedure = 9, body = Buffer.from('body') } = made;
  const call = new RpcCall({ address, port });
  const message = callMessage({ xid, program: 100003, version: 3, procedure }, body, made);
  call.begin(new XdrReader(message), new CredentialReader(), false);
  return call;
}
