// The service's definition, read from the .proto file that also other clients use.

import { join } from 'node:path';
import { logVerbosity, type MethodDefinition, setLogVerbosity } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import type { AdminMethods } from './admin-messages.ts';

// proto/ stands beside src/ in a clone and beside dist/ in the package, so this file is equally deep below both.
const ROOT = join(import.meta.dirname, '../../../proto');

export const ADMIN_SERVICE = 'cairn.admin.v1.AdminService';

/** All that is served, for reflection; gRPC's own health service beside ours. */
export const adminPackage: PackageDefinition = loadSync(['cairn/admin/v1/admin.proto', healthProtoPath], {
  includeDirs: [ROOT],
  // Exact: no number of the service is above 2^53-1.
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

type AdminServiceDefinition = Readonly<
  Record<keyof AdminMethods | 'Check' | 'Diff', MethodDefinition<object, object>>
>;

export const adminService = adminPackage[ADMIN_SERVICE] as unknown as AdminServiceDefinition;

// What gRPC would write to stderr comes to us as an error as well.
setLogVerbosity(logVerbosity.NONE);
